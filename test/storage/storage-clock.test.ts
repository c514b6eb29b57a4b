import type { Clock } from '../../src/clock.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createStorageClock } from '../../src/storage/storage-clock.js';
import { StorageError, type TableStore } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';

const DAY_MS = 24 * 3_600_000;
const TABLE = 'waiting';

/** A machine whose clock is `skewMs` ahead of storage's, where an answer takes `wayMs` there and as long back. */
function openMachine({ skewMs, wayMs = 0 }: { skewMs: number; wayMs?: number }) {
  const truth = createFakeClock();
  const machine = { skewMs, wayMs, stoodStillMs: 0 };
  const own: Clock = {
    ...truth,
    now: () => new Date(truth.now().getTime() + machine.skewMs),
    monotonic: () => truth.monotonic() - machine.stoodStillMs,
  };
  const memory = createMemoryTableStore({ clock: truth });
  const slow = async <T>(call: () => Promise<T>): Promise<T> => {
    truth.advance(machine.wayMs);
    const answer = await call();
    truth.advance(machine.wayMs);
    return answer;
  };
  const store: TableStore = {
    ...memory,
    commit: (...all) => slow(() => memory.commit(...all)),
    read: (...all) => slow(() => memory.read(...all)),
    query: (...all) => slow(() => memory.query(...all)),
  };
  const { tables, clock, storageNow } = createStorageClock(store, own);
  const errorMs = () => clock.now().getTime() - truth.now().getTime();
  return { truth, machine, tables, storageNow, errorMs };
}

describe("storage's clock", () => {
  it.each([
    { answer: 'read', ask: (tables: TableStore) => tables.read(TABLE, 'p', 'k') },
    { answer: 'query', ask: (tables: TableStore) => tables.query(TABLE, { limit: 1 }) },
    {
      answer: 'commit',
      async ask(tables: TableStore) {
        await tables.create(TABLE);
        await tables.commit(TABLE, 'p', [{ kind: 'insert', key: 'k', row: {} }]);
      },
    },
  ])(
    'given a $answer, then a clock a day ahead or behind is corrected to within the round trip and a second',
    async ({ ask }) => {
      for (const skewMs of [DAY_MS, -DAY_MS]) {
        const { tables, errorMs } = openMachine({ skewMs, wayMs: 100 });
        expect(errorMs()).toBe(skewMs);

        await ask(tables);

        expect(Math.abs(errorMs())).toBeLessThanOrEqual(1200);
      }
    },
  );

  it('given a right clock, then the time is unchanged, to the millisecond', async () => {
    const { tables, errorMs, truth } = openMachine({ skewMs: 0, wayMs: 700 });

    for (let n = 0; n < 10; n += 1) {
      truth.advance(333);
      await tables.read(TABLE, 'p', 'k');
      expect(errorMs()).toBe(0);
    }
  });

  it('given many answers, then the bounds narrow, and hold while no answer comes', async () => {
    const { tables, errorMs, truth } = openMachine({ skewMs: DAY_MS, wayMs: 5 });

    for (let n = 0; n < 200; n += 1) {
      truth.advance(37);
      await tables.read(TABLE, 'p', 'k');
    }
    truth.advance(3_600_000);

    expect(Math.abs(errorMs())).toBeLessThanOrEqual(60);
  });

  it('given an answer that took minutes, then the bounds of the answer before hold', async () => {
    const { tables, errorMs, machine } = openMachine({ skewMs: DAY_MS });
    await tables.read(TABLE, 'p', 'k');

    machine.wayMs = 300_000;
    await tables.read(TABLE, 'p', 'k');

    expect(Math.abs(errorMs())).toBeLessThanOrEqual(1000);
  });

  it('given the wall clock is set, then the time stays within the bounds', async () => {
    const { tables, errorMs, machine } = openMachine({ skewMs: -DAY_MS });
    await tables.read(TABLE, 'p', 'k');

    for (const skewMs of [DAY_MS, 0, -DAY_MS]) {
      machine.skewMs = skewMs;
      expect(Math.abs(errorMs())).toBeLessThanOrEqual(1000);
    }
  });

  it('given a pause of the machine with its monotonic clock, then the next answer corrects the time', async () => {
    const { tables, errorMs, machine, truth } = openMachine({ skewMs: 0 });
    await tables.read(TABLE, 'p', 'k');

    truth.advance(600_000);
    machine.stoodStillMs = 600_000;
    expect(errorMs()).toBeLessThan(-590_000);
    await tables.read(TABLE, 'p', 'k');

    expect(errorMs()).toBe(0);
  });

  it('given no answer yet, then the clock of the machine counts; given a request for the time, then storage is read once', async () => {
    const { storageNow, errorMs, truth, tables } = openMachine({ skewMs: DAY_MS });
    expect(errorMs()).toBe(DAY_MS);

    expect(Math.abs((await storageNow()).getTime() - truth.now().getTime())).toBeLessThanOrEqual(1000);

    Object.assign(tables, { query: () => Promise.reject(new StorageError('http-503', 'No.')) });
    expect(Math.abs((await storageNow()).getTime() - truth.now().getTime())).toBeLessThanOrEqual(1000);
  });

  it('given an answer without a date, or none, then the clock stays, and the caller gets the same answer', async () => {
    const own = createFakeClock();
    const failing = createMemoryTableStore({ clock: own });
    const { tables, clock } = createStorageClock(
      {
        ...failing,
        read: () => Promise.reject(new StorageError('http-503', 'No.')),
        commit: async () => ({ kind: 'done', etags: ['e'], now: undefined }),
      },
      own,
    );

    await expect(tables.read(TABLE, 'p', 'k')).rejects.toBeInstanceOf(StorageError);
    expect(await tables.commit(TABLE, 'p', [])).toEqual({ kind: 'done', etags: ['e'], now: undefined });
    expect(clock.now()).toEqual(own.now());
  });
});
