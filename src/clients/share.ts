import type { Clock } from '../clock.js';
import { ReadError } from './read-error.js';

/**
 * Reads once for all who want the same about the same event object: its workflows in one delivery. Nothing is
 * remembered beyond the event itself, so it goes when its last job has.
 */
export type Share = <T>(
  what: { event: object; name: string; signal: AbortSignal },
  read: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** How old an answer may be. A long handler that asks again wants to know what is there now. */
const FRESH_MS = 20_000;

type Shared = {
  readonly promise: Promise<unknown>;
  readonly controller: AbortController;
  readonly startedAtMs: number;
  waiting: number;
  isOver: boolean;
};

// A shared read       begins with the first who asks. Those who ask within 20 s of its beginning join; later ones read
//                     anew, also while it is still under way.
//                     ends with its answer, or when the last who waits for it has aborted.
//                     is forgotten when it fails: who asks next tries again.
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
  return new ReadError('read-aborted', 'Nobody waits for this read any longer.');
}
