import { type Clock, sleep } from '../clock.js';
import { asStorageError, StorageError } from '../storage/table-store.js';
import { discardDeadLetter, type Note } from './discard.js';
import { actOnEach, type EventProblem, type Ids, type Pace, type Report } from './pace.js';
import { textOfProblem } from './problem-text.js';
import { type RedriveOptions, redriveDeadLetter } from './redrive.js';
import type { Outcome, ReadOutcome } from './redrive-result.js';
import type { DeadLetterStores } from './stores.js';

/** The stores and the pace of a run. */
type Run = { readonly pace: Pace; readonly stores: DeadLetterStores };

export type RedriveMany = RedriveOptions & {
  /**
   * Waits for the outcome of each redrive. Stops once the share of failures among the outcomes exceeds `stopAfter`. Calls
   * `onNoApp` once if no app has started a redrive for `NO_APP_MS`.
   */
  readonly wait?: { readonly stopAfter?: number; readonly onNoApp?: () => void };
};

/** The share of failures counts from this number of outcomes on. */
const MIN_OUTCOMES = 10;
/** The app looks for due rows every 10 s. */
const ASK_AGAIN_MS = 5000;
/** An outcome may have to wait for other jobs of its workflow. */
const MAX_WAIT_MS = 10 * 60_000;
/** An app that runs starts a redrive sooner, because it looks for due rows every 10 s. */
export const NO_APP_MS = 30_000;
const MAX_PROBLEMS = 10;

const FAILED: readonly string[] = ['dead', 'failing', 'invalid-again'] satisfies Outcome[];

/**
 * Redrives dead letters at a pace. Requested redrives continue without this process: it may die at any time and run
 * again, and two may run at once (see `redriveDeadLetter`).
 */
export async function redriveMany(ids: Ids, { wait, ...options }: RedriveMany, { pace, stores }: Run): Promise<Report> {
  let outcomes = 0;
  let failures = 0;
  const problems: EventProblem[] = [];
  const onOutcome = createNoAppWatch(stores.clock, wait?.onNoApp);
  const report = await actOnEach(ids, { pace, clock: stores.clock }, async ({ id }, stop, signal) => {
    const redriven = await redriveDeadLetter(id, options, stores);
    if (redriven.kind === 'not-an-event') {
      problems.push(...redriven.problems.map((problem) => ({ id, ...problem, message: textOfProblem(problem) })));
    }
    if (redriven.kind !== 'asked' || !wait || options.isDryRun) return redriven.kind;
    const outcome = await waitForOutcome(() => redriven.readOutcome().then(onOutcome), stores.clock, signal);
    if (outcome === 'open') return outcome;
    outcomes += 1;
    if (FAILED.includes(outcome)) failures += 1;
    if (wait.stopAfter !== undefined && outcomes >= MIN_OUTCOMES && failures / outcomes > wait.stopAfter)
      stop('failures');
    return outcome;
  });
  return problems.length === 0 ? report : { ...report, problems: problems.slice(0, MAX_PROBLEMS) };
}

/** Returns a function that takes each outcome read, and calls `onNoApp` once if all were `open` for `NO_APP_MS`. */
function createNoAppWatch(clock: Clock, onNoApp: () => void = () => {}): <F extends string>(found: F) => F {
  let openSinceMs: number | undefined;
  let isReported = false;
  return (found) => {
    openSinceMs = found === 'open' ? (openSinceMs ?? clock.monotonic()) : undefined;
    if (openSinceMs !== undefined && !isReported && clock.monotonic() - openSinceMs >= NO_APP_MS) {
      isReported = true;
      onNoApp();
    }
    return found;
  };
}

/** Discards dead letters at a pace. */
export function discardMany(
  ids: Ids,
  note: Note & { readonly isDryRun?: boolean },
  { pace, stores }: Run,
): Promise<Report> {
  return actOnEach(ids, { pace, clock: stores.clock }, ({ id }) => discardDeadLetter(id, note, stores));
}

async function waitForOutcome(readOutcome: ReadOutcome, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  const untilMs = clock.monotonic() + MAX_WAIT_MS;
  while (!signal.aborted && clock.monotonic() < untilMs) {
    const outcome = await readOutcome().catch(asStorageError); // after an error the row exists still: read again
    if (!(outcome instanceof StorageError) && outcome !== 'open' && outcome !== 'picked-up') return outcome;
    await sleep(clock, ASK_AGAIN_MS, signal);
  }
  return 'open';
}
