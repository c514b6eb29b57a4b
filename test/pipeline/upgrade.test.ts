import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import { mulberry32 } from '../../src/simulator/seeded.js';
import { addressById, addressOf } from '../../src/storage/address.js';
import { defineWorkflow, fhir, minutes, seconds } from '../../src/workflow.js';
import { type App, createAccount, rawEvent, startApp } from './memory-app.js';

// Releases up to 0.2 found jobs by the event's id. Processes of this release start while those end, over the same storage:
// with settled jobs, rows, dead letters and running jobs.

const DAY_MS = 24 * 3_600_000;

function startHospital(seed: number) {
  const account = createAccount({ isUpgrade: true });
  const random = mulberry32(seed);
  const apps: App[] = [];
  const completed = new Map<string, number>();
  const wrongs: string[] = [];
  const workflow = defineWorkflow({
    name: 'count',
    on: fhir('*'),
    concurrency: 20,
    retry: { tries: 4, from: seconds(5), to: minutes(5), giveUpAfter: minutes(60) },
    async handle(event, { attempt, idempotencyKey }) {
      if (account.record(idempotencyKey)?.result === 'completed') wrongs.push(`runs again: ${event.id}`);
      for (let turns = random() * 50; turns > 0; turns -= 1) await Promise.resolve();
      if (attempt < 3 && random() < 0.3) throw new Error('not well');
      completed.set(event.id, (completed.get(event.id) ?? 0) + 1);
    },
  });

  return {
    account,
    completed,
    wrongs,
    start(release: 'earlier' | 'this'): App {
      const app = startApp(account, {
        workflows: [workflow],
        addresses: release === 'earlier' ? addressById : undefined,
      });
      apps.push(app);
      return app;
    },
    end(app: App): void {
      app.crash();
      apps.splice(apps.indexOf(app), 1);
    },
    /** Delivers to any process until one acknowledges, as Event Grid does. */
    async deliver(events: readonly unknown[]): Promise<void> {
      const app = apps[Math.floor(random() * apps.length)];
      void app?.pipeline.deliver([...events]).catch(() => this.deliver(events));
      await account.pass(200);
    },
    async run(ms: number): Promise<void> {
      for (let leftMs = ms; leftMs > 0; leftMs -= 10_000) {
        void apps[Math.floor(random() * apps.length)]?.runDueRows();
        await account.pass(10_000);
      }
    },
  };
}

const eventsOf = (day: string) =>
  Array.from({ length: 60 }, (_, n) =>
    rawEvent({ id: `${day}-${n}`, time: `${day}T11:${String(n).padStart(2, '0')}:00.000Z` }),
  );

describe('an upgrade from an earlier release under load', () => {
  it.each([1, 2, 3, 4, 5])(
    'given each event is delivered more than once (seed %i), then each job completes once',
    async (seed) => {
      const hospital = startHospital(seed);
      const { account, completed, wrongs } = hospital;
      const before = eventsOf('2026-01-01');
      const old = [hospital.start('earlier'), hospital.start('earlier')];
      for (let at = 0; at < 40; at += 10) await hospital.deliver(before.slice(at, at + 10));
      await hospital.run(60_000);

      hospital.start('this');
      await hospital.deliver(before.slice(20, 60));
      hospital.end(old[0] as App);
      hospital.start('this');
      await hospital.deliver(before);
      hospital.end(old[1] as App);
      await hospital.run(15 * 60_000);
      account.clock.advance(DAY_MS);
      const after = eventsOf('2026-01-02');
      for (const events of [after, before, after]) await hospital.deliver(events);
      await hospital.run(30 * 60_000);

      expect(wrongs).toEqual([]);
      expect(account.waiting()).toEqual([]);
      expect([...completed].filter(([, runs]) => runs !== 1)).toEqual([]);
      expect(completed.size).toBe(before.length + after.length);
      const resultsAt = (events: typeof before, find: typeof addressOf) =>
        new Set(events.map((raw) => account.record(find(keyOf(parseEvent(raw)), 'count'))?.result));
      expect([resultsAt(before, addressById), resultsAt(after, addressOf)]).toEqual([
        new Set(['completed']),
        new Set(['completed']),
      ]);
    },
  );
});
