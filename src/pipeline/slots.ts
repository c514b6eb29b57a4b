type Queueing<Taker> = {
  /** Returns whether `a` goes before `b`. Without this function, takers go in the order of arrival. */
  isBefore?: (a: Taker, b: Taker) => boolean;
  /** J11: returns whether the taker waits in the second queue. Free slots go to both queues in turn. */
  isSecond?: (taker: Taker) => boolean;
};

type Queued<Taker> = { taker: Taker; answer: (hasSlot: boolean) => void };
type State<Taker> = { taken: number; first: Queued<Taker>[]; second: Queued<Taker>[]; isSecondTurn: boolean };

/**
 * The slots of some keys: each limits how many takers of a key run at once in this process. A taker without a free slot
 * queues. `leave` takes it out of the queue: its promise resolves to false.
 */
export class Slots<Key, Taker extends object = object> {
  readonly #sizeOf: (key: Key) => number;
  readonly #queueing: Queueing<Taker>;
  readonly #states = new Map<Key, State<Taker>>();

  /** @param sizeOf returns how many slots a key has */
  constructor(sizeOf: (key: Key) => number, queueing: Queueing<Taker> = {}) {
    this.#sizeOf = sizeOf;
    this.#queueing = queueing;
  }

  /** Returns true if a slot is free. Else resolves to true with a slot, or to false when the taker left the queue. */
  take(key: Key, taker: Taker): true | Promise<boolean> {
    let state = this.#states.get(key);
    if (!state) {
      state = { taken: 0, first: [], second: [], isSecondTurn: false };
      this.#states.set(key, state);
    }
    if (state.taken < this.#sizeOf(key)) {
      state.taken += 1;
      return true;
    }
    const queue = this.#queueOf(state, taker);
    return new Promise((answer) => queue.push({ taker, answer }));
  }

  /** Gives a slot back, to the next taker in the queues. */
  give(key: Key): void {
    const state = this.#states.get(key);
    if (!state) return;
    const isForSecond = state.first.length === 0 || (state.isSecondTurn && state.second.length > 0);
    state.isSecondTurn = !isForSecond;
    const next = this.#takeNext(isForSecond ? state.second : state.first);
    if (next) {
      next.answer(true);
      return;
    }
    state.taken -= 1;
    if (state.taken === 0) this.#states.delete(key);
  }

  /** Takes `taker` out of the queue. Nothing happens if it is not queued. */
  leave(key: Key, taker: Taker): void {
    const state = this.#states.get(key);
    const queue = state ? this.#queueOf(state, taker) : [];
    const at = queue.findIndex((queued) => queued.taker === taker);
    if (at >= 0) queue.splice(at, 1)[0]?.answer(false);
  }

  secondQueueLength(key: Key): number {
    return this.#states.get(key)?.second.length ?? 0;
  }

  #queueOf(state: State<Taker>, taker: Taker): Queued<Taker>[] {
    return this.#queueing.isSecond?.(taker) ? state.second : state.first;
  }

  #takeNext(queue: Queued<Taker>[]): Queued<Taker> | undefined {
    const { isBefore } = this.#queueing;
    if (!isBefore) return queue.shift();
    let best = 0;
    for (let i = 1; i < queue.length; i += 1) {
      if (isBefore((queue[i] as Queued<Taker>).taker, (queue[best] as Queued<Taker>).taker)) best = i;
    }
    return queue.splice(best, 1)[0];
  }
}
