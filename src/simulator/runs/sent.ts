/**
 * What a run has sent and what was found of it, 37 bytes an event: a run may have a million.
 * Jobs are bits: bit n is workflow n of the app.
 */
export type Sent = {
  readonly count: number;
  /** The next event; returns its number. */
  add(event: { wanted: number; atMs: number; isMalformed: boolean }): number;
  get(n: number): SentEvent;
  /** Bits are added to those that are there. */
  mark(n: number, found: Partial<Found>): void;
  /** Forgets what was found, to look anew. */
  unmark(): void;
};

export type Found = {
  completed: number;
  superseded: number;
  dead: number;
  /** Has a row in `waiting`, or is running. */
  open: number;
  /** The whole event has a dead letter of its own: of an invalid event, or of Event Grid's. */
  hasDeadLetter: boolean;
  undelivered: boolean;
  settledAtMs: number;
};

export type SentEvent = Found & { wanted: number; atMs: number; isMalformed: boolean };

export const MAX_WORKFLOWS = 32;

const IS_MALFORMED = 1;
const HAS_DEAD_LETTER = 2;
const IS_UNDELIVERED = 4;

export function createSent(): Sent {
  let room = 1024;
  let count = 0;
  let jobs = new Uint32Array(room * 5); // wanted, completed, superseded, dead, open
  let times = new Float64Array(room * 2);
  let flags = new Uint8Array(room);

  return {
    get count() {
      return count;
    },

    add({ wanted, atMs, isMalformed }) {
      if (count === room) grow();
      jobs[count * 5] = wanted;
      times[count * 2] = atMs;
      flags[count] = isMalformed ? IS_MALFORMED : 0;
      count += 1;
      return count - 1;
    },

    get(n) {
      const [wanted = 0, completed = 0, superseded = 0, dead = 0, open = 0] = jobs.subarray(n * 5, n * 5 + 5);
      const flag = flags[n] ?? 0;
      return {
        wanted,
        completed,
        superseded,
        dead,
        open,
        atMs: times[n * 2] ?? 0,
        settledAtMs: times[n * 2 + 1] ?? 0,
        isMalformed: (flag & IS_MALFORMED) !== 0,
        hasDeadLetter: (flag & HAS_DEAD_LETTER) !== 0,
        undelivered: (flag & IS_UNDELIVERED) !== 0,
      };
    },

    mark(n, { completed = 0, superseded = 0, dead = 0, open = 0, hasDeadLetter, undelivered, settledAtMs = 0 }) {
      for (const [at, bits] of [completed, superseded, dead, open].entries()) {
        jobs[n * 5 + 1 + at] = (jobs[n * 5 + 1 + at] ?? 0) | bits;
      }
      times[n * 2 + 1] = Math.max(times[n * 2 + 1] ?? 0, settledAtMs);
      flags[n] = (flags[n] ?? 0) | (hasDeadLetter ? HAS_DEAD_LETTER : 0) | (undelivered ? IS_UNDELIVERED : 0);
    },

    unmark() {
      for (let n = 0; n < count; n += 1) {
        jobs.fill(0, n * 5 + 1, n * 5 + 5);
        times[n * 2 + 1] = 0;
        flags[n] = (flags[n] ?? 0) & IS_MALFORMED;
      }
    },
  };

  function grow(): void {
    room *= 2;
    const before = { jobs, times, flags };
    jobs = new Uint32Array(room * 5);
    times = new Float64Array(room * 2);
    flags = new Uint8Array(room);
    jobs.set(before.jobs);
    times.set(before.times);
    flags.set(before.flags);
  }
}
