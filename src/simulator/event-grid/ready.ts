import type { Entry } from './entry.js';
import type { Treatment } from './interference.js';

const MIN_TO_CUT = 1024;

/** Events that are due, in the order in which they became due. Events that may share a request are in one queue. */
export class Ready {
  readonly #treatmentOf: (entry: Entry) => Treatment;
  readonly #queues = new Map<string, ReadyQueue>();
  #seq = 0;

  constructor(treatmentOf: (entry: Entry) => Treatment) {
    this.#treatmentOf = treatmentOf;
  }

  add(entry: Entry): void {
    const treatment = this.#treatmentOf(entry);
    const key = `${entry.attempts} ${treatment.fate} ${treatment.schema}`;
    const queue = this.#queues.get(key) ?? new ReadyQueue(entry.attempts, treatment);
    this.#queues.set(key, queue);
    this.#seq += 1;
    queue.add(entry, this.#seq);
  }

  /** Returns the queue whose first event has waited longest. */
  first(): ReadyQueue | undefined {
    let first: ReadyQueue | undefined;
    for (const queue of this.#queues.values()) {
      if (queue.peek() && (!first || queue.seq < first.seq)) first = queue;
    }
    return first;
  }
}

/** Events with the same number of attempts and the same treatment. The taken half of the array is cut off. */
class ReadyQueue {
  readonly attempts: number;
  readonly treatment: Treatment;
  #items: ({ entry: Entry; seq: number } | undefined)[] = [];
  #head = 0;

  constructor(attempts: number, treatment: Treatment) {
    this.attempts = attempts;
    this.treatment = treatment;
  }

  get seq(): number {
    return this.#items[this.#head]?.seq ?? 0;
  }

  add(entry: Entry, seq: number): void {
    this.#items.push({ entry, seq });
  }

  /** Returns the first entry that is still ready. */
  peek(): Entry | undefined {
    for (;;) {
      const entry = this.#items[this.#head]?.entry;
      if (!entry || entry.stage === 'ready') return entry;
      this.take();
    }
  }

  take(): void {
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head < this.#items.length && (this.#head < MIN_TO_CUT || this.#head * 2 < this.#items.length)) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
