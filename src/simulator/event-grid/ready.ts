import type { Entry } from './entry.js';
import type { Treatment } from './interference.js';

const MIN_TO_CUT = 1024;

/** Events that are due, in the order in which they became due. Events that may share a request are in one lane. */
export class Ready {
  readonly #treatmentOf: (entry: Entry) => Treatment;
  readonly #lanes = new Map<string, Lane>();
  #seq = 0;

  constructor(treatmentOf: (entry: Entry) => Treatment) {
    this.#treatmentOf = treatmentOf;
  }

  add(entry: Entry): void {
    const treatment = this.#treatmentOf(entry);
    const key = `${entry.attempts} ${treatment.fate} ${treatment.schema}`;
    const lane = this.#lanes.get(key) ?? new Lane(entry.attempts, treatment);
    this.#lanes.set(key, lane);
    this.#seq += 1;
    lane.add(entry, this.#seq);
  }

  /** The lane whose first event has waited longest. */
  first(): Lane | undefined {
    let first: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.peek() && (!first || lane.seq < first.seq)) first = lane;
    }
    return first;
  }
}

/** Events with the same number of attempts and the same treatment. The taken half of the array is cut off. */
export class Lane {
  readonly attempts: number;
  readonly treatment: Treatment;
  #queue: ({ entry: Entry; seq: number } | undefined)[] = [];
  #head = 0;

  constructor(attempts: number, treatment: Treatment) {
    this.attempts = attempts;
    this.treatment = treatment;
  }

  get seq(): number {
    return this.#queue[this.#head]?.seq ?? 0;
  }

  add(entry: Entry, seq: number): void {
    this.#queue.push({ entry, seq });
  }

  /** The first entry that is still ready. */
  peek(): Entry | undefined {
    for (;;) {
      const entry = this.#queue[this.#head]?.entry;
      if (!entry || entry.stage === 'ready') return entry;
      this.take();
    }
  }

  take(): void {
    this.#queue[this.#head] = undefined;
    this.#head += 1;
    if (this.#head < this.#queue.length && (this.#head < MIN_TO_CUT || this.#head * 2 < this.#queue.length)) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}
