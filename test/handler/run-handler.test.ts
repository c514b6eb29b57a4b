import { type AbortReason, Cancellation, type HandlerResult, runHandler } from '../../src/handler/run-handler.js';
import { createFakeClock, type FakeClock, fhirEvent } from '../../src/testing/index.js';
import { type Context, defineWorkflow, fhir, type HealthEvent, seconds, type Workflow } from '../../src/workflow.js';
import { allThatFollows } from '../pipeline/memory-app.js';
import { createTestClock } from '../storage/test-clock.js';

/** Starts a handler with a timeout of 10 s; `result` is 'open' until it ends. */
function start<C extends FakeClock>(handle: Workflow['handle'], clock = createFakeClock() as C) {
  const cancellation = new Cancellation();
  const event = fhirEvent();
  const context = {
    get signal() {
      return cancellation.signal;
    },
  } as Context<HealthEvent, string>;
  const seen = {
    clock,
    cancellation,
    result: 'open' as 'open' | HandlerResult,
    isSync: false,
    storageWaitMs: () => 0,
    watched: 0,
    unwatched: 0,
    abort: (_reason: AbortReason) => {},
  };
  const pendingChanges = { ended: () => undefined, waitedMs: () => seen.storageWaitMs() };
  const workflow = defineWorkflow({ name: 'some', on: fhir('*'), timeout: seconds(10), handle: handle as () => void });
  const result = runHandler(
    { workflow, event, context, cancellation, pendingChanges },
    {
      clock,
      watch(abort) {
        seen.watched += 1;
        seen.abort = abort;
        return () => {
          seen.unwatched += 1;
        };
      },
    },
  );
  if (result instanceof Promise) {
    void result.then((value) => {
      seen.result = value;
    });
  } else Object.assign(seen, { result, isSync: true });
  return seen;
}

/** Starts a handler that the test ends. */
function startOpen<C extends FakeClock>(clock = createFakeClock() as C) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let signal: AbortSignal | undefined;
  const seen = start((_event, context) => {
    signal = context.signal;
    return promise;
  }, clock);
  return Object.assign(seen, { resolve, reject, signal: signal as AbortSignal });
}

const ERROR = new Error('no');

describe('when a handler ends', () => {
  it.each([
    { given: 'it returns', handle: () => {}, then: { kind: 'ok' } },
    { given: 'it returns something else', handle: () => 42 as never, then: { kind: 'ok' } },
    { given: 'it returns null', handle: () => null as never, then: { kind: 'ok' } },
    {
      given: 'it throws',
      handle: () => {
        throw ERROR;
      },
      then: { kind: 'threw', error: ERROR },
    },
  ])('given $given, then the result is returned at once, without a watch', ({ handle, then }) => {
    expect(start(handle)).toMatchObject({ result: then, isSync: true, watched: 0 });
  });

  it.each([
    { given: 'it resolves', handle: () => Promise.resolve(), then: { kind: 'ok' } },
    {
      given: 'it is a promise of its own kind',
      handle: () => ({ then: (resolve: () => void) => resolve() }) as Promise<void>,
      then: { kind: 'ok' },
    },
    { given: 'it rejects', handle: () => Promise.reject(ERROR), then: { kind: 'threw', error: ERROR } },
    { given: 'it rejects with nothing', handle: () => Promise.reject(), then: { kind: 'threw', error: undefined } },
  ])('given $given, then a promise returns the result, with a watch until then', async ({ handle, then }) => {
    const seen = start(handle);
    const atFirst = seen.result;

    await allThatFollows();

    expect(atFirst).toBe('open');
    expect(seen).toMatchObject({ result: then, isSync: false, watched: 1, unwatched: 1 });
    expect(seen.cancellation.signal.aborted).toBe(false);
  });

  it('given its timeout passes afterwards, then nothing is aborted', async () => {
    const seen = startOpen();
    seen.resolve();
    await allThatFollows();

    seen.clock.advance(1_000_000);
    await allThatFollows();

    expect(seen.signal.aborted).toBe(false);
    expect(seen).toMatchObject({ result: { kind: 'ok' }, unwatched: 1 });
  });
});

describe('when its time is over', () => {
  it.each([1000, 10_000, 12_000])('given the handler ends at %i ms, then no timer is left', async (atMs) => {
    const seen = startOpen(createTestClock());
    seen.clock.advance(atMs);

    seen.reject(ERROR);
    await allThatFollows();

    expect(seen.clock.timers).toBe(0);
  });

  it('given calls to storage take part of it, then the handler has as much more time', () => {
    const seen = startOpen();
    seen.clock.advance(4000);
    seen.storageWaitMs = () => seen.clock.monotonic() - 4000; // under way since then

    seen.clock.advance(60_000);
    const during = seen.signal.aborted;
    seen.storageWaitMs = () => 60_000; // it has answered
    seen.clock.advance(5900);
    const before = seen.signal.aborted;
    seen.clock.advance(200);

    expect([during, before, seen.signal.aborted]).toEqual([false, false, true]);
  });

  it('given calls to storage take over 5 minutes, then the time after that counts', () => {
    const seen = startOpen();
    seen.storageWaitMs = () => seen.clock.monotonic();

    seen.clock.advance(5 * 60_000 + 9_900);
    const before = seen.signal.aborted;
    seen.clock.advance(200);

    expect([before, seen.signal.aborted]).toEqual([false, true]);
  });

  it('given 9999 ms have passed, then the handler is not aborted yet', () => {
    const seen = startOpen();

    seen.clock.advance(9999);

    expect(seen.signal.aborted).toBe(false);
  });

  it.each([
    { given: 'it ends well', end: 'resolve', then: { kind: 'ok' } },
    { given: 'it throws', end: 'reject', then: { kind: 'timeout' } },
  ] as const)('given $given within 60 s of the signal, then the result is $then.kind', async ({ end, then }) => {
    const seen = startOpen();
    seen.clock.advance(10_000);
    const { aborted, reason } = seen.signal;
    seen.clock.advance(59_999);
    await allThatFollows();
    const before = seen.result;

    seen[end](ERROR as never);
    await allThatFollows();

    expect([aborted, String(reason)]).toEqual([true, 'Error: aborted: timeout']);
    expect(before).toBe('open');
    expect(seen).toMatchObject({ result: then, unwatched: 1 });
  });

  it('given the handler has not ended 60 s after the signal, then its result is hung, whatever it does later', async () => {
    const seen = startOpen();

    seen.clock.advance(70_000);
    await allThatFollows();
    seen.resolve();
    await allThatFollows();

    expect(seen.result).toEqual({ kind: 'hung' });
  });
});

