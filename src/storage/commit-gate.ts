import type { Clock } from '../clock.js';
import { StorageError } from './table-store.js';

const MIN_LIMIT = 8;
const MAX_LIMIT = 128;
const FIRST_LIMIT = 64;
/** A slower mean answer lowers the limit: a sixth of the 3 s of a storage call, so that few calls time out. */
const SLOW_MS = 500;
/** A faster mean answer raises the limit. */
const FAST_MS = 250;
const CHECK_EVERY_MS = 1000;
/** A larger part of failed answers lowers the limit. A single failure is no sign of load. */
const MAX_FAILED_PART = 0.05;
const DECREASE = 0.7;
const INCREASE = 1.125;

/**
 * C10: limits the transactions that a process has on their way to as many as storage answers within half a second. More
 * would not be answered sooner, and would time out. While a transaction waits here, the time limit of its call does not
 * run, and more writes gather for it.
 */
export class CommitGate {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly #queue = new Set<() => void>();
  #max = FIRST_LIMIT;
  #underWay = 0;
  /** The answers since the limit was last decided. */
  #answers = { count: 0, sumMs: 0, failures: 0, wasFull: false };

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>) {
    this.#clock = clock;
  }

  get max(): number {
    return this.#max;
  }

  /**
   * Returns true, or resolves to true, when a transaction may be sent. Then the caller calls `send` or `leave`.
   * Resolves to false when `isWanted`, which is called every second, returns false.
   */
  enter(isWanted: () => boolean): true | Promise<boolean> {
    if (this.#underWay < this.#max) {
      this.#underWay += 1;
      return true;
    }
    this.#answers.wasFull = true;
    return new Promise((resolve) => {
      const next = () => {
        cancel();
        resolve(true);
      };
      const check = () => {
        if (isWanted()) cancel = this.#clock.after(CHECK_EVERY_MS, check);
        else if (this.#queue.delete(next)) resolve(false);
      };
      let cancel = this.#clock.after(CHECK_EVERY_MS, check);
      this.#queue.add(next);
    });
  }

  /** Makes room for the next transaction. */
  leave(): void {
    this.#underWay -= 1;
    for (const next of this.#queue) {
      if (this.#underWay >= this.#max) return;
      this.#queue.delete(next);
      this.#underWay += 1;
      next();
    }
  }

  /** Sends a transaction, and leaves. */
  async send<T>(transaction: () => Promise<T>): Promise<T> {
    const sentAtMs = this.#clock.monotonic();
    try {
      return await transaction();
    } catch (error) {
      if (!(error instanceof StorageError && error.isRejected)) this.#answers.failures += 1;
      throw error;
    } finally {
      this.#note(this.#clock.monotonic() - sentAtMs);
      this.leave();
    }
  }

  /** Decides the limit anew whenever as many transactions were answered as it allows. */
  #note(tookMs: number): void {
    this.#answers.count += 1;
    this.#answers.sumMs += tookMs;
    const { count, sumMs, failures, wasFull } = this.#answers;
    if (count < this.#max) return;
    const meanMs = sumMs / count;
    if (failures > count * MAX_FAILED_PART || meanMs > SLOW_MS)
      this.#max = Math.max(MIN_LIMIT, Math.floor(this.#max * DECREASE));
    else if (wasFull && meanMs < FAST_MS) this.#max = Math.min(MAX_LIMIT, Math.ceil(this.#max * INCREASE));
    this.#answers = { count: 0, sumMs: 0, failures: 0, wasFull: false };
  }
}
