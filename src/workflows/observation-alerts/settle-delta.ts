import { keyOfAlert } from './alert.js';
import { evaluate } from './evaluate.js';
import { readResultPlaces } from './result-places.js';
import { type DeltaRule, quantityOf, type ResultPlace, readNext, readWithPrevious } from './results.js';
import { type AlertCandidate, type HandlerContext, isSettled, logUndecided, settleAlert } from './settle-alert.js';

/** More rounds than a few handlers can cause for each other. */
const MAX_ROUNDS = 10;

/** The alert of a delta rule on an Observation: the handler's own, or one whose result comes after it. */
export type DeltaAlert = {
  readonly rule: DeltaRule;
  readonly observationId: string;
  readonly place: ResultPlace | undefined;
};

/**
 * Evaluates and writes the alert until it follows from the current results (A1).
 *
 * Results of two Observations may arrive at once, and each may affect the other's alert. Each handler moves its result
 * before it reads others, so at least one handler sees both. A handler that has written an alert evaluates again, until
 * it finds the alert as it wrote it. So the last handler that writes has seen the last state.
 *
 * Each handler reads the alert, then the results, then writes the alert if it has not changed. So each write follows
 * from later results than the write before. A moving result is also still at its old place: a handler that finds an
 * older version there than the alert's leaves the alert to the handler that moves the result, which evaluates after the
 * move. So the alert never goes back to an older result.
 *
 * `context.notePending` runs before the alert of another Observation is written: if the process then dies, the next try
 * must evaluate that alert again.
 */
export async function settleDelta(alert: DeltaAlert, context: HandlerContext): Promise<void> {
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
      await context.notePending({ rule: rule.name, observationId });
    if ((await settleAlert(candidate, current, context)) === 'as-it-was') return;
  }
  throw new Error('Results kept changing while their alert was written.');
}

/** Returns the alert that may change because a result came to, left, or is at `place`. */
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
    // The result has moved, or is gone.
    const { places } = await readResultPlaces(tables, { host: event.host, observationId });
    const others = places.filter(({ quantity }) => quantity === quantityOf(rule));
    found = (await Promise.all(others.map(at))).find((one) => one !== undefined);
  }
  if (!found) return undefined;
  const verdict = evaluate(rule, found.result.reading, found.previous);
  logUndecided(verdict, context);
  return { rule, result: found.result, verdict };
}
