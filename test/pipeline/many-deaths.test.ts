import { sleep } from '../../src/clock.js';
import { digest } from '../../src/digest.js';
import { defineWorkflow, fhir, seconds } from '../../src/workflow.js';
import { addressOfRaw, createAccount, rawEvent, startApp } from './memory-app.js';

const SETTINGS = { leaseMs: 10_000, deadlineMs: 15_000 };
const PROCESSES = 3;
const WORK_MS = 6000;

type App = ReturnType<typeof startApp>;

/**
 * Three processes over one storage, which look for due rows at their start and every 10 s; a job of `poison` kills its
 * own.
 */
function startHospital({ poison }: { poison: readonly string[] }) {
  const account = createAccount();
  const runs = new Map<string, number>();
  let elapsedS = 0;
  const apps: App[] = Array.from({ length: PROCESSES }, start);

  function start(): App {
    const app: App = startApp(account, {
      settings: SETTINGS,
      workflows: [
        defineWorkflow({
          name: 'work',
          on: fhir('*'),
          timeout: seconds(14),
          async handle({ id }) {
            if (poison.includes(id)) {
              app.crash();
              return new Promise<void>(() => {});
            }
            await sleep(account.clock, WORK_MS);
            runs.set(id, (runs.get(id) ?? 0) + 1);
          },
        }),
      ],
    });
    void app.runDueRows();
    return app;
  }

  return {
    account,
    apps,
    kill(which: number): void {
      apps[which]?.crash();
      apps[which] = start();
    },
    /** Lets `ms` pass; a process that died is started again. */
    async pass(ms: number): Promise<void> {
      for (let leftMs = ms; leftMs > 0; leftMs -= 1000) {
        await account.pass(1000);
        elapsedS += 1;
        for (const [n, app] of apps.entries()) {
          if (app.isDead()) apps[n] = start();
          else if (elapsedS % 10 === n * 3) void app.runDueRows();
        }
      }
    },
    /** Adds a row that is due now for each event. */
    async add(raw: readonly { id: string }[]): Promise<void> {
      const dueAt = account.clock.now();
      for (const one of raw) {
        const item = { kind: 'job', address: addressOfRaw(one, 'work'), eventIdDigest: digest(one.id) } as const;
        const row = { dueAt, isLong: false, event: JSON.stringify(one), item };
        void apps[0]?.waiting.add(row, account.clock.monotonic() + 10_000);
      }
      await account.pass(0);
    },
    recordOf: (raw: { id: string }) => account.record(addressOfRaw(raw, 'work')),
  };
}

function eventsNamed(name: string, count: number) {
  return Array.from({ length: count }, (_, n) => rawEvent({ id: `${name}-${n}`, resourceId: `${name}${n}` }));
}

describe('when processes crash again and again', () => {
  it.each([65, 250])(
    'given %i kills, 16 a minute, all jobs complete, the last at most 30 s after the last kill',
    async (kills) => {
      const hospital = startHospital({ poison: [] });
      const all = Array.from({ length: kills }, (_, n) => eventsNamed(`job${n}`, 10));

      for (const [kill, events] of all.entries()) {
        await hospital.add(events);
        await hospital.pass(kill % 3 === 0 ? 3000 : 4000);
        hospital.kill(kill % PROCESSES);
      }
      const suspects = all.flat().filter((raw) => hospital.recordOf(raw)?.state !== 'settled');
      await hospital.pass(30_000);

      expect(suspects.filter((raw) => Number(hospital.recordOf(raw)?.crashes) >= 2).length).toBeGreaterThan(20);
      expect(all.flat().filter((raw) => hospital.recordOf(raw)?.result !== 'completed')).toEqual([]);
      expect(hospital.account.letters()).toEqual({});
    },
  );

  it('given three jobs that kill their process, ends those as dead letters and completes every other', async () => {
    const poison = eventsNamed('poison', 3);
    const healthy = eventsNamed('job', 112);
    const hospital = startHospital({ poison: poison.map(({ id }) => id) });
    await hospital.add([...poison, ...healthy]);

    for (let minutes = 0; minutes < 30 && poison.some((raw) => hospital.recordOf(raw)?.result !== 'dead'); minutes += 1)
      await hospital.pass(60_000);
    await hospital.pass(60_000);

    expect(poison.map((raw) => hospital.recordOf(raw)?.result)).toEqual(['dead', 'dead', 'dead']);
    expect(healthy.filter((raw) => hospital.recordOf(raw)?.result !== 'completed')).toEqual([]);
  });
});