describe('when it is aborted', () => {
  it.each([
    { reason: 'lost', graceMs: 0, end: 'resolve', then: 'lost' },
    { reason: 'lost', graceMs: 0, end: 'reject', then: 'lost' },
    { reason: 'stopped', graceMs: 399, end: 'resolve', then: 'ok' },
    { reason: 'stopped', graceMs: 399, end: 'reject', then: 'stopped' },
    { reason: 'timeout', graceMs: 59_999, end: 'reject', then: 'timeout' },
  ] as const)('given $reason, and it does $end within the grace period, then the result is $then', async (row) => {
    const seen = startOpen();

    seen.abort(row.reason);
    if (row.graceMs > 0) seen.clock.advance(row.graceMs);
    seen[row.end](ERROR as never);
    await allThatFollows();

    expect(seen.signal.aborted).toBe(true);
    expect(seen).toMatchObject({ result: { kind: row.then }, unwatched: 1 });
  });

  it.each([
    { reason: 'lost', graceMs: 0, then: 'lost' },
    { reason: 'stopped', graceMs: 400, then: 'stopped' },
    { reason: 'timeout', graceMs: 60_000, then: 'hung' },
  ] as const)(
    'given $reason, and it has not ended $graceMs ms later, then the result is $then',
    async ({ reason, graceMs, then }) => {
      const seen = startOpen();
      seen.abort(reason);
      await allThatFollows();
      seen.clock.advance(Math.max(0, graceMs - 1));
      await allThatFollows();
      const before = seen.result;

      seen.clock.advance(1);
      await allThatFollows();

      if (graceMs > 0) expect(before).toBe('open');
      expect(seen).toMatchObject({ result: { kind: then }, unwatched: 1 });
    },
  );

  it('given a second reason, then the signal has the first one, and the grace period is not longer', async () => {
    const seen = startOpen();
    seen.abort('stopped');
    seen.clock.advance(2000);

    seen.abort('timeout');
    seen.clock.advance(1000);
    await allThatFollows();

    expect(String(seen.signal.reason)).toBe('Error: aborted: stopped');
    expect(seen.result).toEqual({ kind: 'stopped' });
  });

  it.each<{ second: AbortReason; afterMs: number; then: HandlerResult['kind'] }>([
    { second: 'stopped', afterMs: 3000, then: 'hung' },
    { second: 'lost', afterMs: 0, then: 'lost' },
  ])(
    'given its time was over, and then it is $second, then the grace period ends sooner',
    async ({ second, afterMs, then }) => {
      const seen = startOpen();
      seen.abort('timeout');
      seen.clock.advance(2000);

      seen.abort(second);
      seen.clock.advance(afterMs);
      await allThatFollows();

      expect(seen.result).toEqual({ kind: then });
    },
  );

  it('given the handler has ended before, then its result stays', async () => {
    const seen = startOpen();
    seen.reject(ERROR);
    await allThatFollows();

    seen.abort('lost');
    seen.clock.advance(100_000);
    await allThatFollows();

    expect(seen.result).toEqual({ kind: 'threw', error: ERROR });
  });
});

describe('when a signal is asked for', () => {
  it('given no use of the signal before the abort, then it is aborted already, with the first reason', () => {
    const cancellation = new Cancellation();
    cancellation.abort('timeout');
    cancellation.abort('lost');

    expect(cancellation.signal.aborted).toBe(true);
    expect(String(cancellation.signal.reason)).toBe('Error: aborted: timeout');
  });

  it('given a use of the signal before the abort, then it is the same signal, and its listeners are called once', () => {
    const cancellation = new Cancellation();
    const { signal } = cancellation;
    let heard = 0;
    signal.addEventListener('abort', () => {
      heard += 1;
    });

    cancellation.abort('stopped');
    cancellation.abort('lost');

    expect(cancellation.signal).toBe(signal);
    expect(heard).toBe(1);
    expect(String(signal.reason)).toBe('Error: aborted: stopped');
  });

  it('given no use of the signal, then none is made', () => {
    const Real = AbortController;
    const made = jest.spyOn(globalThis, 'AbortController').mockImplementation(() => new Real());

    const seen = start(() => {});
    start(() => new Promise(() => {})).abort('timeout');
    const before = made.mock.calls.length;
    void seen.cancellation.signal;
    const after = made.mock.calls.length;
    made.mockRestore();

    expect([before, after]).toEqual([0, 1]);
  });
});
