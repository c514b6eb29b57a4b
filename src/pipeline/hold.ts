import type { Clock } from '../clock.js';
import { LAST_OF_LEASE_MS } from '../handler/lease.js';
import type { WrittenOver } from '../storage/group-commit.js';

/**
 * A lease that this process holds: of a job's record, or of a resource's watermark.
 *
 *   claimed            heldUntilMs - 5 s            heldUntilMs                + 2 s, by storage's clock
 *      |-- work, renewed at a third --|-- only settling --|-- nobody may write --|-- others take over --
 *
 * J7: the holder counts its lease on its monotonic clock, from before the write was first sent. Storage counts from the
 *     moment when the write took effect, which is later. So the holder stops before others take over.
 * J2: every write is conditional on the write before, so a former holder writes nothing.
 *
 * Writes follow one another. The hold is over when a write is lost, or its outcome is still unknown at its `untilMs`.
 */
export type Hold<T extends Numbered> = Readonly<LeasedHold<T>>;

/** `write` rises with every write, so that the writer recognises its own write (C5). */
type Numbered = { readonly write: number };

/** Writes `value` over the version `etag`. An unknown outcome is thrown at `untilMs`, on the monotonic clock. */
export type HoldWrite<T> = (value: T, how: { etag: string; untilMs: number }) => Promise<WrittenOver<unknown>>;

/** The value that was written to get the lease. `sentAtMs`: the time before that, on the monotonic clock. */
export type Held<T> = { value: T; etag: string; sentAtMs: number; leaseMs: number };

type HoldDeps<T> = { readonly clock: Clock; readonly write: HoldWrite<T> };

/** A class, because each job has a hold, and the methods of a class are made once. */
export class LeasedHold<T extends Numbered> {
  value: T;
  etag: string;
  /** The end of the lease, on the monotonic clock. */
  heldUntilMs: number;
  isOver = false;
  readonly #leaseMs: number;
  readonly #deps: HoldDeps<T>;
  /** The write that is under way; the next one follows it. */
  #last: Promise<unknown> | undefined;

  constructor({ value, etag, sentAtMs, leaseMs }: Held<T>, deps: HoldDeps<T>) {
    this.value = value;
    this.heldUntilMs = sentAtMs + leaseMs;
    this.etag = etag;
    this.#leaseMs = leaseMs;
    this.#deps = deps;
  }

  /** J6: returns whether a handler may still start, or write to a table of the workflow, under this lease. */
  mayStart(): boolean {
    return !this.isOver && this.#deps.clock.monotonic() < this.heldUntilMs - LAST_OF_LEASE_MS;
  }

  /** Writes the changed value. `lost`: another process has the lease. Throws if the outcome is unknown at `untilMs`. */
  update(next: (value: T) => T, options?: { untilMs?: number }): Promise<'written' | 'lost'> {
    const send = () => this.#send(next, options?.untilMs);
    const written = this.#last ? this.#last.then(send, send) : send();
    this.#last = written;
    return written;
  }

  /** Renews the lease until the returned function is called. Calls `onLost`, at most once, when the hold is over. */
  keep(onLost: () => void): () => void {
    let isKept = true;
    const renew = () => {
      this.update((same) => same, { untilMs: this.heldUntilMs - LAST_OF_LEASE_MS }).then(
        (outcome) => {
          if (!isKept) return;
          if (outcome === 'lost') onLost();
          else cancel = this.#deps.clock.after(this.#renewInMs(), renew);
        },
        () => isKept && onLost(),
      );
    };
    let cancel = this.#deps.clock.after(this.#renewInMs(), renew);
    return () => {
      isKept = false;
      cancel();
    };
  }

  /** J7: returns a third of the lease; less if a slow claim has used up much of it. */
  #renewInMs(): number {
    const leftMs = this.heldUntilMs - LAST_OF_LEASE_MS - this.#deps.clock.monotonic();
    return Math.max(0, Math.min(this.#leaseMs / 3, leftMs - this.#leaseMs / 6));
  }

  async #send(next: (value: T) => T, untilMs = this.heldUntilMs): Promise<'written' | 'lost'> {
    if (this.isOver) return 'lost';
    const wanted = { ...next(this.value), write: this.value.write + 1 };
    const sentAtMs = this.#deps.clock.monotonic();
    try {
      const written = await this.#deps.write(wanted, { etag: this.etag, untilMs });
      if (written.kind === 'written') {
        this.value = wanted;
        this.etag = written.etag;
        this.heldUntilMs = sentAtMs + this.#leaseMs;
        return 'written';
      }
    } catch (error) {
      this.isOver = true;
      throw error;
    }
    this.isOver = true;
    return 'lost';
  }
}
