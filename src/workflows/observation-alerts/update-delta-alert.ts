import { factsOf, placeOfAlert } from './alert.js';
import { evaluate } from './evaluate.js';
import type { Reading } from './reading.js';
import { readResultPlaces } from './result-places.js';
import { quantityOf, type Result, type ResultPlace, readWithPrevious, type WithPrevious } from './results.js';
import type { DeltaRule, Rule } from './rule.js';
import { type AlertCandidate, type HandlerContext, updateAlert } from './update-alert.js';

/** This is more rounds than a few handlers can cause for each other. */
const MAX_ROUNDS = 10;

/** The alert of a delta rule on an Observation: the handler's own, or one whose result comes after it. */
type DeltaAlert = {
  readonly rule: DeltaRule;
  readonly observationId: string;
  readonly place: ResultPlace | undefined;
  /**
   * Set if no handler ran before for this Observation. Then no other handler could see its result, so there is no alert
   * to read. If another handler sees the result now, it writes the alert itself (A1), and storage refuses this insert.
   */
  readonly isNew?: boolean;
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
 * Returns the next result if it was read together with the handler's own result: `unread` otherwise.
 */
export async function updateDeltaAlert(alert: DeltaAlert, context: HandlerContext): Promise<WithPrevious['next']> {
  const { rule, observationId, isNew } = alert;
  const observation = { ...context.own, observationId };
  const { partition, key } = placeOfAlert(observation, rule.name);
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
    const isAbsent = isNew && rounds === 0;
    const current = isAbsent ? undefined : await context.tables('alerts').get(partition, key);
    const found = await readResult(alert, context);
    const facts = found && evaluateFacts(rule, found, context);
    const isOld = current?.status === 'active' && Number(current.version) > (found?.result.version ?? Infinity);
    if (isOld && observationId !== context.own.observationId) return 'unread';
    const candidate: AlertCandidate = {
      observation,
      rule: rule.name,
      facts,
      because: 'corrected',
      onlyIfUnchanged: true,
    };
    if ((await updateAlert(candidate, current, context)) === 'as-it-was') return found?.next ?? 'unread';
  }
  throw new Error('Results kept changing while their alert was written.');
}

/** Returns the facts of the alert that `rule` raises; undefined if it raises none. Logs why a rule cannot decide. */
export function evaluateFacts(
  rule: Rule,
  { result, previous }: { result: Result; previous?: Reading | undefined },
  { log }: Pick<HandlerContext, 'log'>,
) {
  const verdict = evaluate(rule, result.reading, previous);
  // Missing interpretations are usual and are not logged.
  if (verdict.kind === 'undecided' && verdict.reason !== 'no-interpretation') log.info(`undecided-${verdict.reason}`);
  return verdict.kind === 'alert' ? factsOf(rule, result, verdict) : undefined;
}

async function readResult({ rule, observationId, place }: DeltaAlert, { tables, own }: HandlerContext) {
  const alsoNext = observationId === own.observationId;
  const at = (one: ResultPlace) => readWithPrevious(tables, rule, { place: one, alsoNext });
  const found = place && (await at(place));
  if (found) return found;
  // The result has moved, or is gone.
  const { places } = await readResultPlaces(tables, { ...own, observationId });
  const others = places.filter(({ quantity }) => quantity === quantityOf(rule));
  return (await Promise.all(others.map(at))).find((one) => one !== undefined);
}
