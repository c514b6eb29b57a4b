import { readFileSync } from 'node:fs';
import type { Observation } from 'fhir/r4.js';
import {
  type Context,
  defineWorkflow,
  digest,
  type FhirEvent,
  fhir,
  needsHosts,
  type Row,
  type Setting,
  type Setup,
} from '../../workflow.js';
import { alertsOf, type Because, decideAlert, decideNoAlert, keyOfAlert } from './alert.js';
import { evaluate } from './evaluate.js';
import { loadRules } from './load-rules.js';
import { alertsLookup } from './lookup.js';
import { readingFor, standingOf } from './read-observation.js';
import {
  type DeltaRule,
  isDelta,
  moveResults,
  type Place,
  placeAfter,
  placeOf,
  quantityOf,
  type Result,
  type ResultPlace,
  readWithPrevious,
} from './results.js';
import type { Rule } from './rule.js';
import { noteUnsent, sendAlerts, webhookProblems } from './send-alerts.js';
import type { Verdict } from './verdict.js';

type Event = FhirEvent<'Observation'>;
type Handling = Pick<Context, 'tables' | 'setting' | 'log'> & { readonly event: Event };
type Match = { readonly rule: Rule; readonly result: Result };

const readText = (path: string) => readFileSync(path, 'utf8');
const checkHosts = needsHosts('fhir');
/** One more than two handlers can need of each other. */
const MOST_LOOKS = 10;

/**
 * Raises alerts on results, by rules: table `alerts`, keyed by service, Observation and rule. Beside it, for rules that
 * compare with the patient's previous result, table `results`.
 *
 * An event is worked on while its Observation is held, in this order, each step of which may be repeated:
 *   its results are put in their places; its own alerts are raised or withdrawn; and so are those of the next results
 *   after these places, whose previous result may be another now.
 *
 * Results of two Observations may arrive at once, and each may concern the alert of the other. Each writes its result
 * before it looks at the others', so at least one of the two sees both. Who has written an alert looks again, and writes
 * again until what it has written is of what there is. So the last to write has seen the last state, whoever that was.
 */
export const observationAlerts = defineWorkflow({
  name: 'observation-alerts',
  on: fhir('Observation'),
  ordering: 'latest',
  setup(setting): Setup {
    const loaded = loadRules(setting('ALERT_RULES'), readText);
    const problems = [...(loaded.kind === 'wrong' ? loaded.problems : []), ...webhookProblems(setting)];
    return problems.length > 0 ? { kind: 'wrong', problems } : checkHosts(setting);
  },
  async handle(event, { resource, tables, setting, log }) {
    const observation = event.change === 'deleted' ? undefined : await resource.current();
    const matches = matchesOf(rulesOf(setting), observation, event);
    if (matches.length === 0 && event.change === 'created') return; // nothing of it was ever written
    const handling = { event, tables, setting, log };
    const changed = await moveDeltas(matches, handling);
    await settleOwn(matches, becauseOf(observation), handling);
    for (const { rule, place } of changed) await settleNext(rule, place, handling);
  },
  lookup: alertsLookup,
  task: { name: 'sendAlerts', schedule: '*/10 * * * * *', run: sendAlerts },
});

/** Read once: a rule may not change while the app runs. */
const loadedRules = new Map<string | undefined, readonly Rule[]>();

function rulesOf(setting: Setting): readonly Rule[] {
  const path = setting('ALERT_RULES');
  const known = loadedRules.get(path);
  if (known) return known;
  const loaded = loadRules(path, readText);
  if (loaded.kind === 'wrong') throw new TypeError(`The rules of observation-alerts cannot be used any more: ${path}`);
  loadedRules.set(path, loaded.rules);
  return loaded.rules;
}

function matchesOf(rules: readonly Rule[], observation: Observation | undefined, event: Event): Match[] {
  if (observation === undefined) return [];
  const { host, version, resourceId } = event;
  return rules.flatMap((rule) => {
    const reading = readingFor(rule, observation, host);
    if (reading === undefined) return [];
    const result = {
      reading: { ...reading, observationId: resourceId },
      host,
      version: Number(observation.meta?.versionId ?? version),
    };
    return [{ rule, result }];
  });
}

function becauseOf(observation: Observation | undefined): Because {
  if (observation === undefined) return 'deleted';
  return standingOf(observation) === 'withdrawn' ? 'entered-in-error' : 'corrected';
}

/** Puts the results where deltas look for them. Returns every place where one came, went, or is. */
async function moveDeltas(
  matches: readonly Match[],
  { event, tables, setting }: Handling,
): Promise<{ rule: DeltaRule; place: ResultPlace }[]> {
  const deltas = rulesOf(setting).filter(isDelta);
  if (deltas.length === 0) return [];
  const { host, resourceId: observationId } = event;
  const results = matches.flatMap(({ rule, result }) => {
    const place = isDelta(rule) ? placeOf(rule, result) : undefined;
    return place ? [{ place, result }] : [];
  });
  if (results.length === 0 && event.change === 'created') return [];
  const places = await moveResults(tables, { named: keyOfAlert({ host, observationId }, 'places'), results });
  return places.flatMap((place) =>
    deltas.filter((rule) => quantityOf(rule) === place.quantity).map((rule) => ({ rule, place })),
  );
}

