import type { Clock } from '../clock.js';

/** The time for which a suspect waits for ordinary jobs. After it, the suspect runs beside them, and is not blamed. */
const MAX_DRAIN_MS = 5000;

type HeldBack<M> = { run: M; answer: (mayStart: boolean) => void };
type Queued<M> = { run: M; limit: number; answer: (entry: Entry | undefined) => void };
/** `isAlone`: whether no other job runs in the process. */
type Entry = { isAlone: boolean };

/**
 * Decides which jobs run together in this process, so that a job that kills its process is found, and no other job is
 * blamed for it. When a process dies, other processes take over its jobs, and each of the jobs may be the cause.
 *
 * S1  Taking over a lapsed lease counts one crash, and nothing else does (decide.ts).
 * S2  From its second crash on, a job is a suspect. At most 16 suspects run together, and after each further crash of a
 *     suspect half as many: so the guilty job crashes ever fewer others.
 * S3  A suspect whose limit is down to 1 runs alone: it starts when no other job runs in the process, and no other job
 *     starts beside it.
 * S4  A crash counts towards the five that end a job only if the record says that the job ran alone (decide.ts).
 * S5  The record says so before the handler starts, and stops saying so before another job may start.
 * S6  After 40 crashes of any kind a job becomes a dead letter, so that every job ends (decide.ts).
 *
 *   state      what holds                                                    ends when
 *   ordinary   the job runs beside all jobs but a suspect that runs alone    its run ends, or it becomes a suspect
 *   held back  an ordinary job waits for a suspect that runs alone           the suspect ends, or `leaveQueue`
 *   queued     a suspect waits, in order of arrival                          it starts, or `leaveQueue`
 *   member     a suspect runs, together with at most `limit` suspects        its run ends
 */
export class Company<M extends object> {
  readonly #clock: Clock;
  readonly #isLong: (run: M) => boolean;
  readonly #ordinary = new Set<M>();
  #ordinaryLong = 0;
  readonly #members = new Map<M, number>();
  /** The suspect for which ordinary jobs are held back: it runs alone, or is the next to do so. */
  #solitary: M | undefined;
  /** Set while `#solitary` waits for ordinary jobs to end. */
  #cancelDrain: (() => void) | undefined;
  #heldBack: HeldBack<M>[] = [];
  readonly #queue: Queued<M>[] = [];

  /** @param deps `isLong` returns whether a job may run for longer than a delivery waits */
  constructor(deps: { clock: Clock; isLong: (run: M) => boolean }) {
    this.#clock = deps.clock;
    this.#isLong = deps.isLong;
  }

  /** The number of suspects that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Lets an ordinary job start: true, unless a suspect runs alone. Resolves to false if `leaveQueue` was called. */
  enter(run: M): true | Promise<boolean> {
    if (this.#solitary) return new Promise((answer) => this.#heldBack.push({ run, answer }));
    this.#ordinary.add(run);
    if (this.#isLong(run)) this.#ordinaryLong += 1;
    return true;
  }

  /** Makes `run`, which has entered and not started, a suspect. Resolves to undefined if `leaveQueue` was called. */
  enterAsSuspect(run: M, limit: number): Promise<Entry | undefined> {
    this.leave(run);
    return new Promise((answer) => {
      this.#queue.push({ run, limit, answer });
      this.#admit();
    });
  }

  /** Ends the wait of `run`, in the queue or held back. Nothing happens if it does not wait. */
  leaveQueue(run: M): void {
    const atHeldBack = this.#heldBack.findIndex((waiting) => waiting.run === run);
    if (atHeldBack >= 0) this.#heldBack.splice(atHeldBack, 1)[0]?.answer(false);
    const atQueue = this.#queue.findIndex((waiting) => waiting.run === run);
    if (atQueue < 0) return;
    this.#queue.splice(atQueue, 1)[0]?.answer(undefined);
    if (this.#solitary === run) this.#releaseOthers();
    this.#admit();
  }

  /** Takes `run` out of the company: it has ended, will not start, or becomes a suspect. */
  leave(run: M): void {
    if (this.#ordinary.delete(run) && this.#isLong(run)) this.#ordinaryLong -= 1;
    this.#members.delete(run);
    if (this.#solitary === run) this.#releaseOthers();
    if (this.#queue.length > 0) this.#admit();
  }

  /** Lets other jobs start beside the suspect that runs alone. S5: its record no longer says that it is alone. */
  endSolitude(run: M): void {
    if (this.#solitary === run) this.#releaseOthers();
  }

  #admit(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const entry = next.limit > 1 ? this.#entryToGroup(next) : this.#entryAlone(next);
      if (!entry) return;
      this.#start(next, entry);
    }
  }

  #start({ run, limit, answer }: Queued<M>, entry: Entry): void {
    this.#queue.shift();
    this.#members.set(run, limit);
    answer(entry);
  }

  /** S2: returns the entry of a suspect that may run beside others; undefined while it has to wait. */
  #entryToGroup({ limit }: Queued<M>): Entry | undefined {
    const max = Math.min(limit, ...this.#members.values());
    return !this.#solitary && this.#members.size < max ? { isAlone: false } : undefined;
  }

  /**
   * S3: returns the entry of a suspect that must run alone; undefined while it has to wait for the jobs that run: for
   * other suspects without a limit, for ordinary jobs up to 5 s, during which no other ordinary job starts.
   */
  #entryAlone(next: Queued<M>): Entry | undefined {
    if (this.#members.size > 0) return undefined;
    // A long job may run for minutes, too long to hold back ordinary jobs: the suspect runs beside them.
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
    this.#releaseOthers();
    this.#start(next, { isAlone: false });
  }

  #stopDrain(): void {
    this.#cancelDrain?.();
    this.#cancelDrain = undefined;
  }

  #releaseOthers(): void {
    this.#stopDrain();
    this.#solitary = undefined;
    const released = this.#heldBack;
    this.#heldBack = [];
    for (const { run, answer } of released) {
      this.enter(run);
      answer(true);
    }
  }
}
