import type { Clock } from '../../src/clock.js';
import { DueHeap } from '../../src/simulator/event-grid/due-queue.js';

/** Noon, so that no run passes midnight. */
const BEGINNING_MS = Date.UTC(2026, 2, 14, 12);

/** `run` is undefined after the timer was cancelled. */
type Timer = { run: (() => void) | undefined };

/** Time that passes as fast as its events can be computed. The same events always happen in the same order. */
export class VirtualTime {
  /** Milliseconds since the beginning. */
  nowMs = 0;
  readonly #timers = new DueHeap<Timer>();

  now(): Date {
    return new Date(BEGINNING_MS + this.nowMs);
  }

  /** Calls `run` after `ms`. Timers of the same time run in the order of the calls. The returned function cancels. */
  after(ms: number, run: () => void): () => void {
    const timer: Timer = { run };
    this.#timers.push(this.nowMs + Math.max(0, ms), timer);
    return () => {
      timer.run = undefined;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets time pass until `untilMs`, or until `isOver`. After each timer, all promises that it has settled continue. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    while (!isOver()) {
      const { first } = this.#timers;
      if (first === undefined || first.atMs > untilMs) {
        this.nowMs = untilMs;
        return;
      }
      this.#timers.pop();
      const { run } = first.item;
      if (run === undefined) continue;
      this.nowMs = first.atMs;
      run();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** The clock of a part of the world that uses no CPU of the app. */
export function clockOf(time: VirtualTime): Clock {
  return {
    now: () => time.now(),
    monotonic: () => time.nowMs,
    after: (ms, run) => time.after(ms, run),
    endOfTurn: (run) => void time.after(0, run),
  };
}

/**
 * The thread of a Node process. As in Node, a turn of its event loop runs the work that has arrived, one piece after the
 * other, and then the callbacks of `endOfTurn`. Work that arrives meanwhile waits for the next turn. Each piece of work
 * takes its time first, and has its effects then.
 */
export class Thread {
  /** The time at work so far. */
  busyMs = 0;
  readonly clock: Clock;
  readonly #time: VirtualTime;
  #arrived: { ms: number; run: () => void }[] = [];
  #ends: (() => void)[] = [];
  #isAtWork = false;

  constructor(time: VirtualTime) {
    this.#time = time;
    this.clock = {
      ...clockOf(time),
      after: (ms, run) => this.#timer(ms, run),
      endOfTurn: (run) => {
        this.#ends.push(run);
        this.#work();
      },
    };
  }

  /** Calls `run` after the work of `ms`. */
  arrive(ms: number, run: () => void): void {
    this.#arrived.push({ ms, run });
    this.#work();
  }

  #timer(ms: number, run: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#time.after(ms, () => this.arrive(0, () => void (isCancelled || run())));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  #work(): void {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    let turnMs = 0;
    for (const { ms, run } of this.#arrived.splice(0)) {
      turnMs += ms;
      this.#time.after(turnMs, run);
    }
    this.busyMs += turnMs;
    this.#time.after(turnMs, () => this.#end());
  }

  #end(): void {
    for (const run of this.#ends.splice(0)) run();
    this.#isAtWork = false;
    if (this.#arrived.length > 0 || this.#ends.length > 0) this.#work();
  }
}
