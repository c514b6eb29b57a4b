import { digest } from '../../../src/digest.js';
import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import type { Row } from '../../../src/storage/table-store.js';
import { faultyTables } from '../../storage/faults.js';
import { RUN, storeRun } from './stored-run.js';

const INDEX = 0b01;
const MOODY = 0b10;
const COMPLETED: Row = { state: 'settled', result: 'completed' };
const DEAD: Row = { state: 'settled', result: 'dead' };
const MORE_THAN_A_PAGE = 1001;
const NOON = Date.parse('2026-01-01T12:00:00.000Z');

type Run = ReturnType<typeof storeRun>;
type Case = { given: string; stored: (run: Run) => Promise<unknown>; since?: Date; found: object };

/** The marks of the run's only event, which the index wants, after one search. */
async function markOf({ stored, since }: Pick<Case, 'stored' | 'since'>) {
  const run = storeRun();
  run.send(INDEX);
  await stored(run);
  await run.find(since && { since });
  return run.sent.get(0);
}

describe('when a run looks for its events among the rows that wait', () => {
  it.each<Case>([
    {
      given: 'a row of a job, then that job is open',
      stored: (run) => run.wait(0, { workflow: 'moody' }),
      found: { open: MOODY },
    },
    {
      given: 'a row among the long ones, then that job is open too',
      stored: (run) => run.wait(0, { isLong: true }),
      found: { open: INDEX },
    },
    {
      given: 'a row of the whole event, then each of its jobs is open',
      stored: (run) => run.waitForDelivery(0),
      found: { open: 0xffffffff },
    },
    {
      given: 'a row of a workflow that the app has no more, then none of its jobs is open',
      stored: (run) => run.wait(0, { workflow: 'removed' }),
      found: { open: 0 },
    },
    {
      given: 'a row that has gone since it was found, then the job is open no more',
      async stored(run) {
        await run.wait(0);
        await run.find();
        await run.tables.drop('waiting');
      },
      found: { open: 0 },
    },
  ])('given $given', async ({ found, ...row }) => {
    expect(await markOf(row)).toMatchObject(found);
  });

  it('given more rows than a page holds, then the last is found', async () => {
    const run = storeRun();
    const numbers = Array.from({ length: MORE_THAN_A_PAGE }, () => run.send(INDEX));
    await Promise.all(numbers.map((n) => run.wait(n)));

    await run.find();

    expect(numbers.filter((n) => run.sent.get(n).open !== INDEX)).toEqual([]);
  });

  it('given a row of an event that was not sent yet, then it is not marked', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.wait(1);

    await run.find();
    const next = run.send(INDEX);

    expect(run.sent.get(next)).toMatchObject({ open: 0 });
  });
});

describe('when a run looks for its events in the ledger', () => {
  const settled = (result: string) => async (run: Run) => {
    run.clock.advance(1234);
    await run.record(0, { state: 'settled', result });
  };
  const runningFor = (ms: number) => async (run: Run) => {
    await run.record(0, { state: 'running', leaseMs: 60_000 });
    run.clock.advance(ms);
  };

  it.each<Case>([
    {
      given: 'a record that is completed, then the job is completed since then',
      stored: settled('completed'),
      found: { completed: INDEX, superseded: 0, dead: 0, open: 0, settledAtMs: NOON + 1234 },
    },
    {
      given: 'a record that is superseded, then the job is superseded since then',
      stored: settled('superseded'),
      found: { completed: 0, superseded: INDEX, dead: 0, open: 0, settledAtMs: NOON + 1234 },
    },
    {
      given: 'a record of a workflow that is not looked at, then it says nothing',
      stored: (run) => run.record(0, COMPLETED, { workflow: 'of somebody' }),
      found: { completed: 0 },
    },
    {
      given: 'a record that waits and no row, then nothing is found',
      stored: (run) => run.record(0, { state: 'waiting', due: 'gone' }),
      found: { completed: 0, superseded: 0, dead: 0, open: 0 },
    },
    {
      given: 'a record that runs, 2 s after the end of its lease, then the job is open',
      stored: runningFor(62_000),
      found: { open: INDEX },
    },
    {
      given: 'a record that runs, more than that after it, then the job is not open',
      stored: runningFor(63_000),
      found: { open: 0 },
    },
    {
      given: 'a record under the day before the run began, then it is found',
      stored: (run) => run.record(0, COMPLETED, { day: '20251231' }),
      found: { completed: INDEX },
    },
    {
      given: 'a record that was written as the run began, then it is looked at',
      stored: (run) => run.record(0, COMPLETED),
      since: new Date(NOON),
      found: { completed: INDEX },
    },
    {
      given: 'a record that was written before the run began, then it is not looked at',
      stored: (run) => run.record(0, COMPLETED),
      since: new Date(NOON + 1),
      found: { completed: 0 },
    },
  ])('given $given', async ({ found, ...row }) => {
    expect(await markOf(row)).toMatchObject(found);
  });

  it('given the 32nd workflow, then its bit is one like the others', async () => {
    const run = storeRun({ workflows: Array.from({ length: 32 }, (_, n) => `w${n}`) });
    run.send(0);
    await run.record(0, COMPLETED, { workflow: 'w31' });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ completed: 0x80000000 });
  });

  it('given more records than a page holds, then the last is found', async () => {
    const run = storeRun();
    const numbers = Array.from({ length: MORE_THAN_A_PAGE }, () => run.send(INDEX));
    for (const n of numbers) await run.record(n, COMPLETED);

    await run.find();

    expect(numbers.filter((n) => run.sent.get(n).completed !== INDEX)).toEqual([]);
  });

  it('given tables of earlier days, then they are not read', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, COMPLETED, { day: '20251230' });
    const tables = faultyTables(run.tables, ({ on }) => (on === 'ledger20251230' ? 'fail-before' : 'ok'));

    await run.find({ tables });

    expect(run.sent.get(0)).toMatchObject({ completed: 0 });
  });

  it.each([
    { given: 'of another run', id: eventIdOf('11111111', 0) },
    { given: 'of an event that was not sent yet', id: eventIdOf(RUN, 1) },
    { given: 'without an id', id: '' },
  ])('given a record $given, then it marks nothing', async ({ id }) => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, COMPLETED, { id });

    await run.find();
    run.send(INDEX);

    expect([0, 1].map((n) => run.sent.get(n).completed)).toEqual([0, 0]);
  });
});

