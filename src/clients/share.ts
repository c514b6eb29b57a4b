import type { Clock } from '../clock.js';
import { ReadError } from './read-error.js';

/**
 * Reads once for all workflows that read the same thing of one event object in one delivery. The results are kept with the
 * event object, and go with it.
 */
export type Share = <T>(
  what: { event: object; name: string; signal: AbortSignal },
  read: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** The maximum age of a shared answer. A long handler that reads again needs the current state. */
const FRESH_MS = 20_000;

type Shared = {
  readonly promise: Promise<unknown>;
  readonly controller: AbortController;
  readonly startedAtMs: number;
  waiting: number;
  isOver: boolean;
};

// A shared read starts with its first caller. Callers within 20 s of its start join. Later callers start a new read, even
// while the old one runs. It ends with its answer, or when its last caller has aborted. A failed read is not kept: the
// next caller tries again.
export function createShare({ clock, onShared }: { clock: Clock; onShared: () => void }): Share {
  const reads = new WeakMap<object, Map<string, Shared>>();

  return <T>(
    { event, name, signal }: { event: object; name: string; signal: AbortSignal },
    read: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    if (signal.aborted) return Promise.reject(aborted());
    const ofEvent = reads.get(event) ?? new Map<string, Shared>();
    reads.set(event, ofEvent);
    const known = ofEvent.get(name);
    const isFresh = known !== undefined && clock.monotonic() - known.startedAtMs <= FRESH_MS;
    if (isFresh) onShared();
    const shared = isFresh ? known : begin(ofEvent, name, read);
    return join(shared, signal, () => forget(ofEvent, name, shared)) as Promise<T>;
  };

  function begin(ofEvent: Map<string, Shared>, name: string, read: (signal: AbortSignal) => Promise<unknown>): Shared {
    const controller = new AbortController();
    const promise = read(controller.signal);
    const shared = { promise, controller, startedAtMs: clock.monotonic(), waiting: 0, isOver: false };
    ofEvent.set(name, shared);
    promise.then(
      () => {
        shared.isOver = true;
      },
      () => {
        shared.isOver = true;
        forget(ofEvent, name, shared);
      },
    );
    return shared;
  }

  function forget(ofEvent: Map<string, Shared>, name: string, shared: Shared): void {
    if (ofEvent.get(name) === shared) ofEvent.delete(name);
  }

  function join(shared: Shared, signal: AbortSignal, forgetIt: () => void): Promise<unknown> {
    shared.waiting += 1;
    return new Promise((resolve, reject) => {
      let isWaiting = true;
      const leave = () => {
        if (isWaiting) shared.waiting -= 1;
        isWaiting = false;
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        leave();
        if (shared.waiting === 0 && !shared.isOver) {
          forgetIt();
          shared.controller.abort();
        }
        reject(aborted());
      };
      signal.addEventListener('abort', onAbort);
      shared.promise.then(resolve, reject).finally(leave);
    });
  }
}

function aborted(): ReadError {
  return new ReadError('read-aborted', 'The read was aborted: no caller waits for it.');
}
