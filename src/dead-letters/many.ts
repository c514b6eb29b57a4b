import { type Clock, sleep } from '../clock.js';
import type { Problem } from '../events/invalid-event-error.js';
import { StorageError } from '../storage/table-store.js';
import { type Discarded, discardLetter, type Note } from './discard.js';
import type { Desk } from './letter.js';
import { textOfProblem } from './problem-text.js';
import { type Look, type Outcome, type RedriveOptions, redriveLetter, type Skipped } from './redrive.js';

/** How many letters have met with what. `failed`: storage did not do what it was asked. */
export type Counts = Partial<Record<Skipped | Outcome | Discarded | 'asked' | 'taken-up' | 'failed', number>>;

export type Report = {
  readonly counts: Counts;
  /** Why it ended before the last letter. */
  readonly stopped?: 'failures' | 'storage' | 'asked-to';
  /** The code of the last error of storage. */
  readonly errorCode?: string;
  /** What is wrong with the payloads that are no events: of the first few dead letters. */
  readonly problems?: readonly EventProblem[];
};

/** `id`: of the dead letter; `message`: the problem in words. */
export type EventProblem = Problem & { readonly id: string; readonly message: string };

export type Pace = {
  /** How many letters are under way at a time; where outcomes are waited for, redrives without one. */
  readonly atOnce: number;
  readonly perSecond: number;
  readonly signal: AbortSignal;
  /** Told after each letter. */
  readonly onCount?: (counts: Counts) => void;
};

export type RedriveMany = RedriveOptions & {
  /**
   * Waits for what becomes of each. Ends early where more than `stopAfter` of those judged so far have failed.
   * `onNoApp` is called once where no app has picked up any redrive for `NO_APP_MS`.
   */
  readonly wait?: { readonly stopAfter?: number; readonly onNoApp?: () => void };
};

type Id = { readonly id: string };
/** A listing that goes on while they are dealt with, or those that were chosen. */
export type Ids = AsyncIterable<Id> | readonly Id[];

/** A share of fewer says nothing. */
const JUDGED_FROM = 10;
/** The app looks for due rows every 10 s, and an outcome may come after several of its workflow's. */
const LOOK_AGAIN_MS = 5000;
const PATIENCE_MS = 10 * 60_000;
/** A timer that looks for due rows can pause for a while, but a message wakes the app as a row is written. */
export const NO_APP_MS = 30_000;
const MOST_PROBLEMS = 10;
/** Storage that is busy, with what was redriven before, fails for all that are under way at once: each waits, and asks again. */
const PAUSES_MS = [1000, 5000, 15_000];
/** It is down where so many in a row have failed in spite of that: what is left can be redriven when it is back. */
const MOST_FAILURES_IN_A_ROW = 10;

const BAD: readonly string[] = ['dead', 'failing', 'invalid-again'] satisfies Outcome[];

/**
 * Redrives letter after letter, at a pace. What it has asked for goes on without it; it may be killed at any time and
 * run again, and two may run at once: see redrive.ts.
 */
export async function redriveMany(
  letters: Ids,
  { wait, ...options }: RedriveMany,
  pace: Pace,
  desk: Desk,
): Promise<Report> {
  let judged = 0;
  let bad = 0;
  const problems: EventProblem[] = [];
  const onLook = createNoAppWatch(desk.clock, wait?.onNoApp);
  const report = await actOnEach(letters, pace, desk.clock, async ({ id }, stop, signal) => {
    const redriven = await redriveLetter(id, options, desk);
    if (redriven.kind === 'not-an-event') {
      problems.push(...redriven.problems.map((problem) => ({ id, ...problem, message: textOfProblem(problem) })));
    }
    if (redriven.kind !== 'asked' || !wait || options.isDryRun) return redriven.kind;
    const outcome = await waitForOutcome(() => redriven.look().then(onLook), desk.clock, signal);
    if (outcome === 'open') return outcome;
    judged += 1;
    if (BAD.includes(outcome)) bad += 1;
    if (wait.stopAfter !== undefined && judged >= JUDGED_FROM && bad / judged > wait.stopAfter) stop('failures');
    return outcome;
  });
  return problems.length === 0 ? report : { ...report, problems: problems.slice(0, MOST_PROBLEMS) };
}

