import type { Clock } from '../clock.js';
import type { Problem } from '../events/invalid-event-error.js';
import { createTurns, withRetries } from '../storage/pace.js';
import { asStorageError } from '../storage/table-store.js';
import type { Discarded } from './discard.js';
import type { Outcome, Skipped } from './redrive-result.js';

/** The number of dead letters by result. `failed`: storage failed, also after retries. */
export type Counts = Partial<Record<Skipped | Outcome | Discarded | 'asked' | 'taken-up' | 'failed', number>>;

export type Report = {
  readonly counts: Counts;
  /** The reason why the run ended before the last dead letter. */
  readonly stopped?: 'failures' | 'storage' | 'asked-to';
  /** The code of storage's last error. */
  readonly errorCode?: string;
  /** The problems of payloads that are not valid events, from the first few dead letters. */
  readonly problems?: readonly EventProblem[];
};

/** `id`: of the dead letter; `message`: the problem in words. */
export type EventProblem = Problem & { readonly id: string; readonly message: string };

export type Pace = {
  /** The number of dead letters at a time; with `wait`, of redrives without an outcome. */
  readonly atOnce: number;
  readonly perSecond: number;
  readonly signal: AbortSignal;
  /** Called after each dead letter. */
  readonly onCount?: (counts: Counts) => void;
};

type Id = { readonly id: string };
/** A listing that is read while the run proceeds, or chosen dead letters. */
export type Ids = AsyncIterable<Id> | readonly Id[];

type Stop = (why: NonNullable<Report['stopped']>) => void;
type Act = (id: Id, stop: Stop, signal: AbortSignal) => Promise<keyof Counts>;

/** After this number of failures in a row, each after its retries, the run stops, because storage is down. */
const MAX_FAILURES_IN_A_ROW = 10;

/** Calls `act` for each dead letter: `atOnce` workers take ids from one iterator, at most `perSecond`. */
export async function actOnEach(ids: Ids, { pace, clock }: { pace: Pace; clock: Clock }, act: Act): Promise<Report> {
  const counts: Counts = {};
  const stopping = new AbortController();
  const stop: Stop = (why) => stopping.abort(why);
  const signal = AbortSignal.any([pace.signal, stopping.signal]);
  const takeTurn = createTurns(pace.perSecond, { clock, signal });
  let errorCode: string | undefined;
  let failuresInARow = 0;
  const iterator = Symbol.asyncIterator in ids ? ids[Symbol.asyncIterator]() : ids.values();
  try {
    await Promise.all(Array.from({ length: pace.atOnce }, work));
  } catch (error) {
    stopping.abort(); // the other workers end, too
    throw error;
  } finally {
    await iterator.return?.();
  }
  const isStoppedByCaller = pace.signal.aborted && signal.reason === pace.signal.reason;
  const stopped: Report['stopped'] = isStoppedByCaller ? 'asked-to' : stopping.signal.reason;
  return { counts, ...(stopped && { stopped }), ...(errorCode !== undefined && { errorCode }) };

  async function work(): Promise<void> {
    while (!signal.aborted) {
      const { value: id, done } = await iterator.next();
      if (done) return;
      await takeTurn();
      if (signal.aborted) return;
      const result = await withRetries(() => act(id, stop, signal), { clock, signal }).catch(failed);
      if (result !== 'failed') failuresInARow = 0;
      counts[result] = (counts[result] ?? 0) + 1;
      pace.onCount?.(counts);
    }
  }

  function failed(error: unknown): 'failed' {
    errorCode = asStorageError(error).code;
    failuresInARow += 1;
    if (failuresInARow >= MAX_FAILURES_IN_A_ROW) stop('storage');
    return 'failed';
  }
}
