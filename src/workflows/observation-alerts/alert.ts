import { digest, type Row, shardOf } from '../../workflow.js';
import type { Amount } from './read-observation.js';
import type { Place, Result } from './results.js';
import type { Rule } from './rule.js';
import type { Verdict } from './verdict.js';

/** Few, so that writes share transactions. A constant: with another number, rows would not be found. */
export const PARTITIONS = 8;

/**
 * A row of table `alerts`, one for each Observation and rule that has ever raised one:
 *
 *   active       the newest state of the Observation raises it             it does so no more
 *   withdrawn    it did once: since corrected, deleted, entered in error   it does so again
 *
 * What is active follows from what the service holds, and from nothing else; so do its facts. What was withdrawn stays:
 * somebody may have seen it. `revision` rises with every change that people should hear of.
 */
export type AlertOf = { readonly host: string; readonly observationId: string };

export type WithdrawalReason = 'corrected' | 'deleted' | 'entered-in-error';

/** Of the alerts of Observations with the same id in several services, and of several rules, neighbours. */
export function alertsOf({ observationId }: Pick<AlertOf, 'observationId'>): { partition: string; named: string } {
  const named = digest(observationId);
  return { partition: String(shardOf(named, PARTITIONS)), named };
}

/** Without a rule, what the keys of all rules begin with. */
export function keyOfAlert(of: AlertOf, rule: string): Place {
  const { partition, named } = alertsOf(of);
  return { partition, key: `${named}.${digest(of.host)}.${rule}` };
}

/** What becomes of an alert's row. `raisedAt` is the time of the event that raises it. */
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
    ...(isUnchanged && active.notSent !== undefined && { notSent: active.notSent }), // of this revision still
  };
}

/** What becomes of the row where nothing raises the alert any more. */
export function decideNoAlert(current: Row | undefined, because: WithdrawalReason): Row | 'keep' {
  if (current?.status !== 'active') return 'keep';
  return { ...current, status: 'withdrawn', because, revision: Number(current.revision) + 1 };
}

/** What people should hear of when it changes: another version that says the same is no news. */
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
