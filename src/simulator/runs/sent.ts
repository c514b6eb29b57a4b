/** The reason why an event is never delivered: chaos loses it, or the events of the service are off. */
export type Missed = 'lost' | 'off';

/** An event of a run, and its state in storage. */
export type SentEvent = ReturnType<Sent['get']>;

type NewEvent = Pick<SentEvent, 'wanted' | 'atMs' | 'isMalformed'> & { missed?: Missed | undefined };
type Found = Omit<SentEvent, keyof NewEvent>;

/** The bits of a number. */
export const MAX_WORKFLOWS = 32;

const IS_MALFORMED = 1;
const HAS_DEAD_LETTER = 2;
const IS_UNDELIVERED = 4;
const IS_LOST = 8;
const IS_OFF = 16;
/** The flags that are set when the event is made. Looks at storage do not change them. */
const OF_EVENT = IS_MALFORMED | IS_LOST | IS_OFF;

/**
 * The events of a run and their state in storage, in 37 bytes an event: a run may have a million. A set of jobs is a
 * number: bit n stands for workflow n of the app.
 */
export class Sent {
  count = 0;
  #room = 1024;
  #jobs = new Uint32Array(this.#room * 5); // wanted, completed, superseded, dead, open
  #times = new Float64Array(this.#room * 2);
  #flags = new Uint8Array(this.#room);

  /** Adds an event and returns its number. */
  add({ wanted, atMs, isMalformed, missed }: NewEvent): number {
    if (this.count === this.#room) this.#grow();
    const n = this.count;
    this.#jobs[n * 5] = wanted;
    this.#times[n * 2] = atMs;
    const isMissed = missed === 'lost' ? IS_LOST : missed === 'off' ? IS_OFF : 0;
    this.#flags[n] = (isMalformed ? IS_MALFORMED : 0) | isMissed;
    this.count += 1;
    return n;
  }

  get(n: number) {
    const [wanted = 0, completed = 0, superseded = 0, dead = 0, open = 0] = this.#jobs.subarray(n * 5, n * 5 + 5);
    const flag = this.#flags[n] ?? 0;
    const missed: Missed | undefined = flag & IS_LOST ? 'lost' : flag & IS_OFF ? 'off' : undefined;
    return {
      /** The jobs that the event should have. */
      wanted,
      completed,
      superseded,
      dead,
      /** Jobs that run, or have a row in `waiting`. */
      open,
      atMs: this.#times[n * 2] ?? 0,
      settledAtMs: this.#times[n * 2 + 1] ?? 0,
      isMalformed: (flag & IS_MALFORMED) !== 0,
      /** The event is never delivered. */
      missed,
      /** The event has a dead letter as an invalid event. */
      hasDeadLetter: (flag & HAS_DEAD_LETTER) !== 0,
      /** The event is in Event Grid's own dead letters. */
      isUndelivered: (flag & IS_UNDELIVERED) !== 0,
    };
  }

  /** Adds bits and flags to those of event `n`. */
  mark(n: number, found: Partial<Found>): void {
    const { completed = 0, superseded = 0, dead = 0, open = 0, hasDeadLetter, isUndelivered, settledAtMs = 0 } = found;
    for (const [at, bits] of [completed, superseded, dead, open].entries()) {
      this.#jobs[n * 5 + 1 + at] = (this.#jobs[n * 5 + 1 + at] ?? 0) | bits;
    }
    this.#times[n * 2 + 1] = Math.max(this.#times[n * 2 + 1] ?? 0, settledAtMs);
    const flags = (hasDeadLetter ? HAS_DEAD_LETTER : 0) | (isUndelivered ? IS_UNDELIVERED : 0);
    this.#flags[n] = (this.#flags[n] ?? 0) | flags;
  }

  /** Forgets all marks, for a new look at storage. */
  unmark(): void {
    for (let n = 0; n < this.count; n += 1) {
      this.#jobs.fill(0, n * 5 + 1, n * 5 + 5);
      this.#times[n * 2 + 1] = 0;
      this.#flags[n] = (this.#flags[n] ?? 0) & OF_EVENT;
    }
  }

  #grow(): void {
    this.#room *= 2;
    this.#jobs = new Uint32Array(this.#jobs.buffer.transfer(this.#room * 20));
    this.#times = new Float64Array(this.#times.buffer.transfer(this.#room * 16));
    this.#flags = new Uint8Array(this.#flags.buffer.transfer(this.#room));
  }
}
