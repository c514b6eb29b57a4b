import type { ChangeAnswer, DeadLetterPage, ListedDeadLetter, Outcomes } from '../../api/dead-letters.js';
import type { Failure, Result } from '../shell/request.js';

// Redrives dead letters in stages: one, then ten, then the rest in hundreds. The app and storage hold the state; this
// code only sends requests:
//
//   the tab is closed          requested redrives continue in the app; the other dead letters stay pending
//   the app is killed          once the app answers, the same ids are requested again; that changes nothing (R1)
//   the sign-in ends           as above; the time until the next sign-in does not count for the limits below
//   two people redrive         the app skips a dead letter that the other person has requested, and counts it as skipped
//
// No counted dead letter is left out: `deps.list` has the part of the list from the first to the last counted one, in
// the order of names, and names never change.
//
//   a dead letter arrives      it is outside the part, or newer than the newest counted one, so it is not in the list.
//                              If it has the same second, or the time of the count, it is redriven too
//   a dead letter vanishes     it is not in the list, or the app skips it; the others keep their places

/** Above this share of failures the redrive stops, because a person must look first. */
const MAX_FAILED_SHARE = 0.2;
const MIN_FAILED = 3;
const FIRST_SIZES = [1, 10];
const SIZE = 100;
/** The app lists at most this many at once, because each list reads the names in between from storage. */
const LISTED = 1000;
const ASK_EVERY_MS = 1500;
/** The first stages need outcomes; later ones need not wait for each job. */
const WAIT_FIRST_MS = 120_000;
const WAIT_MS = 20_000;
const MAX_RETRY_MS = 30_000;

export type Progress = {
  readonly phase: 'running' | 'finished' | 'stopped';
  /** The numbers of dead letters to redrive, and of those requested so far. */
  readonly total: number;
  readonly requested: number;
  readonly outcomes: Outcomes;
  /** The app's result codes with their counts. */
  readonly counts: Readonly<Record<string, number>>;
  /** The current step, or why the run has ended. */
  readonly note: string;
};

type Batch = { readonly ids: readonly string[]; outcomes: Outcomes };
type Letter = Pick<ListedDeadLetter, 'id' | 'stage'>;

