import { deadLettersOf } from '../../src/dead-letters/list.js';
import { discardMany, type RedriveMany, redriveMany } from '../../src/dead-letters/many.js';
import type { Pace } from '../../src/dead-letters/pace.js';
import { StorageError } from '../../src/storage/table-store.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { fail, giveUp, openApp } from './open-app.js';

const PACE: Pace = { atOnce: 4, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };

/** An app with `count` dead letters of workflow `one`. */
async function withDeadLetters(count: number) {
  const opened = openApp();
  for (let n = 0; n < count; n += 1) {
    await opened.die({ id: `event-${n}`, resourceId: `p${n}` });
  }
  const redrive = (options: Partial<RedriveMany> = {}, pace: Partial<Pace> = {}) =>
    redriveMany(
      deadLettersOf(opened.deadLetterStores, { workflow: 'one' }),
      { by: 'me', ...options },
      { pace: { ...PACE, ...pace }, stores: opened.deadLetterStores },
    );

  /** Lets seconds pass, and runs due rows, until the promise has ended. */
  async function through<T>(promise: Promise<T>, { isRunning = true } = {}): Promise<T> {
    let isDone = false;
    const done = promise.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    for (let second = 0; second < 2000 && !isDone; second += 1) {
      for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
      if (isRunning && second % 10 === 9) await opened.runDueRows();
      opened.clock.advance(1000);
    }
    return done;
  }
  return { ...opened, redrive, through };
}

