import type { Clock } from '../clock.js';
import { StorageError } from './table-store.js';

const MIN = 8;
const MAX = 128;
const AT_FIRST = 64;
/** A storage call may take 3 s: with answers in a sixth of that, few calls time out. */
const SLOW_MS = 500;
const FAST_MS = 250;
const LOOK_EVERY_MS = 1000;
/** A single failure says little. */
const MAX_FAILING = 0.05;
const DECREASE = 0.7;
const INCREASE = 1.125;

/**
 * C10: limits the transactions that a process has on their way: to as many as storage answers within half a second. More would
 * not be answered sooner, and would time out. What waits here is not sent yet: it has no time limit of a call, and more
 * writes gather for its transaction.
 */
export class CommitGate {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly #queue = new Set<() => void>();
  #max = AT_FIRST;
  #underWay = 0;
  /** Since the limit was decided on. */
  #answers = { count: 0, sumMs: 0, failures: 0, wasFull: false };

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>) {
    this.#clock = clock;
  }

  get max(): number {
    return this.#max;
  }

  /**
   * True when a transaction may be sent: `send` or `leave` follows. False as soon as `isWanted`, which is called every second
   * meanwhile, returns false.
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
      const look = () => {
        if (isWanted()) cancel = this.#clock.after(LOOK_EVERY_MS, look);
        else if (this.#queue.delete(next)) resolve(false);
      };
      let cancel = this.#clock.after(LOOK_EVERY_MS, look);
      this.#queue.add(next);
    });
  }

  leave(): void {
    this.#underWay -= 1;
    for (const next of this.#queue) {
      if (this.#underWay >= this.#max) return;
      this.#queue.delete(next);
      this.#underWay += 1;
      next();
    }
  }

  /** Sends, and leaves. */
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

  /** Decides once in a round trip: as soon as as many transactions as the limit allows were answered. */
  #note(tookMs: number): void {
    this.#answers.count += 1;
    this.#answers.sumMs += tookMs;
    const { count, sumMs, failures, wasFull } = this.#answers;
    if (count < this.#max) return;
    const meanMs = sumMs / count;
    if (failures > count * MAX_FAILING || meanMs > SLOW_MS) this.#max = Math.max(MIN, Math.floor(this.#max * DECREASE));
    else if (wasFull && meanMs < FAST_MS) this.#max = Math.min(MAX, Math.ceil(this.#max * INCREASE));
    this.#answers = { count: 0, sumMs: 0, failures: 0, wasFull: false };
  }
}
