import { digest, isSameRow, neighboursOf, type Place, type Row, withoutUndefined } from '../../workflow.js';
import type { Result } from './results.js';
import type { Rule } from './rule.js';
import type { Alert } from './verdict.js';

// The alert of an Observation and a rule, a row of table `alerts`:
//
//   status      what holds                                                     ends when
//   active      the newest state of the Observation raises the alert           that state raises it no more
//   withdrawn   the Observation was corrected, deleted or entered in error     the Observation raises the alert again
//
// The set of active alerts and their facts follow from the content of the service alone. Withdrawn alerts stay, because
// people may have seen them. `revision` rises with each change that people should know.

/** The service and the id of an Observation. */
export type ObservationKey = { readonly host: string; readonly observationId: string };

/** Why an alert was withdrawn. */
export type WithdrawalReason = 'corrected' | 'deleted' | 'entered-in-error';

/**
 * Returns the place of an alert: alerts of Observations with one id are neighbours. With an empty rule: the beginning
 * of the keys of all rules.
 */
export function placeOfAlert({ host, observationId }: ObservationKey, rule: string): Place {
  const { partition, prefix } = neighboursOf(observationId);
  return { partition, key: `${prefix}${digest(host)}.${rule}` };
}

/** Returns the columns that say what an alert is about and why it is raised. */
export function factsOf(rule: Rule, { reading, host, version }: Result, alert: Alert): Row {
  const { observationId, subject, takenAt } = reading;
  const { by, amount, interpretation, side, threshold, previous } = alert;
  return withoutUndefined({
    host,
    observationId,
    version,
    rule: rule.name,
    severity: rule.severity,
    subject,
    takenAt: takenAt?.toISOString(),
    by,
    ...amount,
    interpretation,
    side,
    threshold,
    previousObservationId: previous?.observationId,
    previousTakenAt: previous?.takenAt.toISOString(),
    previousValue: previous?.amount.value,
    previousComparator: previous?.amount.comparator,
    previousUnit: previous?.amount.unit,
  });
}

/** Returns the row of an alert that is raised. `raisedAt` is the time of the event that raises the alert. */
export function decideAlert(current: Row | undefined, facts: Row, raisedAt: string): Row | 'keep' {
  const active = current?.status === 'active' ? current : undefined;
  const isUnchanged = active !== undefined && isSameRow(newsIn(facts), newsIn(active));
  if (isUnchanged && active.version === facts.version) return 'keep';
  return {
    ...facts,
    status: 'active',
    raisedAt: active ? String(active.raisedAt) : raisedAt,
    revision: Number(current?.revision ?? 0) + (isUnchanged ? 0 : 1),
    sentRevision: Number(current?.sentRevision ?? 0),
    ...(isUnchanged && active.notSent !== undefined && { notSent: active.notSent }), // still of this revision
  };
}

/** Returns the row of an alert that is raised no more. */
export function decideNoAlert(current: Row | undefined, because: WithdrawalReason): Row | 'keep' {
  if (current?.status !== 'active') return 'keep';
  return { ...current, status: 'withdrawn', because, revision: Number(current.revision) + 1 };
}

/** Returns the columns whose change is news: another version with the same facts is not reported again. */
function newsIn({
  version: _,
  status: _2,
  raisedAt: _3,
  revision: _4,
  sentRevision: _5,
  notSent: _6,
  ...news
}: Row): Row {
  return news;
}
