import type { Clock } from '../clock.js';

/**
 * What this process holds under a lease: a job's record, or a resource's watermark.
 *
 *   claimed            heldUntilMs - 5 s         heldUntilMs                       + 2 s, by storage's clock
 *      |-- work, renewed at a third --|-- only settling --|-- nobody may write --|-- others take over --
 *
 * Held is counted on our own monotonic clock from before the write was first sent; storage counts from when it took
 * effect, which is later. Every write is conditional on the one before, so who has lost the lease writes nothing.
 * Writes are made one after the other. Once one is lost, or its outcome stays unknown until the lease has lapsed,
 * the hold is over.
 */
export type Hold<T> = {
  readonly value: T;
  /** On the monotonic clock. */
  readonly heldUntilMs: number;
  readonly isOver: boolean;
  /** Whether something may still be started, or written to a table of the workflow, under this lease. */
  mayStart(): boolean;
  /** `lost`: somebody else has it. Throws a StorageError when the outcome is unknown and the lease has lapsed. */
  update(next: (value: T) => T, options?: { untilMs?: number }): Promise<'written' | 'lost'>;
  /** Renews until the function it returns is called; `onLost` is called at most once, when the hold is over. */
  keep(onLost: () => void): () => void;
};

/** `write` rises with every write, so that its writer recognises it. */
type Numbered = { readonly write: number };

export type HoldWrite<T> = (
  value: T,
  how: { etag: string; untilMs: number },
) => Promise<{ kind: 'written'; etag: string } | { kind: 'conflict' | 'table-busy' }>;

/** In the last of a lease nothing is started and nothing written to the workflow's tables. */
export const LAST_OF_LEASE_MS = 5000;

export function createHold<T extends Numbered>(
  held: { value: T; etag: string; sentAtMs: number; leaseMs: number },
  deps: { clock: Clock; write: HoldWrite<T> },
): Hold<T> {
  const { clock, write } = deps;
  const { leaseMs } = held;
  let { value, etag } = held;
  let heldUntilMs = held.sentAtMs + leaseMs;
  let isOver = false;
  let last: Promise<unknown> | undefined;

  const hold: Hold<T> = {
    get value() {
      return value;
    },
    get heldUntilMs() {
      return heldUntilMs;
    },
    get isOver() {
      return isOver;
    },
    mayStart: () => !isOver && clock.monotonic() < heldUntilMs - LAST_OF_LEASE_MS,
    async update(next, options) {
      const before = last;
      const mine = before ? before.then(() => send(next, options)) : send(next, options);
      last = mine.catch(() => undefined);
      return mine;
    },
    keep(onLost) {
      let cancel = clock.after(leaseMs / 3, renew);
      let isKept = true;
      return () => {
        isKept = false;
        cancel();
      };
      function renew() {
        hold
          .update((same) => same, { untilMs: heldUntilMs - LAST_OF_LEASE_MS })
          .then(
            (outcome) => {
              if (!isKept) return;
              if (outcome === 'lost') onLost();
              else cancel = clock.after(leaseMs / 3, renew);
            },
            () => isKept && onLost(),
          );
      }
    },
  };
  return hold;

  async function send(next: (value: T) => T, options?: { untilMs?: number }): Promise<'written' | 'lost'> {
    if (isOver) return 'lost';
    const wanted = { ...next(value), write: value.write + 1 };
    const sentAtMs = clock.monotonic();
    try {
      const written = await write(wanted, { etag, untilMs: options?.untilMs ?? heldUntilMs });
      if (written.kind === 'written') {
        value = wanted;
        etag = written.etag;
        heldUntilMs = sentAtMs + leaseMs;
        return 'written';
      }
    } catch (error) {
      isOver = true;
      throw error;
    }
    isOver = true;
    return 'lost';
  }
}
