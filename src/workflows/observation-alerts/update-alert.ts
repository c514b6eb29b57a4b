import { type Context, digest, type FhirEvent, type Place, type Row } from '../../workflow.js';
import { addToActiveList, removeFromActiveList } from './active-alerts.js';
import { decideAlert, decideNoAlert, type ObservationKey, placeOfAlert, type WithdrawalReason } from './alert.js';
import type { PendingAlert } from './result-places.js';
import { addToOutbox } from './send-alerts.js';
import type { AlertCode } from './verdict.js';

/** The parts of a handler's context that alerts need. */
export type HandlerContext = Pick<Context<FhirEvent<'Observation'>, AlertCode>, 'tables' | 'setting' | 'log'> & {
  /** The Observation of the event. */
  readonly own: ObservationKey;
  /** The time of the event. */
  readonly raisedAt: string;
  /** Records an alert of another Observation that the next try must evaluate if this one dies. */
  readonly notePending: (alert: PendingAlert) => Promise<void>;
};

/** An alert that may have to be raised or withdrawn. */
export type AlertCandidate = {
  readonly observation: ObservationKey;
  readonly rule: string;
  /** The columns of the alert that the rule raises; undefined if it raises none. */
  readonly facts: Row | undefined;
  readonly because: WithdrawalReason;
  /**
   * Writes only if no handler has written the row since `current` was read, which was before the results that `facts`
   * follow from. So of two handlers, the later writer has read later results: the alert never goes back to an older
   * result.
   */
  readonly onlyIfUnchanged?: true;
};

type Decide = (row: Row | undefined) => Row | 'keep';

/**
 * Raises an alert, withdraws it, or keeps it. `current` is its row as it was read: if this row is right, the alert is
 * not read again. Returns `written` if the row was not right, even if another handler has written it meanwhile.
 */
export async function updateAlert(
  candidate: AlertCandidate,
  current: Row | undefined,
  context: HandlerContext,
): Promise<'as-it-was' | 'written'> {
  const { observation, rule, facts, because } = candidate;
  const place = placeOfAlert(observation, rule);
  const mayWrite = (row: Row | undefined) => !candidate.onlyIfUnchanged || isSameAlert(row, current);
  const decide: Decide = (row) => {
    if (!mayWrite(row)) return 'keep';
    return facts ? decideAlert(row, facts, context.raisedAt) : decideNoAlert(row, because);
  };
  if (decide(current) === 'keep') {
    await addToOutbox(current, place, context);
    return 'as-it-was';
  }
  const { observationId } = observation;
  if (observationId !== context.own.observationId) await context.notePending({ rule, observationId });
  if (facts?.subject !== undefined) await listForPatient(String(facts.subject), place, context);
  const written = await write(place, { current, decide }, context);
  await addToOutbox(written, place, context);
  return 'written';
}

/**
 * Returns the row after the write. If the row has changed and is to become active, the list of active alerts is written
 * first.
 */
async function write(
  place: Place,
  { current, decide }: { current: Row | undefined; decide: Decide },
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

/** Returns the revision with which the row becomes active; undefined if it was active or does not become active. */
function becomesActive(current: Row | undefined, decided: Row | 'keep'): number | undefined {
  const isNew = decided !== 'keep' && decided.status === 'active' && current?.status !== 'active';
  return isNew ? Number(decided.revision) : undefined;
}

/** Returns whether both are of the same write of a handler. Columns of the webhook do not count. */
function isSameAlert(one: Row | undefined, other: Row | undefined): boolean {
  return one?.revision === other?.revision && one?.version === other?.version;
}

/**
 * Lists the alert under its patient, before the alert is written. Lookups read the alert too, so a pointer may come
 * first.
 */
async function listForPatient(subject: string, { partition, key }: Place, { tables }: HandlerContext): Promise<void> {
  const pointer = { alertPartition: partition };
  const keep = (current: Row | undefined) => (current ? 'keep' : pointer);
  await tables('alertpatients').change(digest(subject), key, keep, { expect: 'absent' });
}
