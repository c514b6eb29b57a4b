import { readFileSync } from 'node:fs';
import type { Observation } from 'fhir/r4.js';
import { defineWorkflow, fhir, needsHosts, type Setting, type Setup } from '../../workflow.js';
import { alertsOf, keyOfAlert, type WithdrawalReason } from './alert.js';
import { CODES } from './codes.js';
import { evaluate } from './evaluate.js';
import { loadRules } from './load-rules.js';
import { alertsLookup } from './lookup.js';
import { indexRules, type Match, matchRules, type RuleIndex } from './match-rules.js';
import { standingOf } from './read-observation.js';
import {
  moveResults,
  type PendingAlert,
  type ResultPlaces,
  readResultPlaces,
  writeResultPlaces,
} from './result-places.js';
import { type DeltaRule, isDelta, placeOf, quantityOf } from './results.js';
import { createSendAlerts } from './send-alerts.js';
import { type HandlerContext, logUndecided, settleAlert } from './settle-alert.js';
import { findNext, settleDelta } from './settle-delta.js';
import { createPost, webhookProblems } from './webhook.js';

const NO_PLACES: ResultPlaces = { places: [], pending: [] };
const readText = (path: string) => readFileSync(path, 'utf8');
/** Time limit of the webhook's answer. */
const WEBHOOK_TIMEOUT_MS = 10_000;
const checkHosts = needsHosts('fhir');

/**
 * Raises alerts on results by rules, in table `alerts`, keyed by service, Observation and rule. Table `results` has the
 * results of rules that compare with the patient's previous result.
 *
 * The handler locks the Observation and does these steps, each of which can be repeated:
 *   1. writes the Observation's results to their places
 *   2. raises or withdraws the Observation's own alerts
 *   3. raises or withdraws the alerts of the next results after these places, whose previous result may have changed
 *   4. records that nothing is left to do
 */
export const observationAlerts = defineWorkflow({
  name: 'observation-alerts',
  codes: CODES,
  on: fhir('Observation'),
  ordering: 'latest',
  setup(setting): Setup {
    const loaded = loadRules(setting('ALERT_RULES'), readText);
    const problems = [...(loaded.kind === 'wrong' ? loaded.problems : []), ...webhookProblems(setting)];
    return problems.length > 0 ? { kind: 'wrong', problems } : checkHosts(setting);
  },
  async handle(event, { resource, tables, setting, log, fence }) {
    const { index, deltas } = rulesOf(setting);
    const observation = event.change === 'deleted' ? undefined : await resource.current();
    const matches = observation ? matchRules(index, observation, event) : [];
    const isFirst = fence === 1; // no handler ran before, so nothing was written
    if (matches.length === 0 && isFirst) return;

    const context: HandlerContext = { event, tables, setting, log, notePending: async () => {} };
    const because = becauseOf(observation);
    if (deltas.length === 0) return settleOwn(matches, because, { isFirst, context });
    await settleWithOthers(matches, because, { isFirst, context, deltas });
  },
  lookup: alertsLookup,
  task: {
    name: 'sendAlerts',
    schedule: '*/10 * * * * *',
    run: createSendAlerts(createPost({ fetch, timeoutMs: WEBHOOK_TIMEOUT_MS })),
  },
});

type Rules = { readonly index: RuleIndex; readonly deltas: readonly DeltaRule[] };

/** Cached, because rules do not change while the app runs. */
const loadedRules = new Map<string | undefined, Rules>();

function rulesOf(setting: Setting): Rules {
  const path = setting('ALERT_RULES');
  const known = loadedRules.get(path);
  if (known) return known;
  const loaded = loadRules(path, readText);
  if (loaded.kind === 'wrong') throw new TypeError(`The rules of observation-alerts cannot be used any more: ${path}`);
  const rules = { index: indexRules(loaded.rules), deltas: loaded.rules.filter(isDelta) };
  loadedRules.set(path, rules);
  return rules;
}

function becauseOf(observation: Observation | undefined): WithdrawalReason {
  if (observation === undefined) return 'deleted';
  return standingOf(observation) === 'withdrawn' ? 'entered-in-error' : 'corrected';
}

/** Settles alerts if there are delta rules: the alert of one result depends on two Observations. */
async function settleWithOthers(
  matches: readonly Match[],
  because: WithdrawalReason,
  { isFirst, context: handler, deltas }: { isFirst: boolean; context: HandlerContext; deltas: readonly DeltaRule[] },
): Promise<void> {
  const { event, tables } = handler;
  const of = { host: event.host, observationId: event.resourceId };
  const before = isFirst ? NO_PLACES : await readResultPlaces(tables, of);
  const moves = matches.flatMap(({ rule, result }) => {
    const place = isDelta(rule) ? placeOf(rule, result) : undefined;
    return place ? [{ place, result }] : [];
  });
  const { wanted, all } = await moveResults(tables, of, { before, moves });
  let { pending } = before;
  const notePending = async (one: PendingAlert) => {
    if (pending.some(({ rule, observationId }) => rule === one.rule && observationId === one.observationId)) return;
    pending = [...pending, one];
    await writeResultPlaces(tables, of, { places: all, pending });
  };
  const context = { ...handler, notePending };

  await settleOwn(matches, because, { isFirst, context });
  for (const place of all) {
    for (const rule of deltas.filter((one) => quantityOf(one) === place.quantity)) {
      for (const next of await findNext(rule, place, context)) await settleDelta(next, context);
    }
  }
  for (const { rule: name, observationId } of before.pending) {
    const rule = deltas.find((one) => one.name === name);
    if (rule) await settleDelta({ rule, observationId, place: undefined }, context);
  }

  if (all.length > wanted.length || pending.length > 0)
    await writeResultPlaces(tables, of, { places: wanted, pending: [] });
}

async function settleOwn(
  matches: readonly Match[],
  because: WithdrawalReason,
  { isFirst, context }: { isFirst: boolean; context: HandlerContext },
): Promise<void> {
  const { event, tables } = context;
  const of = { host: event.host, observationId: event.resourceId };
  const { key: prefix } = keyOfAlert(of, '');
  const before = isFirst ? [] : await tables('alerts').list(alertsOf(of).partition, { from: prefix, to: `${prefix}~` });

  for (const { rule, result } of matches) {
    const place = isDelta(rule) ? placeOf(rule, result) : undefined;
    if (isDelta(rule) && place) {
      await settleDelta({ rule, observationId: of.observationId, place }, context);
      continue;
    }
    const verdict = evaluate(rule, result.reading);
    logUndecided(verdict, context);
    const current = before.find(({ row }) => row.rule === rule.name)?.row;
    await settleAlert({ of, rule: rule.name, found: { rule, result, verdict }, because }, current, context);
  }
  for (const { row } of before) {
    const isMatched = matches.some(({ rule }) => rule.name === row.rule);
    if (!isMatched) await settleAlert({ of, rule: String(row.rule), found: undefined, because }, row, context);
  }
}
