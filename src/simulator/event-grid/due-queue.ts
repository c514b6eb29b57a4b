import type { Clock } from '../../clock.js';

/** A scaled clock rounds, so an item that is due this soon counts as due. */
const ROUNDING_MS = 0.001;

/** Items that become due, any number of them over one timer. */
export class DueQueue<T> {
  readonly #clock: Clock;
  readonly #whenDue: (items: T[]) => void;
  #heap = new DueHeap<T>();
  #timer: { atMs: number; cancel: () => void } | undefined;

  /** `whenDue` gets all items that are due, by their times; items of the same time in the order of `add`. */
  constructor(clock: Clock, whenDue: (items: T[]) => void) {
    this.#clock = clock;
    this.#whenDue = whenDue;
  }

  /** `atMs` is a time of the monotonic clock. */
  add(atMs: number, item: T): void {
    this.#heap.push(atMs, item);
    this.#arm();
  }

  clear(): void {
    this.#heap = new DueHeap();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const { first } = this.#heap;
    if (!first || (this.#timer && this.#timer.atMs <= first.atMs)) return;
    this.#timer?.cancel();
    const waitMs = Math.max(0, first.atMs - this.#clock.monotonic());
    this.#timer = { atMs: first.atMs, cancel: this.#clock.after(waitMs, () => this.#ring()) };
  }

  #ring(): void {
    this.#timer = undefined;
    const untilMs = this.#clock.monotonic() + ROUNDING_MS;
    const due: T[] = [];
    for (let { first } = this.#heap; first && first.atMs <= untilMs; { first } = this.#heap) {
      this.#heap.pop();
      due.push(first.item);
    }
    this.#arm();
    if (due.length > 0) this.#whenDue(due);
  }
}

type Node<T> = { readonly atMs: number; readonly order: number; readonly item: T };

/** A binary heap of items by their times; items of the same time are in the order of `push`. */
export class DueHeap<T> {
  readonly #nodes: Node<T>[] = [];
  #pushed = 0;

  /** The item with the earliest time. */
  get first(): Pick<Node<T>, 'atMs' | 'item'> | undefined {
    return this.#nodes[0];
  }

  push(atMs: number, item: T): void {
    const nodes = this.#nodes;
    this.#pushed += 1;
    const node = { atMs, order: this.#pushed, item };
    let at = nodes.length;
    while (at > 0) {
      const parent = nodes[(at - 1) >> 1] as Node<T>;
      if (isBefore(parent, node)) break;
      nodes[at] = parent;
      at = (at - 1) >> 1;
    }
    nodes[at] = node;
  }

  /** Removes `first`. */
  pop(): void {
    const nodes = this.#nodes;
    const last = nodes.pop();
    if (!last || nodes.length === 0) return;
    let at = 0;
    for (let child = 1; child < nodes.length; child = 2 * at + 1) {
      const right = nodes[child + 1];
      if (right && isBefore(right, nodes[child] as Node<T>)) child += 1;
      if (isBefore(last, nodes[child] as Node<T>)) break;
      nodes[at] = nodes[child] as Node<T>;
      at = child;
    }
    nodes[at] = last;
  }
}

function isBefore<T>(a: Node<T>, b: Node<T>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
