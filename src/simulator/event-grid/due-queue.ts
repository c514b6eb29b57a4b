import type { Clock } from '../../clock.js';

/** A scaled clock rounds, so an item that is due this soon counts as due. */
const ROUNDING_MS = 0.001;

/** Items that become due, any number of them over one timer. */
export type DueQueue<T> = {
  readonly size: number;
  /** `atMs` on the monotonic clock. */
  add(atMs: number, item: T): void;
  clear(): void;
};

type Node<T> = { atMs: number; seq: number; item: T };

/** `whenDue` gets all items that are due, by their times; items of the same time in the order of `add`. */
export function createDueQueue<T>(clock: Clock, whenDue: (items: T[]) => void): DueQueue<T> {
  let heap: Node<T>[] = [];
  let seq = 0;
  let timer: { atMs: number; cancel: () => void } | undefined;

  return {
    get size() {
      return heap.length;
    },

    add(atMs, item) {
      seq += 1;
      push(heap, { atMs, seq, item });
      arm();
    },

    clear() {
      heap = [];
      timer?.cancel();
      timer = undefined;
    },
  };

  function arm(): void {
    const first = heap[0];
    if (!first || (timer && timer.atMs <= first.atMs)) return;
    timer?.cancel();
    timer = { atMs: first.atMs, cancel: clock.after(Math.max(0, first.atMs - clock.monotonic()), ring) };
  }

  function ring(): void {
    timer = undefined;
    const due = popUntil(heap, clock.monotonic() + ROUNDING_MS);
    arm();
    if (due.length > 0) whenDue(due);
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