export type StagedDeps = {
  readonly list: (page: { after?: string | undefined; limit: number }) => Promise<Result<DeadLetterPage>>;
  readonly redrive: (ids: readonly string[]) => Promise<Result<ChangeAnswer>>;
  readonly outcomes: (ids: readonly string[]) => Promise<Result<Outcomes>>;
  /** Resolves early when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly monotonic: () => number;
};
type StagedOptions = {
  readonly total: number;
  /** If true, the run redrives all that `deps.list` has, and not only `total`. */
  readonly isAll?: boolean;
  /** Aborts when a person stops the run. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
};

/** Redrives up to `total` dead letters of `deps.list`. The run stops by itself when too many have failed again. */
export function redriveInStages(options: StagedOptions, deps: StagedDeps): Promise<Progress> {
  return new StagedRun(options, deps).run();
}

/** Stops the run before its last dead letter. The message says why. */
class Stop extends Error {}

class StagedRun {
  readonly #options: StagedOptions;
  readonly #deps: StagedDeps;
  readonly #batches: Batch[] = [];
  readonly #tried = new Set<string>();
  #counts: Record<string, number> = {};
  #requested = 0;
  /** How long the app did not answer, or the sign-in had ended, in all. */
  #unansweredMs = 0;
  #listed: Letter[] = [];
  #after: string | null | undefined;

  constructor(options: StagedOptions, deps: StagedDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async run(): Promise<Progress> {
    try {
      for (let stage = 0; ; stage += 1) {
        const { total, isAll } = this.#options;
        const rest = isAll ? SIZE : total - this.#requested;
        const letters = await this.#next(Math.min(FIRST_SIZES[stage] ?? SIZE, rest));
        if (letters.length === 0) break;
        await this.#redrive(letters);
        const isFirst = stage < FIRST_SIZES.length;
        await this.#wait(isFirst ? WAIT_FIRST_MS : WAIT_MS, isFirst);
        if (stage === 1 && this.#batches.length === 0 && !this.#counts['taken-up']) throw new Stop(NONE_REQUESTED);
      }
      await this.#wait(WAIT_FIRST_MS, false);
      return this.#report('finished', this.#endText());
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return this.#report('stopped', error.message);
    }
  }

  /** Takes the next dead letters of the list. Leaves out the new dead letter of a job that has failed again. */
  async #next(size: number): Promise<Letter[]> {
    while (this.#listed.length < size && this.#after !== null) {
      const after = this.#after;
      this.#report('running', 'Looking for the next ones …');
      const page = await this.#untilAnswered(() => this.#deps.list({ after, limit: LISTED }));
      this.#after = page.next;
      for (const letter of page.letters) {
        const job = jobOf(letter.id);
        if (!this.#tried.has(job)) this.#listed.push(letter);
        this.#tried.add(job);
      }
    }
    return this.#listed.splice(0, Math.max(0, size));
  }

  async #redrive(letters: readonly Letter[]): Promise<void> {
    this.#report('running', `Requesting ${letters.length === 1 ? 'the first one' : letters.length} …`);
    const ids = letters.map(({ id }) => id);
    const { counts, stopped, message } = await this.#untilAnswered(() => this.#deps.redrive(ids));
    this.#requested += ids.length;
    for (const [code, count] of Object.entries(counts)) this.#counts[code] = (this.#counts[code] ?? 0) + count;
    if (stopped) throw new Stop(message);
    // The events of an imported blob run as new deliveries, without an outcome of the blob.
    const watched = letters.filter(({ stage }) => stage !== 'undelivered').map(({ id }) => id);
    const waiting = (counts.asked ?? 0) + (counts['under-way'] ?? 0);
    if (watched.length > 0 && waiting > 0)
      this.#batches.push({ ids: watched, outcomes: { ...NONE, waiting: watched.length } });
  }

  /** Asks for outcomes until all are known, or `ms` have passed. With `mustEnd`, an unknown outcome then stops the run. */
  async #wait(ms: number, mustEnd: boolean): Promise<void> {
    const untilMs = this.#answeredMs() + ms;
    for (;;) {
      const askedMs = this.#answeredMs();
      for (const batch of this.#batches.filter(({ outcomes }) => outcomes.waiting > 0)) {
        batch.outcomes = await this.#untilAnswered(() => this.#deps.outcomes(batch.ids));
      }
      const { waiting } = this.#sums();
      this.#report('running', waiting > 0 ? `Waiting for ${waiting} of them to end …` : 'So far without a problem …');
      this.#stopIfTooManyFailed();
      if (waiting === 0) return;
      if (this.#answeredMs() >= untilMs) break;
      // A busy storage answers late: asking takes at most half of its time from the jobs.
      await this.#pause(Math.max(ASK_EVERY_MS, this.#answeredMs() - askedMs));
    }
    if (mustEnd) throw new Stop(NO_OUTCOME);
  }

  #stopIfTooManyFailed(): void {
    const { resolved, failedAgain } = this.#sums();
    const isFirst = this.#requested === 1 && failedAgain === 1;
    const isTooMany = failedAgain >= MIN_FAILED && failedAgain / (resolved + failedAgain) > MAX_FAILED_SHARE;
    if (isFirst) throw new Stop('Stopped by itself: the first one has failed again. Fix the cause, then redrive.');
    if (isTooMany)
      throw new Stop(
        `Stopped by itself: ${failedAgain} of ${resolved + failedAgain} have failed again. Fix the cause, then redrive the rest.`,
      );
  }

  /** Returns a clock that stands still while the app does not answer. */
  #answeredMs(): number {
    return this.#deps.monotonic() - this.#unansweredMs;
  }

  /** Repeats a request until the app answers, also while the app or its storage is down. */
  async #untilAnswered<T>(ask: () => Promise<Result<T>>): Promise<T> {
    for (let pauseMs = ASK_EVERY_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS)) {
      if (this.#options.signal.aborted) throw new Stop(BY_HAND);
      const askedMs = this.#deps.monotonic();
      const result = await ask();
      if (result.ok) return result.value;
      const { kind, message } = result.failure;
      if (!PASSING.includes(kind)) throw new Stop(message);
      const what = kind === 'signed-out' ? SIGNED_OUT : message;
      this.#report('running', `${what} What was requested stays in storage. Asking again …`);
      await this.#pause(pauseMs);
      this.#unansweredMs += this.#deps.monotonic() - askedMs;
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.#deps.sleep(ms, this.#options.signal);
    if (this.#options.signal.aborted) throw new Stop(BY_HAND);
  }

  #sums(): Outcomes {
    const sums = { ...NONE };
    for (const { outcomes } of this.#batches)
      for (const result of Object.keys(NONE) as (keyof Outcomes)[]) sums[result] += outcomes[result];
    return sums;
  }

  #endText(): string {
    const { waiting } = this.#sums();
    if (this.#requested === 0) return 'Nothing was left to redrive: another person may have done it.';
    const gone = this.#options.total - this.#requested;
    const others = gone > 0 ? ` ${gone} that were counted are no longer pending, or have a newer dead letter.` : '';
    if (waiting === 0) return `All that was requested has ended.${others}`;
    return `${waiting} have no outcome yet. They stay in storage, and the app runs them without this page.${others}`;
  }

  #report(phase: Progress['phase'], note: string): Progress {
    const requested = this.#requested;
    const total = Math.max(this.#options.total, requested);
    const progress = { phase, total, requested, outcomes: this.#sums(), counts: { ...this.#counts }, note };
    this.#options.onProgress(progress);
    return progress;
  }
}

const NONE: Outcomes = { resolved: 0, failedAgain: 0, waiting: 0, unknown: 0 };
const PASSING: readonly Failure['kind'][] = ['unreachable', 'storage', 'broken', 'signed-out'];
const SIGNED_OUT = 'Your sign-in has ended. Sign in again in a new tab: the redrive goes on by itself.';
const BY_HAND = 'Stopped by you. What was requested goes on in the app; the rest is pending as before.';
const NONE_REQUESTED = 'Stopped by itself: none of the first ones could be requested, for the reasons below.';
const NO_OUTCOME =
  'Stopped by itself: the first ones have no outcome after two minutes. They stay requested. Look at their events and at the workflow, then start again for the rest.';

/** Returns the id of the job. Dead letters of one job differ only in the number at the end of their ids. */
function jobOf(id: string): string {
  return id.replace(/^[a-z-]+\.(.*)\.\d+$/, '$1');
}
