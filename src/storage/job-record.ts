import type { HealthEvent } from '../events/health-event.js';
import type { Row, Value } from './table-store.js';

/**
 * The record of a job in the ledger.
 *
 *   state     meaning                                               ended by
 *   running   `owner` runs the job under a lease of `leaseMs`,      settle, wait, or the lapse of the lease
 *             which every write renews
 *     failing the job fails for good, with a dead letter of this    settle
 *             stage (J8)
 *   waiting   the row `due` in `waiting` continues the job (J3)     a claim for that row
 *   settled   completed, superseded or dead                         dead only: a redrive with a higher number (R1)
 *
 * Each claim has a new `owner` and each write a new `write`, so that a writer recognises its own write if the answer was
 * lost (C5). Records only gain properties: writes merge. A state of a later version of the app is `unknown` to this one.
 */
export type JobRecord = {
  state: JobState;
  owner: string;
  write: number;
  tries: number;
  /** S1: the number of claims that took over a lapsed lease of this job. */
  crashes: number;
  /** S4: the number of crashes while no other job ran in the process. */
  crashesAlone: number;
  redrives: number;
  /** The time of the first claim, or of the claim that reopened the job. */
  firstTryAt: string;
  errorCode: string;
  /** The time since which the processes that claim the job do not know its workflow; '' if they know it. */
  unknownSince: string;
  /** The corrected payload of this redrive, see src/dead-letters/edits.ts; absent if the payload is the original. */
  edit?: string;
  /** The time that the job has waited because its workflow was paused (J13); absent if the job has not waited. */
  pausedMs?: number;
  /** The story of the job so far, see job-steps.ts; absent until the first retry, takeover or redrive. */
  steps?: string;
};

/** `due`: the name of the row that continues the job. `unknown`: a state that this version cannot read. */
export type JobState =
  /** `isAlone`: no other job runs in the owner's process. Only for suspects (S5), see src/pipeline/company.ts. */
  | { kind: 'running'; leaseMs: number; failing?: Failing; isAlone?: boolean }
  | { kind: 'waiting'; due: string }
  /** `stage`: the stage of the dead letter, if the result is `dead`. Only set in a record that was read. */
  | { kind: 'settled'; result: Result; stage?: Failing }
  | { kind: 'unknown'; name: string };

/** The result of a settled job. Only a redrive reopens a job, and only if its result is `dead` (R1). */
export type Result = 'completed' | 'superseded' | 'dead';
/** The stage of the dead letter. The record holds the stage first, so that it cannot change (J8). */
export type Failing = (typeof FAILING_STAGES)[number];
/** The stages of dead letters of jobs. Invalid events have the stage `invalid` and no job. */
export const FAILING_STAGES = ['failed', 'crash', 'unknown-workflow'] as const;

// Three ways to write a record, because each property costs bytes in a request. An absent property reads as empty.

/** Returns the row of a first claim, with the properties that are not empty. */
export function newRow(
  { state, owner, write, redrives, firstTryAt, edit, crashesAlone, ...rest }: JobRecord,
  event: HealthEvent | undefined,
): Row {
  const row: Record<string, Value> = { ...stateRow(state), owner, write, firstTryAt };
  if (redrives > 0) row.redrives = redrives;
  if (edit) row.edit = edit;
  const isNew = rest.tries === 0 && rest.crashes === 0 && rest.errorCode === '' && rest.unknownSince === '';
  if (!isNew) Object.assign(row, rest);
  if (crashesAlone > 0) row.crashesAlone = crashesAlone;
  if (event) Object.assign(row, { id: event.id, type: event.type, source: event.source, time: event.time ?? '' });
  return row;
}

/** Returns the properties that a claim of an existing record writes. */
export function claimedRow({ state, edit = '', pausedMs, crashesAlone, ...rest }: JobRecord): Row {
  // Without a crash or a redrive, the record has none of these properties, so none must be cleared.
  const hasCrashed = rest.crashes > 0 || rest.redrives > 0;
  return {
    ...(hasCrashed && { crashesAlone, isAlone: false }),
    ...stateRow(state),
    ...rest,
    ...(pausedMs !== undefined && { pausedMs }),
    ...(rest.redrives > 0 && { edit, pausedMs: pausedMs ?? 0 }),
  };
}

/** Returns the properties that a write of the holder changes. */
export function changedRow({ state, owner, write, tries, errorCode, unknownSince, pausedMs, steps }: JobRecord): Row {
  // Only the write of a retry adds a step: the record of a settled job shows itself how and when the job settled.
  const isRetry = state.kind === 'waiting' && steps !== undefined;
  return {
    ...stateRow(state),
    ...{ owner, write, tries, errorCode, unknownSince },
    ...(pausedMs !== undefined && { pausedMs }),
    ...(isRetry && { steps }),
  };
}

/** Returns only the properties of this state. Properties of an earlier state may remain in the row, and are ignored. */
function stateRow(state: JobState): Row {
  switch (state.kind) {
    case 'running':
      return {
        state: 'running',
        leaseMs: state.leaseMs,
        failing: state.failing ?? '',
        ...(state.isAlone !== undefined && { isAlone: state.isAlone }),
      };
    case 'waiting':
      return { state: 'waiting', due: state.due };
    case 'settled':
      return { state: 'settled', result: state.result };
    case 'unknown':
      return { state: state.name };
    default:
      throw new TypeError(`unhandled ${JSON.stringify(state satisfies never)}`);
  }
}

/** Returns the record that a row of the ledger holds. Absent properties read as '' or 0. */
export function decodeRow(row: Row): JobRecord {
  const text = (name: string) => String(row[name] ?? '');
  const count = (name: string) => Number(row[name] ?? 0);
  return {
    state: decodeState(row),
    owner: text('owner'),
    write: count('write'),
    tries: count('tries'),
    crashes: count('crashes'),
    crashesAlone: count('crashesAlone'),
    redrives: count('redrives'),
    firstTryAt: text('firstTryAt'),
    errorCode: text('errorCode'),
    unknownSince: text('unknownSince'),
    ...(row.edit && { edit: text('edit') }),
    ...(row.pausedMs && { pausedMs: count('pausedMs') }),
    ...(row.steps && { steps: text('steps') }),
  };
}

const RESULTS: readonly unknown[] = ['completed', 'superseded', 'dead'] satisfies Result[];

function decodeState(row: Row): JobState {
  const { state, leaseMs, failing, due, result } = row;
  const stage = FAILING_STAGES.find((each) => each === failing);
  if (state === 'running' && typeof leaseMs === 'number' && (stage || !failing)) {
    const alone = row.isAlone === true && { isAlone: true };
    return { kind: 'running', leaseMs, ...(stage && { failing: stage }), ...alone };
  }
  if (state === 'waiting' && typeof due === 'string') return { kind: 'waiting', due };
  if (state === 'settled' && result === 'dead' && stage) return { kind: 'settled', result, stage };
  if (state === 'settled' && RESULTS.includes(result)) return { kind: 'settled', result: result as Result };
  return { kind: 'unknown', name: String(state) };
}
