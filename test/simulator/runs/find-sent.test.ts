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

describe('when a run looks for its events among the rows that wait', () => {
  it('given a row of a job, then that job is open', async () => {
    const run = storeRun();
    run.send(INDEX | MOODY);
    await run.wait(0, { workflow: 'moody' });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ open: MOODY });
  });

  it('given a row among the long ones, then that job is open too', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.wait(0, { isLong: true });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ open: INDEX });
  });

  it('given a row of the whole event, then each of its jobs is open', async () => {
    const run = storeRun();
    run.send(INDEX | MOODY);
    await run.waitForDelivery(0);

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ open: 0xffffffff });
  });

  it('given a row of a workflow that the app has no more, then none of its jobs is open', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.wait(0, { workflow: 'removed' });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ open: 0 });
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

  it('given the row has gone since it was found, then the job is open no more', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.wait(0);
    await run.find();
    await run.tables.drop('waiting');

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ open: 0 });
  });
});

describe('when a run looks for its events in the ledger', () => {
  it.each([
    { result: 'completed', found: { completed: INDEX, superseded: 0, dead: 0 } },
    { result: 'superseded', found: { completed: 0, superseded: INDEX, dead: 0 } },
  ])('given a record that is $result, then the job is that, since then', async ({ result, found }) => {
    const run = storeRun();
    run.send(INDEX);
    run.clock.advance(1234);
    await run.record(0, { state: 'settled', result });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ ...found, open: 0, settledAtMs: NOON + 1234 });
  });

  it('given the 32nd workflow, then its bit is one like the others', async () => {
    const run = storeRun({ workflows: Array.from({ length: 32 }, (_, n) => `w${n}`) });
    run.send(0);
    await run.record(0, COMPLETED, { workflow: 'w31' });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ completed: 0x80000000 });
  });

  it('given a record of a workflow that is not looked at, then it says nothing', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, COMPLETED, { workflow: 'of somebody' });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ completed: 0 });
  });

  it('given a record that waits and no row, then nothing is found', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, { state: 'waiting', due: 'gone' });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ completed: 0, superseded: 0, dead: 0, open: 0 });
  });

  it.each([
    { given: '2 s after the end of its lease', afterMs: 62_000, open: INDEX },
    { given: 'more than that after it', afterMs: 63_000, open: 0 },
  ])('given a record that runs, $given, then open is $open', async ({ afterMs, open }) => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, { state: 'running', leaseMs: 60_000 });
    run.clock.advance(afterMs);

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ open });
  });

  it('given more records than a page holds, then the last is found', async () => {
    const run = storeRun();
    const numbers = Array.from({ length: MORE_THAN_A_PAGE }, () => run.send(INDEX));
    for (const n of numbers) await run.record(n, COMPLETED);

    await run.find();

    expect(numbers.filter((n) => run.sent.get(n).completed !== INDEX)).toEqual([]);
  });

  it('given a record under the day before the run began, then it is found', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, COMPLETED, { day: '20251231' });

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ completed: INDEX });
  });

  it('given tables of earlier days, then they are not read', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, COMPLETED, { day: '20251230' });
    const tables = faultyTables(run.tables, ({ on }) => (on === 'ledger20251230' ? 'fail-before' : 'ok'));

    await run.find({ tables });

    expect(run.sent.get(0)).toMatchObject({ completed: 0 });
  });

  it('given a record that was written before the run began, then it is not looked at', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, COMPLETED);

    await run.find({ since: new Date(NOON + 1) });
    const early = run.sent.get(0);
    await run.find({ since: new Date(NOON) });

    expect(early).toMatchObject({ completed: 0 });
    expect(run.sent.get(0)).toMatchObject({ completed: INDEX });
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

  it.each(['pending', 'resolved'])(
    'given a dead job whose dead letter is in %s, then the job is dead',
    async (folder) => {
      const run = storeRun();
      run.send(INDEX);
      await run.record(0, DEAD);
      await run.deadLetters.create(letterOf(run.addressOf(0), folder), '{}');

      await run.find();

      expect(run.sent.get(0)).toMatchObject({ dead: INDEX, settledAtMs: NOON });
    },
  );

  it("given a dead job and the dead letter of another day's job, then it is not dead", async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.record(0, DEAD);
    await run.deadLetters.create(letterOf(run.addressOf(0, { day: '20251231' })), '{}');

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ dead: 0 });
  });

  it('given a dead job and a dead letter older than the run, then the dead letter does not count', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.deadLetters.create(letterOf(run.addressOf(0)), '{}');
    run.clock.advance(10_000);
    await run.record(0, DEAD);

    await run.find({ since: new Date(NOON + 1000) });

    expect(run.sent.get(0)).toMatchObject({ dead: 0 });
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

  it("given a job's dead letter that names an event, then the event has none of its own", async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.deadLetters.create(letterOf('somebody'), JSON.stringify({ id: eventIdOf(RUN, 0) }));

    await run.find();

    expect(run.sent.get(0)).toMatchObject({ hasDeadLetter: false });
  });

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

    expect([0, 1, 2, 3].map((n) => run.sent.get(n).undelivered)).toEqual([true, false, true, false]);
    expect(run.sent.get(0)).toMatchObject({ hasDeadLetter: false });
  });

  it('given blobs that are older than the run, then they are not read', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.undelivered.create('a.json', JSON.stringify([eventIdOf(RUN, 0)]));
    await run.deadLetters.create('pending/invalid/2026-01-01/x.0.json', JSON.stringify([eventIdOf(RUN, 0)]));

    await run.find({ since: new Date(NOON + 1000) });
    const early = run.sent.get(0);
    await run.find({ since: new Date(NOON) });

    expect(early).toMatchObject({ undelivered: false, hasDeadLetter: false });
    expect(run.sent.get(0)).toMatchObject({ undelivered: true, hasDeadLetter: true });
  });

  it('given a blob that goes between its listing and its reading, then it says nothing', async () => {
    const run = storeRun();
    run.send(INDEX);
    await run.undelivered.create('a.json', JSON.stringify([eventIdOf(RUN, 0)]));

    await run.find({ undelivered: { ...run.undelivered, read: async () => undefined } });

    expect(run.sent.get(0)).toMatchObject({ undelivered: false });
  });

  it('given a job that goes from its row to its record once one of them was looked at, then it is found', async () => {
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
      waiting: { due: async (...asked) => moveOnce(await waiting.due(...asked)) },
    });

    expect(run.sent.get(0)).toMatchObject({ completed: INDEX });
  });
});