async function settleOwn(matches: readonly Match[], because: Because, handling: Handling): Promise<void> {
  const { event, tables } = handling;
  const of = { host: event.host, observationId: event.resourceId };
  const { partition } = alertsOf(of);
  const { key: prefix } = keyOfAlert(of, '');
  const before = await tables('alerts').list(partition, { from: prefix, to: `${prefix}~` });
  const rowOf = (rule: string) => before.find(({ row }) => row.rule === rule)?.row;

  for (const { rule, result } of matches) {
    const place = isDelta(rule) ? placeOf(rule, result) : undefined;
    if (isDelta(rule) && place) await settleDelta(rule, place, handling);
    else
      await settleAlert(
        { rule, result, verdict: told(evaluate(rule, result.reading), handling) },
        because,
        rowOf(rule.name),
        handling,
      );
  }
  for (const { row } of before) {
    if (matches.some(({ rule }) => rule.name === row.rule)) continue;
    await withdraw(of, String(row.rule), because, handling);
  }
}

/** `current` is the row as it was listed: where it is as it should be, nothing is asked again. */
async function settleAlert(
  { rule, result, verdict }: Match & { verdict: Verdict },
  because: Because,
  current: Row | undefined,
  handling: Handling,
): Promise<boolean> {
  const { tables, event } = handling;
  const { host, reading } = result;
  const { partition, key } = keyOfAlert({ host, observationId: reading.observationId }, rule.name);
  const raisedAt = event.time ?? '';
  const decide = (row: Row | undefined) =>
    verdict.kind === 'alert' ? decideAlert(row, { rule, result, verdict, raisedAt }) : decideNoAlert(row, because);
  if (decide(current) === 'keep') {
    await noteUnsent(current, { partition, key }, handling);
    return false;
  }
  let written: Row | undefined;
  if (verdict.kind === 'alert') await noteForPatient(result, { partition, key }, handling);
  await tables('alerts').change(
    partition,
    key,
    (row) => {
      const decided = decide(row);
      written = decided === 'keep' ? row : decided;
      return decided;
    },
    current === undefined ? { expect: 'absent' } : {},
  );
  await noteUnsent(written, { partition, key }, handling);
  return true;
}

async function withdraw(
  of: { host: string; observationId: string },
  rule: string,
  because: Because,
  handling: Handling,
): Promise<void> {
  const { partition, key } = keyOfAlert(of, rule);
  let written: Row | undefined;
  await handling.tables('alerts').change(partition, key, (row) => {
    const decided = decideNoAlert(row, because);
    written = decided === 'keep' ? row : decided;
    return decided;
  });
  await noteUnsent(written, { partition, key }, handling);
}

async function settleNext(rule: DeltaRule, place: ResultPlace, handling: Handling): Promise<void> {
  const next = await placeAfter(handling.tables, rule, place, handling.event.resourceId);
  if (next) await settleDelta(rule, next, handling);
}

/** Until what is written is of what there is: see above. */
async function settleDelta(rule: DeltaRule, place: Place, handling: Handling): Promise<void> {
  const { tables } = handling;
  let hasWritten: Result | undefined;
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const found = await readWithPrevious(tables, rule, place);
    if (!found) {
      // Its own handler has taken it away, and may have withdrawn the alert before we wrote it.
      if (hasWritten)
        await withdraw(
          { host: hasWritten.host, observationId: hasWritten.reading.observationId },
          rule.name,
          'corrected',
          handling,
        );
      return;
    }
    const { result, previous } = found;
    const verdict = told(evaluate(rule, result.reading, previous), handling);
    const { partition, key } = keyOfAlert(
      { host: result.host, observationId: result.reading.observationId },
      rule.name,
    );
    const current = await tables('alerts').get(partition, key);
    if (!(await settleAlert({ rule, result, verdict }, 'corrected', current, handling))) return;
    hasWritten = result;
  }
  throw new Error('Results kept changing while their alert was written.');
}

/** A result that says nothing of what a laboratory thinks of it is the usual case, and no news. */
function told(verdict: Verdict, { log }: Handling): Verdict {
  if (verdict.kind === 'undecided' && verdict.why !== 'no-interpretation') log.info(`undecided-${verdict.why}`);
  return verdict;
}

/** Before the alert: of one that is not there yet it says nothing, since who looks it up reads the alert itself. */
async function noteForPatient({ reading }: Result, { partition, key }: Place, { tables }: Handling): Promise<void> {
  if (reading.subject === undefined) return;
  const pointer = { alertPartition: partition };
  const keep = (current: Row | undefined) => (current ? 'keep' : pointer);
  await tables('alertpatients').change(digest(reading.subject), key, keep, { expect: 'absent' });
}
