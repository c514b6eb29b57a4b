import type { Clock } from '../../clock.js';

/** A scaled clock rounds, so an item that is due this soon counts as due. */
const ROUNDING_MS = 0.001;

type Node<T> = { atMs: number; seq: number; item: T };

/** Items that become due, any number of them over one timer. */
export class DueQueue<T> {
  readonly #clock: Clock;
  readonly #whenDue: (items: T[]) => void;
  #heap: Node<T>[] = [];
  #seq = 0;
  #timer: { atMs: number; cancel: () => void } | undefined;

  /** `whenDue` gets all items that are due, by their times; items of the same time in the order of `add`. */
  constructor(clock: Clock, whenDue: (items: T[]) => void) {
    this.#clock = clock;
    this.#whenDue = whenDue;
  }

  /** `atMs` is a time of the monotonic clock. */
  add(atMs: number, item: T): void {
    this.#seq += 1;
    push(this.#heap, { atMs, seq: this.#seq, item });
    this.#arm();
  }

  clear(): void {
    this.#heap = [];
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const [first] = this.#heap;
    if (!first || (this.#timer && this.#timer.atMs <= first.atMs)) return;
    this.#timer?.cancel();
    const waitMs = Math.max(0, first.atMs - this.#clock.monotonic());
    this.#timer = { atMs: first.atMs, cancel: this.#clock.after(waitMs, () => this.#ring()) };
  }

  #ring(): void {
    this.#timer = undefined;
    const due = popUntil(this.#heap, this.#clock.monotonic() + ROUNDING_MS);
    this.#arm();
    if (due.length > 0) this.#whenDue(due);
  }
}

function popUntil<T>(heap: Node<T>[], untilMs: number): T[] {
  const due: T[] = [];
  for (let first = heap[0]; first && first.atMs <= untilMs; first = heap[0]) {
    pop(heap);
    due.push(first.item);
  }
  return due;
}

function push<T>(heap: Node<T>[], node: Node<T>): void {
  let at = heap.length;
  heap.push(node);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (!parent || isBefore(parent, node)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = node;
}

function pop<T>(heap: Node<T>[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const child = left && right && isBefore(right, left) ? right : left;
    if (!child || isBefore(last, child)) break;
    heap[at] = child;
    at = child === right ? 2 * at + 2 : 2 * at + 1;
  }
  heap[at] = last;
}

function isBefore<T>(a: Node<T>, b: Node<T>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);
}
