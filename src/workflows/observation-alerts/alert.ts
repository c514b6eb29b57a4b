import { digest, type Row, shardOf } from '../../workflow.js';
import type { Amount } from './read-observation.js';
import type { Place, Result } from './results.js';
import type { Rule } from './rule.js';
import type { Verdict } from './verdict.js';

/** Few partitions, so that writes share transactions. Never change the number: rows would not be found. */
export const PARTITIONS = 8;

/**
 * The alert of an Observation and a rule, a row of table `alerts`:
 *
 *   active      the newest state of the Observation raises the alert            until that state raises it no more
 *   withdrawn   the Observation was corrected, deleted or entered in error      until the Observation raises it again
 *
 * Which alerts are active, and their facts, follow from the content of the service alone. Withdrawn alerts stay,
 * because people may have seen them. `revision` rises with each change that people should know.
 */
export type AlertOf = { readonly host: string; readonly observationId: string };

/** Why an alert was withdrawn. */
export type WithdrawalReason = 'corrected' | 'deleted' | 'entered-in-error';

/** Returns where the alerts of Observations with this id are: neighbours, for all services and rules. */
export function alertsOf({ observationId }: Pick<AlertOf, 'observationId'>): { partition: string; named: string } {
  const named = digest(observationId);
  return { partition: String(shardOf(named, PARTITIONS)), named };
}

/** Returns the place of an alert. With an empty rule: the beginning of the keys of all rules. */
export function keyOfAlert(of: AlertOf, rule: string): Place {
  const { partition, named } = alertsOf(of);
  return { partition, key: `${named}.${digest(of.host)}.${rule}` };
}

/** Returns the row of an alert that is raised. `raisedAt` is the time of the event that raises the alert. */
export function decideAlert(
  current: Row | undefined,
  {
    rule,
    result,
    verdict,
    raisedAt,
  }: { rule: Rule; result: Result; verdict: Verdict & { kind: 'alert' }; raisedAt: string },
): Row | 'keep' {
  const facts = factsOf(rule, result, verdict);
  const active = current?.status === 'active' ? current : undefined;
  const isUnchanged = active !== undefined && textOfFacts(active) === textOfFacts(facts);
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

/** Columns whose change is no news: another version with the same facts is not reported again. */
const NOT_NEWS: ReadonlySet<string> = new Set(['version', 'status', 'raisedAt', 'revision', 'sentRevision', 'notSent']);

function textOfFacts(row: Row): string {
  const news = Object.entries(row).filter(([name]) => !NOT_NEWS.has(name));
  return JSON.stringify(news.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function factsOf(rule: Rule, { reading, host, version }: Result, verdict: Verdict & { kind: 'alert' }): Row {
  const { observationId, subject, takenAt } = reading;
  return {
    host,
    observationId,
    version,
    rule: rule.name,
    severity: rule.severity,
    ...(subject !== undefined && { subject }),
    ...(takenAt && { takenAt: takenAt.toISOString() }),
    by: verdict.by,
    ...(verdict.amount && amountIn('', verdict.amount)),
    ...(verdict.by === 'interpretation'
      ? { interpretation: verdict.interpretation }
      : { side: verdict.side, threshold: verdict.threshold }),
    ...(verdict.by === 'delta' && {
      previousObservationId: verdict.previous.observationId,
      previousTakenAt: verdict.previous.takenAt.toISOString(),
      ...amountIn('previous', verdict.previous.amount),
    }),
  };
}

function amountIn(prefix: '' | 'previous', { value, comparator, unit }: Amount): Row {
  const name = (word: string) => (prefix === '' ? word : `${prefix}${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return {
    [name('value')]: value,
    ...(comparator !== undefined && { [name('comparator')]: comparator }),
    ...(unit !== undefined && { [name('unit')]: unit }),
  };
}