describe('when a run looks for dead letters', () => {
  const letterOf = (address: string, folder = 'pending') => `${folder}/failed/2026-01-01/${digest(address)}.0.json`;
  const dead = (nameOf: (run: Run) => string) => async (run: Run) => {
    await run.deadLetters.create(nameOf(run), '{}');
    run.clock.advance(10_000);
    await run.record(0, DEAD);
  };
  const EVENT = JSON.stringify([eventIdOf(RUN, 0)]);

  it.each<Case>([
    ...['pending', 'resolved'].map((folder) => ({
      given: `a dead job whose dead letter is in ${folder}, then the job is dead`,
      stored: dead((run) => letterOf(run.addressOf(0), folder)),
      found: { dead: INDEX, settledAtMs: NOON + 10_000 },
    })),
    {
      given: "a dead job and the dead letter of another day's job, then it is not dead",
      stored: dead((run) => letterOf(run.addressOf(0, { day: '20251231' }))),
      found: { dead: 0 },
    },
    {
      given: 'a dead job and a dead letter older than the run, then the dead letter does not count',
      stored: dead((run) => letterOf(run.addressOf(0))),
      since: new Date(NOON + 1000),
      found: { dead: 0 },
    },
    {
      given: "a job's dead letter that names an event, then the event has none of its own",
      stored: (run) => run.deadLetters.create(letterOf('somebody'), EVENT),
      found: { hasDeadLetter: false },
    },
    ...[
      { since: new Date(NOON), what: 'as old as the run, then they are read', isFound: true },
      { since: new Date(NOON + 1000), what: 'older than the run, then they are not read', isFound: false },
    ].map(({ since, what, isFound }) => ({
      given: `blobs that are ${what}`,
      async stored(run: Run) {
        await run.undelivered.create('a.json', EVENT);
        await run.deadLetters.create('pending/invalid/2026-01-01/x.0.json', EVENT);
      },
      since,
      found: { isUndelivered: isFound, hasDeadLetter: isFound },
    })),
  ])('given $given', async ({ found, ...row }) => {
    expect(await markOf(row)).toMatchObject(found);
  });

  it.each(['pending', 'resolved'])(
    'given a %s dead letter of an invalid event, then its event has one',
    async (folder) => {
      const run = storeRun();
      run.send(0);
      run.send(0);
      await run.deadLetters.create(`${folder}/invalid/2026-01-01/x.0.json`, JSON.stringify({ id: eventIdOf(RUN, 1) }));

      await run.find();

      expect([0, 1].map((n) => run.sent.get(n).hasDeadLetter)).toEqual([false, true]);
    },
  );

  it('given more dead letters than a page holds, then the last is found', async () => {
    const run = storeRun();
    const numbers = Array.from({ length: MORE_THAN_A_PAGE }, () => run.send(0));
    for (const n of numbers) {
      const name = `pending/invalid/2026-01-01/${String(n).padStart(4, '0')}.0.json`;
      await run.deadLetters.create(name, JSON.stringify({ id: eventIdOf(RUN, n) }));
    }

    await run.find();

    expect(numbers.filter((n) => !run.sent.get(n).hasDeadLetter)).toEqual([]);
  });

  it("given a blob of Event Grid's dead letters, then its events are undelivered, and have no dead letter of their own", async () => {
    const run = storeRun();
    for (let n = 0; n < 3; n += 1) run.send(INDEX);
    await run.undelivered.create('a.json', JSON.stringify([eventIdOf(RUN, 0), eventIdOf(RUN, 2), eventIdOf(RUN, 3)]));

    await run.find();
    run.send(INDEX);

    expect([0, 1, 2, 3].map((n) => run.sent.get(n).isUndelivered)).toEqual([true, false, true, false]);
    expect(run.sent.get(0)).toMatchObject({ hasDeadLetter: false });
  });

  it('given a blob that is removed between list and read, then it marks nothing', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.undelivered.create('a.json', JSON.stringify([eventIdOf(RUN, 0)]));

    await run.find({ undelivered: { ...run.undelivered, read: async () => undefined } });

    expect(run.sent.get(0)).toMatchObject({ isUndelivered: false });
  });

  it('given a job that moves from its row to its record between the reads, then it is found', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.wait(0);
    let hasMoved = false;
    async function moveOnce<T>(answer: T): Promise<T> {
      if (hasMoved) return answer;
      hasMoved = true;
      await run.tables.drop('waiting');
      await run.record(0, COMPLETED);
      return answer;
    }
    const { tables, waiting } = run.storage;

    await run.find({
      tables: { ...tables, list: async (prefix) => moveOnce(await tables.list(prefix)) },
      waiting: { ...waiting, due: async (...asked) => moveOnce(await waiting.due(...asked)) },
    });

    expect(run.sent.get(0)).toMatchObject({ completed: INDEX });
  });
});
