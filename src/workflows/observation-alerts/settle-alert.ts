import type { Context, FhirEvent, Row } from '../../workflow.js';
import { digest } from '../../workflow.js';
import { addToActiveList, becomesActive, removeFromActiveList } from './active-alerts.js';
import { type AlertOf, decideAlert, decideNoAlert, keyOfAlert, type WithdrawalReason } from './alert.js';
import type { AlertCode } from './codes.js';
import type { Match } from './match-rules.js';
import type { Place, Result } from './results.js';
import { addToOutbox } from './send-alerts.js';
import type { Verdict } from './verdict.js';

/** What a handler works with. */
export type HandlerContext = Pick<Context<FhirEvent<'Observation'>, AlertCode>, 'tables' | 'setting' | 'log'> & {
  readonly event: FhirEvent<'Observation'>;
};

/** An alert that may be, and what makes it so. Nothing does where the rule does not speak of the Observation any more. */
export type AlertCandidate = {
  readonly of: AlertOf;
  readonly rule: string;
  readonly found: (Match & { readonly verdict: Verdict }) | undefined;
  readonly because: WithdrawalReason;
  /**
   * `current` was read before the results that `found` follows from, and is written only where nobody has written the row
   * since. So of two handlers that write one alert, the later one has looked at the results later: the row never goes
   * back to an older result.
   */
  readonly onlyIfUnchanged?: true;
};

/**
 * Raises an alert, withdraws it, or leaves it as it is. `current` is its row as it was read: where that is as it should
 * be, nothing is asked again. Returns `written` where the row was not as it should be, also where another handler has
 * written it meanwhile.
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

/** Returns the row as it is then. Where it is not what it was, and is to be active, it is listed anew first. */
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

/** Whether the row would be written. */
export function isSettled(candidate: AlertCandidate, current: Row | undefined, context: HandlerContext): boolean {
  return decideRow(current, candidate, context) === 'keep';
}

/** Whether no handler has written the alert in between: the webhook's own columns say nothing of it. */
function isSameAlert(one: Row | undefined, other: Row | undefined): boolean {
  return one?.revision === other?.revision && one?.version === other?.version;
}

/** A result that says nothing of what a laboratory thinks of it is the usual case, and no news. */
export function logUndecided(verdict: Verdict, { log }: HandlerContext): void {
  if (verdict.kind === 'undecided' && verdict.reason !== 'no-interpretation') log.info(`undecided-${verdict.reason}`);
}

function decideRow(row: Row | undefined, { found, because }: AlertCandidate, { event }: HandlerContext): Row | 'keep' {
  if (found?.verdict.kind !== 'alert') return decideNoAlert(row, because);
  return decideAlert(row, { ...found, verdict: found.verdict, raisedAt: event.time ?? '' });
}

/** Before the alert: of one that is not there yet it says nothing, since who looks it up reads the alert itself. */
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
