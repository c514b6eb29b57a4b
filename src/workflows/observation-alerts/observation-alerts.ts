import { readFileSync } from 'node:fs';
import type { Observation } from 'fhir/r4.js';
import { defineWorkflow, fhir, needsHosts, type Setting, type Setup } from '../../workflow.js';
import { placeOfAlert, type WithdrawalReason } from './alert.js';
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
import { quantityOf, type ResultPlace, readNext, type WithPrevious } from './results.js';
import { type DeltaRule, isDelta } from './rule.js';
import { loadRules } from './rules.js';
import { createSendAlerts } from './send-alerts.js';
import { type HandlerContext, updateAlert } from './update-alert.js';
import { evaluateFacts, updateDeltaAlert } from './update-delta-alert.js';
import { CODES } from './verdict.js';
import { createPostAlert, webhookProblems } from './webhook.js';

const NO_PLACES: ResultPlaces = { places: [], pending: [] };
const readText = (path: string) => readFileSync(path, 'utf8');
const WEBHOOK_TIMEOUT_MS = 10_000;
const checkHosts = needsHosts('fhir');

/**
 * Raises alerts on results by rules, in table `alerts`, keyed by service, Observation and rule. Table `results` has the
 * results of rules that compare with the patient's previous result.
 *
 * The handler, which holds the Observation, does these steps. Each of them can be repeated:
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

    const own = { host: event.host, observationId: event.resourceId };
    const before = isFirst || deltas.length === 0 ? NO_PLACES : await readResultPlaces(tables, own);
    const moves = matches.flatMap(({ place, result }) => (place ? [{ place, result }] : []));
    // Step 1
    const { newPlaces, allPlaces } = await moveResults(tables, own, { before, moves });
    let { pending } = before;
    const notePending = async (one: PendingAlert) => {
      if (pending.some(({ rule, observationId }) => rule === one.rule && observationId === one.observationId)) return;
      pending = [...pending, one];
      await writeResultPlaces(tables, own, { places: allPlaces, pending });
    };
    const context: HandlerContext = { own, raisedAt: event.time ?? '', tables, setting, log, notePending };

    // Steps 2 and 3
    const nextResults = await updateOwnAlerts(matches, { because: withdrawalReasonOf(observation), isFirst }, context);
    await updateOtherAlerts(deltas, { places: allPlaces, pending: before.pending, nextResults }, context);

    // Step 4
    if (allPlaces.length > newPlaces.length || pending.length > 0)
      await writeResultPlaces(tables, own, { places: newPlaces, pending: [] });
  },
  lookup: alertsLookup,
  task: {
    name: 'sendAlerts',
    schedule: '*/10 * * * * *',
    run: createSendAlerts(createPostAlert({ fetch, timeoutMs: WEBHOOK_TIMEOUT_MS })),
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

function withdrawalReasonOf(observation: Observation | undefined): WithdrawalReason {
  if (observation === undefined) return 'deleted';
  return standingOf(observation) === 'withdrawn' ? 'entered-in-error' : 'corrected';
}

async function updateOwnAlerts(
  matches: readonly Match[],
  { because, isFirst }: { because: WithdrawalReason; isFirst: boolean },
  context: HandlerContext,
): Promise<NextResults> {
  const { own, tables } = context;
  const nextResults: NextResults = new Map();
  const { partition, key: prefix } = placeOfAlert(own, '');
  const before = isFirst ? [] : await tables('alerts').list(partition, { from: prefix, to: `${prefix}~` });

  for (const match of matches) {
    const { rule, place } = match;
    if (place) {
      const alert = { rule, observationId: own.observationId, place, isNew: isFirst };
      nextResults.set(nameOf(rule, place), await updateDeltaAlert(alert, context));
      continue;
    }
    const facts = evaluateFacts(rule, match, context);
    const current = before.find(({ row }) => row.rule === rule.name)?.row;
    await updateAlert({ observation: own, rule: rule.name, facts, because }, current, context);
  }
  for (const { row } of before) {
    const isMatched = matches.some(({ rule }) => rule.name === row.rule);
    if (!isMatched)
      await updateAlert({ observation: own, rule: String(row.rule), facts: undefined, because }, row, context);
  }
  return nextResults;
}

/** The next results that were read together with the Observation's own results, by rule and place. */
type NextResults = Map<string, WithPrevious['next']>;

function nameOf({ name }: DeltaRule, { partition, key }: ResultPlace): string {
  return `${name} ${partition} ${key}`;
}

/** Updates the alerts of the next results after `places`, and the alerts that an earlier try has left. */
async function updateOtherAlerts(
  deltas: readonly DeltaRule[],
  { places, pending, nextResults }: ResultPlaces & { readonly nextResults: NextResults },
  context: HandlerContext,
): Promise<void> {
  const { own, tables } = context;
  for (const place of places) {
    for (const rule of deltas.filter((one) => quantityOf(one) === place.quantity)) {
      const known = nextResults.get(nameOf(rule, place)) ?? 'unread';
      const wanted = { place, observationId: own.observationId };
      const next = known === 'unread' ? ((await readNext(tables, rule, wanted)) ?? 'none') : known;
      if (next !== 'none') await updateDeltaAlert({ rule, ...next }, context);
    }
  }
  for (const { rule: name, observationId } of pending) {
    const rule = deltas.find((one) => one.name === name);
    if (rule) await updateDeltaAlert({ rule, observationId, place: undefined }, context);
  }
}
