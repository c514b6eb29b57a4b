import { type Clock, endEarly, onAbort } from '../clock.js';
import { ReadError } from './read-error.js';

/** Shares a read of this name among the workflows of one event object. The results are kept as long as that object. */
export type Share = <T>(
  shared: { event: object; name: string; signal: AbortSignal },
  read: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** The maximum age of a shared answer. A long handler that reads again needs the current state. */
const FRESH_MS = 20_000;

type Shared = {
  readonly promise: Promise<unknown>;
  readonly controller: AbortController;
  readonly startedAtMs: number;
  /** Callers that have not aborted. */
  callers: number;
};

/**
 * Returns a Share. `onShared` is called for each read that needs no request of its own.
 *
 * A shared read starts with its first caller. Callers within 20 s of its start join. Later callers start a new read, even
 * while the old one runs. A read ends with its answer, or when its last caller has aborted. A failed read is not shared:
 * the next caller starts a new one.
 */
export function createShare({ clock, onShared }: { clock: Clock; onShared: () => void }): Share {
  const reads = new WeakMap<object, Map<string, Shared>>();

  return ({ event, name, signal }, read) => {
    if (signal.aborted) return Promise.reject(aborted());
    const ofEvent = reads.get(event) ?? new Map<string, Shared>();
    reads.set(event, ofEvent);
    const known = ofEvent.get(name);
    const isFresh = known !== undefined && clock.monotonic() - known.startedAtMs <= FRESH_MS;
    const shared = isFresh ? known : begin(read);
    const forget = () => void (ofEvent.get(name) === shared && ofEvent.delete(name));
    if (isFresh) onShared();
    else shared.promise.catch(forget);
    ofEvent.set(name, shared);
    shared.callers += 1;
    const leave = () => {
      shared.callers -= 1;
      if (shared.callers === 0) {
        forget();
        shared.controller.abort();
      }
      return Promise.reject(aborted());
    };
    return endEarly(() => shared.promise, [onAbort(signal, leave)]) as Promise<never>;
  };

  function begin(read: (signal: AbortSignal) => Promise<unknown>): Shared {
    const controller = new AbortController();
    return { promise: read(controller.signal), controller, startedAtMs: clock.monotonic(), callers: 0 };
  }
}

function aborted(): ReadError {
  return new ReadError('read-aborted', 'The read was aborted: no caller waits for it.');
}
