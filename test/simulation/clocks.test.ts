import { createHospital, type Hospital, hospitalEvent } from './hospital.js';
import { BEGINNING } from './world.js';

// Machines whose clocks are a day ahead or behind: storage's clock decides when a row is due, and when a job is given up
// (T1).

const DAY_MS = 24 * 3_600_000;
const AHEAD = { clock: 'a day ahead', skewMs: DAY_MS };
const BEHIND = { clock: 'a day behind', skewMs: -DAY_MS };
const RIGHT = { clock: 'right', skewMs: 0 };
/** A process looks for due rows every 10 s, and takes their message within 10 s. */
const LATE_MS = 30_000;
/** Storage may be slow between the time that a dead letter states and the write that settles its record. */
const SLOW_STORAGE_MS = 5 * 60_000;
/** Storage dates its answers in full seconds, and an answer takes its time. */
const CLOCKS_DIFFER_MS = 2000;

const v1 = hospitalEvent({ resource: 1, version: 1, incarnation: 1 });

/** Starts an app, and waits until it has an answer of storage, by which it knows storage's clock. */
async function startApp(hospital: Hospital, skewMs: number) {
  const app = hospital.startApp(skewMs);
  let isAwake = false;
  void app.pipeline.wake().then(() => {
    isAwake = true;
  });
  await hospital.world.run({ isDone: () => isAwake, ms: 60_000 });
  return app;
}

const tallyOf = (hospital: Hospital) => hospital.jobsOfRaw(v1).find((address) => address.includes('.tally.')) as string;
const rows = ({ world }: Hospital) => world.tables.inspect('waiting').map(({ key }) => key);
const dueInMs = ({ world }: Hospital, key: string) => Date.parse(key.slice(0, 24)) - BEGINNING - world.nowMs();

describe.each([AHEAD, BEHIND, RIGHT])('given a machine whose clock is $clock', (first) => {
  it.each([AHEAD, BEHIND, RIGHT])(
    'given its row is left to a machine whose clock is $clock, then that machine runs the job when the row is due',
    async (second) => {
      const hospital = createHospital(7);
      const { world } = hospital;
      const dying = await startApp(hospital, first.skewMs);
      hospital.behaviour = () => 'retry-after'; // in 5 s
      hospital.publish([v1]);
      const address = tallyOf(hospital);
      await world.run({ isDone: () => hospital.recordOf(address)?.state === 'waiting', ms: 60_000 });
      const row = rows(hospital).find((key) => key.includes(address)) as string;
      const writtenAtMs = world.nowMs();
      const waitMs = dueInMs(hospital, row);
      hospital.crash(dying);
      hospital.behaviour = () => 'ok';

      await startApp(hospital, second.skewMs);
      await world.run({ isDone: () => hospital.recordOf(address)?.result === 'completed', ms: 2 * DAY_MS });

      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThan(7000);
      expect(dueInMs(hospital, row)).toBeLessThan(CLOCKS_DIFFER_MS);
      expect(world.nowMs() - writtenAtMs).toBeLessThan(7000 + LATE_MS);
      expect(hospital.recordOf(address)).toMatchObject({ result: 'completed' });
      expect(await hospital.comeToRest()).toEqual([]);
    },
  );

  it.each([AHEAD, BEHIND, RIGHT])(
    'given its job asks for a later run each time, then a machine whose clock is $clock gives it up after 10 minutes',
    async (second) => {
      const hospital = createHospital(7);
      const { world } = hospital;
      const dying = await startApp(hospital, first.skewMs);
      hospital.behaviour = () => 'retry-after';
      hospital.publish([v1]);
      const address = tallyOf(hospital);
      await world.run({ isDone: () => hospital.recordOf(address)?.state === 'waiting', ms: 60_000 });
      const writtenAtMs = world.nowMs();
      hospital.crash(dying);

      await startApp(hospital, second.skewMs);
      await world.run({ isDone: () => hospital.recordOf(address)?.result === 'dead', ms: 2 * DAY_MS });

      const minutes = (world.nowMs() - writtenAtMs) / 60_000;
      expect(minutes).toBeGreaterThan(9);
      expect(minutes).toBeLessThan(12);
      const [deadLetter = ''] = [...world.blobs.inspect()].flatMap(([name, content]) =>
        name.includes('/failed/') ? [content] : [],
      );
      const deadLetteredAtMs = Date.parse(JSON.parse(deadLetter).deadLetteredAt) - BEGINNING;
      expect(Math.abs(deadLetteredAtMs - world.nowMs())).toBeLessThan(SLOW_STORAGE_MS);
    },
  );
});
