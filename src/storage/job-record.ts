import type { HealthEvent } from '../events/health-event.js';
import type { Row, Value } from './table-store.js';

/**
 * What the ledger holds of a job.
 *
 *   state     what holds                                            what ends it
 *   running   `owner` works on it under a lease of `leaseMs`,       settle, wait, or the lapse of the lease
 *             renewed by every write
 *     failing it is beyond help; nothing but the dead letter        settle
 *             of this stage may come of it
 *   waiting   the row `due` in `waiting` will bring it back         a claim by who has that row
 *   settled   completed, superseded or dead                         dead only: a redrive with a higher number
 *
 * `owner` is new for every claim and `write` for every write, so that its writer recognises it when the answer was lost.
 * Records only gain properties: writes merge, and a state of a later version of the app is `unknown` to this one.
 */
export type JobRecord = {
  state: JobState;
  owner: string;
  write: number;
  tries: number;
  /** How often a lapsed lease of this job was taken over. */
  crashes: number;
  /** Those of them at which nothing else ran in the process. */
  crashesAlone: number;
  redrives: number;
  /** Of the first claim, or of the claim that reopened it. */
  firstTryAt: string;
  errorCode: string;
  /** Since when a process that had this job did not know its workflow; '' where that is not so. */
  unknownSince: string;
  /** Which corrected payload this redrive runs, see src/dead-letters/edits.ts; absent where it is as it came. */
  edit?: string;
};

export type JobState =
  /** `isAlone`: nothing else runs in the owner's process. Said of suspects alone, see src/pipeline/company.ts. */
  | { kind: 'running'; leaseMs: number; failing?: Failing; isAlone?: boolean }
  | { kind: 'waiting'; due: string }
  | { kind: 'settled'; result: Result }
  | { kind: 'unknown'; name: string };

export type Result = 'completed' | 'superseded' | 'dead';
/** The stage of the dead letter. It is recorded first, so that it cannot change. */
export type Failing = (typeof FAILING_STAGES)[number];
export const FAILING_STAGES = ['failed', 'crash', 'unknown-workflow'] as const;

// Three ways to write a record, since each property costs on the wire. A property that is not there reads as empty.

/** The first claim: there is nothing that would have to be cleared. */
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

/** A claim of a record that is there. */
export function claimedRow({ state, edit = '', crashesAlone, ...rest }: JobRecord): Row {
  // A record that never crashed and was never redriven has none of these to clear.
  const hasCrashed = rest.crashes > 0 || rest.redrives > 0;
  return {
    ...(hasCrashed && { crashesAlone, isAlone: false }),
    ...stateRow(state),
    ...rest,
    ...(rest.redrives > 0 && { edit }),
  };
}

/** A write of the holder. */
export function changedRow({ state, owner, write, tries, errorCode, unknownSince }: JobRecord): Row {
  return { ...stateRow(state), owner, write, tries, errorCode, unknownSince };
}

/** Of each state only what is its own: the others' properties may still be there, and are not looked at. */
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
  };
}

const RESULTS: readonly unknown[] = ['completed', 'superseded', 'dead'] satisfies Result[];

function decodeState(row: Row): JobState {
  const { state, leaseMs, failing, due, result } = row;
  const alone = row.isAlone === true && { isAlone: true };
  if (state === 'running' && typeof leaseMs === 'number' && !failing) return { kind: 'running', leaseMs, ...alone };
  if (state === 'running' && typeof leaseMs === 'number' && (FAILING_STAGES as readonly unknown[]).includes(failing)) {
    return { kind: 'running', leaseMs, failing: failing as Failing, ...alone };
  }
  if (state === 'waiting' && typeof due === 'string') return { kind: 'waiting', due };
  if (state === 'settled' && RESULTS.includes(result)) return { kind: 'settled', result: result as Result };
  return { kind: 'unknown', name: String(state) };
}
