import { keyOfAlert } from './alert.js';
import { evaluate } from './evaluate.js';
import { type PendingAlert, readResultPlaces } from './result-places.js';
import { type DeltaRule, quantityOf, type ResultPlace, readNext, readWithPrevious } from './results.js';
import { type AlertCandidate, type HandlerContext, isSettled, logUndecided, settleAlert } from './settle-alert.js';

/** More than a few handlers can need of each other. */
const MAX_ROUNDS = 10;

/** The alert of a rule that compares, on the result of an Observation: its own, or one that comes after its own. */
export type DeltaAlert = {
  readonly rule: DeltaRule;
  readonly observationId: string;
  readonly place: ResultPlace | undefined;
};

/**
 * Until what is written is of what there is. Results of two Observations may arrive at once, and each may concern the
 * alert of the other. Each handler moves its result before it looks at the others', so at least one of the two sees
 * both. A handler that has written an alert looks again, and writes again until it finds what it has written. So the last
 * handler to write has seen the last state, whichever handler that was.
 *
 * Each handler reads the alert, then looks at the results, then writes the alert if it is still the one that was read.
 * So each write follows from a later look than the write before. While a result moves, it is in its old place, too: a
 * handler that finds an older version there than the alert is of leaves the alert to the handler that moves the result,
 * which looks after the move. So the alert never goes back to an older result.
 *
 * `owe` is called before the alert of another Observation is written: who dies before it has looked again must do so in
 * its next try.
 */
export async function settleDelta(
  alert: DeltaAlert,
  context: HandlerContext,
  notePending: (alert: PendingAlert) => Promise<void>,
): Promise<void> {
  const { host, resourceId } = context.event;
  const { rule, observationId } = alert;
  const of = { host, observationId };
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
    const { partition, key } = keyOfAlert(of, rule.name);
    const current = await context.tables('alerts').get(partition, key);
    const found = await evaluateNow(alert, context);
    const isOld = current?.status === 'active' && Number(current.version) > (found?.result.version ?? Infinity);
    if (isOld && observationId !== resourceId) return;
    const candidate: AlertCandidate = { of, rule: rule.name, found, because: 'corrected', onlyIfUnchanged: true };
    if (observationId !== resourceId && !isSettled(candidate, current, context))
      await notePending({ rule: rule.name, observationId });
    if ((await settleAlert(candidate, current, context)) === 'as-it-was') return;
  }
  throw new Error('Results kept changing while their alert was written.');
}

/** The alert that may be another now that a result came to, went from, or is at `place`. */
export async function findNext(
  rule: DeltaRule,
  place: ResultPlace,
  { tables, event }: HandlerContext,
): Promise<DeltaAlert[]> {
  const next = await readNext(tables, rule, place, event.resourceId);
  if (!next) return [];
  return [{ rule, observationId: next.reading.observationId, place: { ...place, key: next.key } }];
}

async function evaluateNow(
  { rule, observationId, place }: DeltaAlert,
  context: HandlerContext,
): Promise<AlertCandidate['found']> {
  const { tables, event } = context;
  const at = (one: ResultPlace) => readWithPrevious(tables, rule, one);
  let found = place && (await at(place));
  if (!found) {
    // It has moved away meanwhile, or is gone.
    const { places } = await readResultPlaces(tables, { host: event.host, observationId });
    const others = places.filter(({ quantity }) => quantity === quantityOf(rule));
    found = (await Promise.all(others.map(at))).find((one) => one !== undefined);
  }
  if (!found) return undefined;
  const verdict = evaluate(rule, found.result.reading, found.previous);
  logUndecided(verdict, context);
  return { rule, result: found.result, verdict };
}