/** Is given what each look has found; calls `onNoApp` once when all of them were `open` for `NO_APP_MS`. */
function createNoAppWatch(clock: Clock, onNoApp: () => void = () => {}): <F extends string>(found: F) => F {
  let openSinceMs: number | undefined;
  let isSaid = false;
  return (found) => {
    openSinceMs = found === 'open' ? (openSinceMs ?? clock.monotonic()) : undefined;
    if (openSinceMs !== undefined && !isSaid && clock.monotonic() - openSinceMs >= NO_APP_MS) {
      isSaid = true;
      onNoApp();
    }
    return found;
  };
}

export function discardMany(
  letters: Ids,
  note: Note & { readonly isDryRun?: boolean },
  pace: Pace,
  desk: Desk,
): Promise<Report> {
  return actOnEach(letters, pace, desk.clock, ({ id }) => discardLetter(id, note, desk, note));
}

type Stop = (why: NonNullable<Report['stopped']>) => void;

/** As many workers as may be under way at once take letter after letter from one line, each no sooner than its turn. */
async function actOnEach(
  letters: Ids,
  { atOnce, perSecond, signal, onCount }: Pace,
  clock: Clock,
  act: (letter: Id, stop: Stop, signal: AbortSignal) => Promise<keyof Counts>,
): Promise<Report> {
  const counts: Counts = {};
  const stopping = new AbortController();
  let stopped: Report['stopped'];
  let errorCode: string | undefined;
  let failuresInARow = 0;
  let nextAtMs = clock.monotonic();
  const stop: Stop = (why) => {
    stopped ??= why;
    stopping.abort();
  };
  const onAbort = () => stop('asked-to');
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  const line = Symbol.asyncIterator in letters ? letters[Symbol.asyncIterator]() : letters.values();
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    stopping.abort();
    signal.removeEventListener('abort', onAbort);
    await line.return?.();
  }
  return { counts, ...(stopped && { stopped }), ...(errorCode !== undefined && { errorCode }) };

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      const { value: letter, done } = await line.next();
      if (done) return;
      await turn();
      if (stopping.signal.aborted) return;
      const what = await patiently(() => act(letter, stop, stopping.signal), clock, stopping.signal).catch(failed);
      if (what !== 'failed') failuresInARow = 0;
      counts[what] = (counts[what] ?? 0) + 1;
      onCount?.(counts);
    }
  }

  async function turn(): Promise<void> {
    const nowMs = clock.monotonic();
    const atMs = Math.max(nowMs, nextAtMs);
    nextAtMs = atMs + 1000 / perSecond;
    if (atMs > nowMs) await sleep(clock, atMs - nowMs, stopping.signal);
  }

  function failed(error: unknown): 'failed' {
    if (!(error instanceof StorageError)) throw error;
    errorCode = error.code;
    failuresInARow += 1;
    if (failuresInARow >= MOST_FAILURES_IN_A_ROW) stop('storage');
    return 'failed';
  }
}

/** Does again what storage has failed to do, a few times. For what may be done twice. */
export async function patiently<T>(act: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof StorageError) || error.isRejected || signal.aborted) throw error;
      await sleep(clock, pauseMs, signal);
    }
  }
  return act();
}

async function waitForOutcome(look: Look, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  const untilMs = clock.monotonic() + PATIENCE_MS;
  while (!signal.aborted && clock.monotonic() < untilMs) {
    const outcome = await look().catch((error: unknown) => {
      if (error instanceof StorageError) return 'open' as const; // the row is there: look again
      throw error;
    });
    if (outcome !== 'open' && outcome !== 'picked-up') return outcome;
    await sleep(clock, LOOK_AGAIN_MS, signal);
  }
  return 'open';
}