describe('when many dead letters are redriven', () => {
  it('given no wait for outcomes, then each redrive is requested once', async () => {
    const { redrive, through, rows } = await withDeadLetters(20);
    const seen: number[] = [];

    const report = await through(redrive({}, { onCount: ({ asked = 0 }) => seen.push(asked) }), { isRunning: false });

    expect(report).toEqual({ counts: { asked: 20 } });
    expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(rows()).toHaveLength(20);
  });

  it('given a rate, then no more than that are redriven in a second', async () => {
    const { redrive, clock, rows } = await withDeadLetters(10);
    const redriven = redrive({}, { perSecond: 2, atOnce: 8 });
    const asked: number[] = [];

    for (let second = 0; second <= 5; second += 1) {
      for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
      asked.push(rows().length);
      clock.advance(1000);
    }

    expect(asked).toEqual([1, 3, 5, 7, 9, 10]);
    expect(await redriven).toEqual({ counts: { asked: 10 } });
  });

  it('given a wait for outcomes, then the report counts the outcome of each', async () => {
    const { redrive, through, endsAs } = await withDeadLetters(6);
    let runs = 0;
    endsAs(() => {
      runs += 1;
      if (runs === 2) giveUp();
      if (runs === 4) fail();
    });

    expect(await through(redrive({ wait: {} }))).toEqual({ counts: { completed: 4, dead: 1, failing: 1 } });
  });

  it.each([
    { given: 'no app runs', isRunning: false, calls: 1, counts: { open: 2 } },
    { given: 'an app runs', isRunning: true, calls: 0, counts: { completed: 2 } },
  ])(
    'given it waits and $given, then it reports a missing app $calls times, and continues to wait',
    async ({ isRunning, calls, counts }) => {
      const { redrive, through, clock } = await withDeadLetters(2);
      const startedMs = clock.monotonic();
      const saidAfterMs: number[] = [];
      const onNoApp = () => saidAfterMs.push(clock.monotonic() - startedMs);

      expect(await through(redrive({ wait: { onNoApp } }), { isRunning })).toEqual({ counts });

      expect(saidAfterMs).toHaveLength(calls);
      for (const ms of saidAfterMs) expect(ms).toBe(30_000);
    },
  );

  it('given it waits and the app ends in between, then it reports that no app runs', async () => {
    const { redrive, through } = await withDeadLetters(2);
    const onNoApp = jest.fn();
    const isOneDone = Promise.withResolvers<void>();

    const redriven = redrive({ wait: { onNoApp } }, { atOnce: 1, onCount: () => isOneDone.resolve() });
    await through(isOneDone.promise);
    expect(onNoApp).not.toHaveBeenCalled();

    expect(await through(redriven, { isRunning: false })).toEqual({ counts: { completed: 1, open: 1 } });
    expect(onNoApp).toHaveBeenCalledTimes(1);
  });

  it('given it waits and a job runs for long, then it does not report that no app runs', async () => {
    const { redrive, through, deadLetterStores, rows } = await withDeadLetters(1);
    const { read } = deadLetterStores.ledger;
    Object.assign(deadLetterStores.ledger, {
      async read(address: string) {
        const stored = await read(address);
        if (!stored || rows().length === 0) return stored;
        return { ...stored, record: { ...stored.record, redrives: 1, state: { kind: 'running', leaseMs: 60_000 } } };
      },
    });
    const onNoApp = jest.fn();

    expect(await through(redrive({ wait: { onNoApp } }), { isRunning: false })).toEqual({ counts: { open: 1 } });
    expect(onNoApp).not.toHaveBeenCalled();
  });

  it('given it waits, then no more than `atOnce` are under way', async () => {
    const { redrive, clock, rows } = await withDeadLetters(10);
    const stopping = new AbortController();

    const redriven = redrive({ wait: {} }, { atOnce: 3, signal: stopping.signal });
    for (let turn = 0; turn < 100; turn += 1) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      clock.advance(100);
    }

    expect(rows()).toHaveLength(3);
    stopping.abort();
    expect(await redriven).toEqual({ counts: { open: 3 }, stopped: 'asked-to' });
  });

  it('given no app runs them, then it waits for ten minutes, and reports them as open', async () => {
    const { redrive, through, clock } = await withDeadLetters(1);

    expect(await through(redrive({ wait: {} }), { isRunning: false })).toEqual({ counts: { open: 1 } });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(600_000);
    expect(clock.monotonic()).toBeLessThan(620_000);
  });

  it.each([
    { given: 'beyond help', ends: giveUp, counts: { dead: 10 } },
    { given: 'to be tried again', ends: fail, counts: { failing: 10 } },
  ])('given a share may fail, and all are $given, then the run ends after ten', async ({ ends, counts }) => {
    const { redrive, through, endsAs, rows } = await withDeadLetters(30);
    endsAs(ends);

    const report = await through(redrive({ wait: { stopAfter: 0.2 } }, { atOnce: 1 }));

    expect(report).toEqual({ counts, stopped: 'failures' });
    expect(rows().length).toBeLessThanOrEqual(10);
  });

  it('given a share may fail, and exactly that share fails, then it goes on to the end', async () => {
    const { redrive, through, endsAs } = await withDeadLetters(20);
    let runs = 0;
    endsAs(() => {
      runs += 1;
      if (runs % 5 === 0) giveUp();
    });

    expect(await through(redrive({ wait: { stopAfter: 0.2 } }, { atOnce: 1 }))).toEqual({
      counts: { completed: 16, dead: 4 },
    });
  });

  it('given storage fails sometimes, then each call is repeated a little later', async () => {
    const { deadLetterStores, redrive, through } = await withDeadLetters(20);
    const { read } = deadLetterStores.ledger;
    let reads = 0;
    Object.assign(deadLetterStores.ledger, {
      read: (address: string) => {
        reads += 1;
        return reads % 4 === 0 ? Promise.reject(new StorageError('http-503', 'No.')) : read(address);
      },
    });

    expect(await through(redrive())).toEqual({ counts: { asked: 20 } });
    expect(reads).toBe(26);
  });

  it('given storage always fails for one dead letter, then the failure is counted, and the run goes on', async () => {
    const { deadLetterStores, redrive, through } = await withDeadLetters(20);
    const { read } = deadLetterStores.ledger;
    let bad: string | undefined;
    let tries = 0;
    Object.assign(deadLetterStores.ledger, {
      read(address: string) {
        bad ??= address;
        if (address !== bad) return read(address);
        tries += 1;
        return Promise.reject(new StorageError('http-409', 'No.'));
      },
    });

    expect(await through(redrive())).toEqual({ counts: { asked: 19, failed: 1 }, errorCode: 'http-409' });
    expect(tries).toBe(4);
  });

  it('given storage rejects the request, then it is not repeated', async () => {
    const { deadLetterStores, redrive, through } = await withDeadLetters(1);
    let reads = 0;
    Object.assign(deadLetterStores.ledger, {
      read() {
        reads += 1;
        return Promise.reject(new StorageError('http-400', 'No.', { isRejected: true }));
      },
    });

    expect(await through(redrive())).toEqual({ counts: { failed: 1 }, errorCode: 'http-400' });
    expect(reads).toBe(1);
  });

  it('given storage is down, then it ends after ten failures in a row', async () => {
    const { deadLetterStores, redrive, through } = await withDeadLetters(30);
    Object.assign(deadLetterStores.ledger, { read: () => Promise.reject(new StorageError('unreachable', 'No.')) });

    expect(await through(redrive({}, { atOnce: 1 }))).toEqual({
      counts: { failed: 10 },
      errorCode: 'unreachable',
      stopped: 'storage',
    });
  });

  it('given a bug, then its error is thrown, and nothing more is redriven', async () => {
    const { deadLetterStores, redrive, through, rows } = await withDeadLetters(30);
    Object.assign(deadLetterStores.ledger, { read: () => Promise.reject(new TypeError('a bug')) });

    await expect(through(redrive())).rejects.toThrow('a bug');
    expect(rows()).toEqual([]);
  });

  it('given it is stopped before it begins, then nothing is redriven', async () => {
    const { redrive, rows } = await withDeadLetters(3);

    expect(await redrive({}, { signal: AbortSignal.abort() })).toEqual({ counts: {}, stopped: 'asked-to' });
    expect(rows()).toEqual([]);
  });
});

describe('when many dead letters are discarded', () => {
  it('given a filter, then the matching ones and no others are discarded', async () => {
    const { deadLetterStores, ids } = await withDeadLetters(5);

    const note = { by: 'me', why: 'of a test' };
    expect(
      await discardMany(
        deadLettersOf(deadLetterStores, { workflow: 'one' }),
        { ...note, isDryRun: true },
        { pace: PACE, stores: deadLetterStores },
      ),
    ).toEqual({
      counts: { discarded: 5 },
    });
    expect(
      await discardMany(deadLettersOf(deadLetterStores, { workflow: 'one' }), note, {
        pace: PACE,
        stores: deadLetterStores,
      }),
    ).toEqual({
      counts: { discarded: 5 },
    });

    expect(await ids({ workflow: 'one' })).toEqual([]);
    expect(await ids({ workflow: 'two' })).toHaveLength(5);
  });

  it('given ids of no dead letter, then they are counted as gone', async () => {
    const { deadLetterStores, deliver, ids } = openApp();
    await deliver({ id: 'none' }, rawFhirEvent());
    async function* each() {
      for (const id of [...(await ids({ stage: 'invalid' })), 'nonsense']) yield { id };
    }

    expect(await discardMany(each(), { by: 'me', why: 'x' }, { pace: PACE, stores: deadLetterStores })).toEqual({
      counts: { discarded: 1, gone: 1 },
    });
  });
});
