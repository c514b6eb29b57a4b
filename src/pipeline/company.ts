import type { Clock } from '../clock.js';

/**
 * Decides which jobs run beside which in this process, so that a job that kills its process is found, and no other job
 * is blamed for it. When a process dies, each of its jobs is taken over elsewhere and may be the cause.
 *
 * S1  Taking over a lapsed lease counts one crash, and nothing else does (decide.ts).
 * S2  From its second crash on, a job is a suspect. At most 16 suspects run together, and after each further crash of a
 *     suspect half as many: the guilty job drags ever fewer others along.
 * S3  A suspect whose company has shrunk to 1 runs alone: it starts when no other job runs in the process, and no other
 *     job starts beside it.
 * S4  A crash counts towards the five that end a job only if the record says that the job ran alone (decide.ts).
 * S5  The record says so before the handler starts, and stops saying so before another job may start.
 * S6  After 40 crashes of any kind a job ends as a dead letter, so that every job comes to an end (decide.ts).
 *
 *   ordinary   runs beside everything but a suspect that is alone        ends with its run, or becomes a suspect
 *   queued     a suspect that waits, in order of arrival; runs nothing   its start, or the deadline
 *   member     a suspect that runs, with `limit` suspects at most        ends with its run
 */
export type Company<M extends object> = {
  /**
   * Lets an ordinary job start: true at once, unless a suspect runs alone. A promise of false: `leaveQueue` was called.
   */
  enter(run: M): true | Promise<boolean>;
  /** Makes `run`, which has entered and not started, a suspect. Undefined where it was taken out of the queue. */
  enterAsSuspect(run: M, limit: number): Promise<{ isAlone: boolean } | undefined>;
  /** Takes `run` out of the queue or from the gate. Nothing happens if it waits in neither. */
  leaveQueue(run: M): void;
  /** Takes the run out of the company: it has ended, will not start, or becomes a suspect. */
  leave(run: M): void;
  /** Lets other jobs start beside the suspect that runs alone. S5: the record no longer says that it is alone. */
  endSolitude(run: M): void;
  /** Suspects that wait. */
  readonly queued: number;
};

/**
 * Limits how long a suspect waits for ordinary jobs, whose handlers rarely take longer. Then the suspect runs beside
 * them, and is not blamed.
 */
const MAX_DRAIN_MS = 5000;

type AtGate<M> = { run: M; answer: (mayStart: boolean) => void };
type Queued<M> = { run: M; limit: number; answer: (place: { isAlone: boolean } | undefined) => void };

/** `isLong`: whether a job may run for longer than a delivery waits. */
export function createCompany<M extends object>(deps: { clock: Clock; isLong: (run: M) => boolean }): Company<M> {
  return new ProcessCompany(deps);
}

class ProcessCompany<M extends object> implements Company<M> {
  readonly #clock: Clock;
  readonly #isLong: (run: M) => boolean;
  readonly #ordinary = new Set<M>();
  #ordinaryLong = 0;
  readonly #members = new Map<M, number>();
  /** The suspect for which ordinary jobs wait at the gate: it runs alone, or is the next to do so. */
  #solitary: M | undefined;
  /** Set while `#solitary` waits for ordinary jobs to end. */
  #cancelDrain: (() => void) | undefined;
  #gate: AtGate<M>[] = [];
  readonly #queue: Queued<M>[] = [];

  constructor({ clock, isLong }: { clock: Clock; isLong: (run: M) => boolean }) {
    this.#clock = clock;
    this.#isLong = isLong;
  }

  get queued(): number {
    return this.#queue.length;
  }

  enter(run: M): true | Promise<boolean> {
    if (this.#solitary) return new Promise((answer) => this.#gate.push({ run, answer }));
    this.#ordinary.add(run);
    if (this.#isLong(run)) this.#ordinaryLong += 1;
    return true;
  }

  enterAsSuspect(run: M, limit: number): Promise<{ isAlone: boolean } | undefined> {
    this.leave(run);
    return new Promise((answer) => {
      this.#queue.push({ run, limit, answer });
      this.#admit();
    });
  }

  leaveQueue(run: M): void {
    const atGate = this.#gate.findIndex((waiting) => waiting.run === run);
    if (atGate >= 0) this.#gate.splice(atGate, 1)[0]?.answer(false);
    const atQueue = this.#queue.findIndex((waiting) => waiting.run === run);
    if (atQueue < 0) return;
    this.#queue.splice(atQueue, 1)[0]?.answer(undefined);
    if (this.#solitary === run) this.#openGate();
    this.#admit();
  }

  leave(run: M): void {
    if (this.#ordinary.delete(run) && this.#isLong(run)) this.#ordinaryLong -= 1;
    this.#members.delete(run);
    if (this.#solitary === run) this.#openGate();
    if (this.#queue.length > 0) this.#admit();
  }

  endSolitude(run: M): void {
    if (this.#solitary === run) this.#openGate();
  }

  #admit(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const place = next.limit > 1 ? this.#placeInGroup(next) : this.#placeAlone(next);
      if (!place) return;
      this.#take(next, place);
    }
  }

  #take({ run, limit, answer }: Queued<M>, place: { isAlone: boolean }): void {
    this.#queue.shift();
    this.#members.set(run, limit);
    answer(place);
  }

  /** S2 */
  #placeInGroup({ limit }: Queued<M>): { isAlone: boolean } | undefined {
    const max = Math.min(limit, ...this.#members.values());
    return !this.#solitary && this.#members.size < max ? { isAlone: false } : undefined;
  }

  /**
   * S3: returns the place of a suspect that must run alone; undefined while it has to wait for the jobs that run. Other
   * suspects may take any time. Ordinary jobs get 5 s to end, during which no other ordinary job starts.
   */
  #placeAlone(next: Queued<M>): { isAlone: boolean } | undefined {
    if (this.#members.size > 0) return undefined;
    // A long job may run for minutes, too long for ordinary jobs to wait at the gate: the suspect runs beside them.
    if (this.#ordinaryLong > 0) return { isAlone: false };
    this.#solitary = next.run;
    if (this.#ordinary.size > 0) {
      this.#cancelDrain ??= this.#clock.after(MAX_DRAIN_MS, () => this.#startBesideOthers(next));
      return undefined;
    }
    this.#stopDrain();
    return { isAlone: true };
  }

  #startBesideOthers(next: Queued<M>): void {
    this.#openGate();
    this.#take(next, { isAlone: false });
  }

  #stopDrain(): void {
    this.#cancelDrain?.();
    this.#cancelDrain = undefined;
  }

  #openGate(): void {
    this.#stopDrain();
    this.#solitary = undefined;
    const waiting = this.#gate;
    this.#gate = [];
    for (const { run, answer } of waiting) {
      this.enter(run);
      answer(true);
    }
  }
}
