import type { Context, FhirEvent, Row } from '../../workflow.js';
import { digest } from '../../workflow.js';
import { becomesActive, listActive, unlistActive } from './active-alerts.js';
import { type AlertOf, type Because, decideAlert, decideNoAlert, keyOfAlert } from './alert.js';
import type { AlertCode } from './codes.js';
import type { Match } from './match-rules.js';
import type { Place, Result } from './results.js';
import { noteUnsent } from './send-alerts.js';
import type { Verdict } from './verdict.js';

/** What a handler works with. */
export type Handling = Pick<Context<FhirEvent<'Observation'>, AlertCode>, 'tables' | 'setting' | 'log'> & {
  readonly event: FhirEvent<'Observation'>;
};

/** An alert that may be, and what makes it so. Nothing does where the rule does not speak of the Observation any more. */
export type Settling = {
  readonly of: AlertOf;
  readonly rule: string;
  readonly found: (Match & { readonly verdict: Verdict }) | undefined;
  readonly because: Because;
  /**
   * `current` was read before the results that `found` follows from, and is written only where nobody has written the row
   * since. So of two handlers that write one alert, the later one has looked at the results later: the row never goes
   * back to an older result.
   */
  readonly isOnlyOverCurrent?: true;
};

/**
 * Raises an alert, withdraws it, or leaves it as it is. `current` is its row as it was read: where that is as it should
 * be, nothing is asked again. Returns `written` where the row was not as it should be, also where another handler has
 * written it meanwhile.
 */
export async function settleAlert(
  settling: Settling,
  current: Row | undefined,
  handling: Handling,
): Promise<'as-it-was' | 'written'> {
  const { of, rule, found } = settling;
  const place = keyOfAlert(of, rule);
  const isOurs = (row: Row | undefined) => !settling.isOnlyOverCurrent || isSameAlert(row, current);
  const decide = (row: Row | undefined) => (isOurs(row) ? decideRow(row, settling, handling) : 'keep');
  if (decide(current) === 'keep') {
    await noteUnsent(current, place, handling);
    return 'as-it-was';
  }
  if (found?.verdict.kind === 'alert') await noteForPatient(found.result, place, handling);
  const written = await write(current, place, decide, handling);
  await noteUnsent(written, place, handling);
  return 'written';
}

/** Returns the row as it is then. Where it is not what it was, and is to be active, it is listed anew first. */
async function write(
  current: Row | undefined,
  place: Place,
  decide: (row: Row | undefined) => Row | 'keep',
  { tables }: Handling,
): Promise<Row | undefined> {
  let unlisted = becomesActive(current, decide(current));
  let written: Row | undefined;
  let options: { expect?: 'absent' } = current === undefined ? { expect: 'absent' } : {};
  do {
    const listed = unlisted ?? 0;
    if (unlisted !== undefined) await listActive(tables, place, unlisted);
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
  if (written?.status === 'withdrawn') await unlistActive(tables, place, Number(written.revision));
  return written;
}

/** Whether the row would be written. */
export function isSettled(settling: Settling, current: Row | undefined, handling: Handling): boolean {
  return decideRow(current, settling, handling) === 'keep';
}

/** Whether no handler has written the alert in between: the webhook's own columns say nothing of it. */
function isSameAlert(one: Row | undefined, other: Row | undefined): boolean {
  return one?.revision === other?.revision && one?.version === other?.version;
}

/** A result that says nothing of what a laboratory thinks of it is the usual case, and no news. */
export function logUndecided(verdict: Verdict, { log }: Handling): void {
  if (verdict.kind === 'undecided' && verdict.why !== 'no-interpretation') log.info(`undecided-${verdict.why}`);
}

function decideRow(row: Row | undefined, { found, because }: Settling, { event }: Handling): Row | 'keep' {
  if (found?.verdict.kind !== 'alert') return decideNoAlert(row, because);
  return decideAlert(row, { ...found, verdict: found.verdict, raisedAt: event.time ?? '' });
}

/** Before the alert: of one that is not there yet it says nothing, since who looks it up reads the alert itself. */
async function noteForPatient({ reading }: Result, { partition, key }: Place, { tables }: Handling): Promise<void> {
  if (reading.subject === undefined) return;
  const pointer = { alertPartition: partition };
  const keep = (current: Row | undefined) => (current ? 'keep' : pointer);
  await tables('alertpatients').change(digest(reading.subject), key, keep, { expect: 'absent' });
}
