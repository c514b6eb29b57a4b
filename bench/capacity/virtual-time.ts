import type { Clock } from '../../src/clock.js';

/** Noon, so that no run passes midnight. */
const BEGINNING_MS = Date.UTC(2026, 2, 14, 12);

type Timer = { readonly atMs: number; readonly order: number; run: (() => void) | undefined };

/** Time that passes as fast as its events can be computed. The same events always happen in the same order. */
export class VirtualTime {
  /** Milliseconds since the beginning. */
  nowMs = 0;
  readonly #heap: Timer[] = [];
  #added = 0;

  now(): Date {
    return new Date(BEGINNING_MS + this.nowMs);
  }

  /** Calls `run` in `ms`; what is due at the same time runs in the order of the calls. The returned function cancels. */
  after(ms: number, run: () => void): () => void {
    this.#added += 1;
    const timer: Timer = { atMs: this.nowMs + Math.max(0, ms), order: this.#added, run };
    this.#push(timer);
    return () => {
      timer.run = undefined;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets time pass until `untilMs`, or until `isOver`. After each event all promises that it has settled go on. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    while (!isOver()) {
      const [first] = this.#heap;
      if (first === undefined || first.atMs > untilMs) {
        this.nowMs = untilMs;
        return;
      }
      this.#pop();
      if (first.run === undefined) continue;
      this.nowMs = first.atMs;
      first.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = heap[(at - 1) >> 1] as Timer;
      if (isBefore(parent, timer)) break;
      heap[at] = parent;
      at = (at - 1) >> 1;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Timer)) child += 1;
      if (isBefore(last, heap[child] as Timer)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
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
 * The thread of a Node process. As in Node, a turn of its event loop runs all that has arrived, one after the other, and
 * then what was asked for at the end of the turn; what arrives meanwhile waits for the next turn. Work takes its time
 * first, and has its effects then.
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
