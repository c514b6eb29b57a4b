import type { Context, FhirEvent, Row } from '../../workflow.js';
import { digest } from '../../workflow.js';
import { addToActiveList, becomesActive, removeFromActiveList } from './active-alerts.js';
import { type AlertOf, decideAlert, decideNoAlert, keyOfAlert, type WithdrawalReason } from './alert.js';
import type { AlertCode } from './codes.js';
import type { Match } from './match-rules.js';
import type { PendingAlert } from './result-places.js';
import type { Place, Result } from './results.js';
import { addToOutbox } from './send-alerts.js';
import type { Verdict } from './verdict.js';

/** The parts of a handler's context that alerts need, and the event. */
export type HandlerContext = Pick<Context<FhirEvent<'Observation'>, AlertCode>, 'tables' | 'setting' | 'log'> & {
  readonly event: FhirEvent<'Observation'>;
  /** Records an alert of another Observation that the next try must evaluate if this one dies. */
  readonly notePending: (alert: PendingAlert) => Promise<void>;
};

/**
 * An alert that may have to be raised or withdrawn. `found` is undefined if the rule is no longer for the Observation.
 */
export type AlertCandidate = {
  readonly of: AlertOf;
  readonly rule: string;
  readonly found: (Match & { readonly verdict: Verdict }) | undefined;
  readonly because: WithdrawalReason;
  /**
   * Writes only if no handler has written the row since `current` was read, which was before the results that `found`
   * follows from. So of two handlers, the later writer has read later results: the alert never goes back to an older
   * result.
   */
  readonly onlyIfUnchanged?: true;
};

/**
 * Raises an alert, withdraws it, or keeps it. `current` is its row as it was read: if this row is right, the alert is
 * not read again. Returns `written` if the row was not right, even if another handler has written it meanwhile.
 */
export async function settleAlert(
  candidate: AlertCandidate,
  current: Row | undefined,
  context: HandlerContext,
): Promise<'as-it-was' | 'written'> {
  const { of, rule, found } = candidate;
  const place = keyOfAlert(of, rule);
  const isOurs = (row: Row | undefined) => !candidate.onlyIfUnchanged || isSameAlert(row, current);
  const decide = (row: Row | undefined) => (isOurs(row) ? decideRow(row, candidate, context) : 'keep');
  if (decide(current) === 'keep') {
    await addToOutbox(current, place, context);
    return 'as-it-was';
  }
  if (found?.verdict.kind === 'alert') await noteForPatient(found.result, place, context);
  const written = await write(current, place, decide, context);
  await addToOutbox(written, place, context);
  return 'written';
}

/**
 * Returns the row after the write. If the row has changed and is to become active, the list of active alerts is written
 * first.
 */
async function write(
  current: Row | undefined,
  place: Place,
  decide: (row: Row | undefined) => Row | 'keep',
  { tables }: HandlerContext,
): Promise<Row | undefined> {
  let unlisted = becomesActive(current, decide(current));
  let written: Row | undefined;
  let options: { expect?: 'absent' } = current === undefined ? { expect: 'absent' } : {};
  do {
    const listed = unlisted ?? 0;
    if (unlisted !== undefined) await addToActiveList(tables, place, unlisted);
    await tables('alerts').change(
      place.partition,
      place.key,
      (row) => {
        const decided = decide(row);
        const needed = becomesActive(row, decided);
        unlisted = needed !== undefined && needed > listed ? needed : undefined;
        written = decided === 'keep' ? row : decided;
        return unlisted === undefined ? decided : 'keep';
      },
      options,
    );
    options = {};
  } while (unlisted !== undefined);
  if (written?.status === 'withdrawn') await removeFromActiveList(tables, place, Number(written.revision));
  return written;
}

/** Whether `current` is right, so that nothing needs to be written. */
export function isSettled(candidate: AlertCandidate, current: Row | undefined, context: HandlerContext): boolean {
  return decideRow(current, candidate, context) === 'keep';
}

/** Whether both are of the same write of a handler. Columns of the webhook do not count. */
function isSameAlert(one: Row | undefined, other: Row | undefined): boolean {
  return one?.revision === other?.revision && one?.version === other?.version;
}

/** Logs the reason of an undecided rule. Missing interpretations are usual and are not logged. */
export function logUndecided(verdict: Verdict, { log }: HandlerContext): void {
  if (verdict.kind === 'undecided' && verdict.reason !== 'no-interpretation') log.info(`undecided-${verdict.reason}`);
}

function decideRow(row: Row | undefined, { found, because }: AlertCandidate, { event }: HandlerContext): Row | 'keep' {
  if (found?.verdict.kind !== 'alert') return decideNoAlert(row, because);
  return decideAlert(row, { ...found, verdict: found.verdict, raisedAt: event.time ?? '' });
}

/**
 * Lists the alert under its patient, before the alert is written. Look-ups read the alert too, so a pointer may come
 * first.
 */
async function noteForPatient(
  { reading }: Result,
  { partition, key }: Place,
  { tables }: HandlerContext,
): Promise<void> {
  if (reading.subject === undefined) return;
  const pointer = { alertPartition: partition };
  const keep = (current: Row | undefined) => (current ? 'keep' : pointer);
  await tables('alertpatients').change(digest(reading.subject), key, keep, { expect: 'absent' });
}
