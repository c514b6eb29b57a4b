import type { TableStore } from '../../storage/table-store.js';
import type { Services } from '../services.js';
import { type Changes, findKnownChanges } from './find-known-changes.js';
import { findSent, type RunStorage, type Search } from './find-sent.js';
import type { Sent, SentEvent } from './sent.js';
import { checkStudies } from './table-checks/imaging-studies.js';
import { checkAlerts } from './table-checks/observation-alerts.js';
import { checkPatients } from './table-checks/patient-registry.js';
import { checkIndex } from './table-checks/resource-index.js';
import type { Newest, TableCheck } from './table-checks/table-check.js';

/** The result of a run: the state of all its events in storage. */
export type Verdict = Awaited<ReturnType<typeof findVerdict>>;

const MAX_PROBLEMS = 20;
/** A check for each built-in workflow that keeps tables. */
const TABLE_CHECKS: readonly TableCheck[] = [checkIndex, checkPatients, checkAlerts, checkStudies];

type VerdictSearch = Search & {
  newest: Newest;
  services: Services;
  eventIdOf: (n: number) => string;
  neverDelivered: Changes;
  /** The workspace of the events. */
  source: string;
};

/** Returns the verdict from one look at storage. `eventIdOf` gives the ids for problems. */
export async function findVerdict(storage: RunStorage & { workflowTables: TableStore }, search: VerdictSearch) {
  await findSent(storage, search);
  const { events, missed, jobs, lost, lags } = countAll(search.sent);
  const known = await findKnownChanges(storage.tables, { ...search, changes: search.neverDelivered });
  const problems = lost.slice(0, MAX_PROBLEMS).map((n) => `lost: ${search.eventIdOf(n)}`);
  if (events.undelivered > 0)
    problems.unshift(`Event Grid gave up on ${events.undelivered} events: the app has not acted on them`);
  const isWhole = missed.lostByChaos + missed.eventsOff === 0;
  const tables = await checkTables(storage.workflowTables, { ...search, isWhole }, problems);
  return {
    /** No event is lost or undelivered, and the tables are right. Changes that are never delivered do not count. */
    ok: problems.length === 0,
    events,
    neverDelivered: {
      ...missed,
      /** The part of both that belongs to hard-deleted resources, whose changes no comparison can find. */
      hardDeleted: missed.lostByChaos + missed.eventsOff - search.neverDelivered.size,
      /** The part of both that jobs of the app know, because reconciliation has found the changes. */
      found: known.size,
    },
    jobs,
    ...describeLags(lags),
    tables,
    /** Sentences, with ids of events and no other value. */
    problems: problems.slice(0, MAX_PROBLEMS) as readonly string[],
  };
}

function describeLags(lags: Float64Array) {
  if (lags.length === 0) return { lagMs: null, withinFiveSeconds: null };
  lags.sort();
  const at = (share: number) => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0;
  const mean = lags.reduce((sum, lag) => sum + lag, 0) / lags.length;
  return {
    /** The lag is the time from the change until its last job is settled, for settled events. */
    lagMs: { mean, p50: at(0.5), p99: at(0.99), p9999: at(0.9999), max: at(1) },
    /** The share of lags within 5 s. The service promises 99.99 %, and 1 s in the mean. */
    withinFiveSeconds: lags.filter((lag) => lag <= 5000).length / lags.length,
  };
}

const NO_EVENTS = {
  /** Events that Event Grid delivers, or gives up on. */
  sent: 0,
  malformed: 0,
  /** Events whose jobs are all completed or superseded. */
  settled: 0,
  /** Events with a job that has a dead letter. */
  deadLettered: 0,
  /** Malformed events with a dead letter. */
  rejected: 0,
  /** Events with a job that runs or waits for a retry. */
  open: 0,
  /** Events that no workflow wants. */
  ignored: 0,
  /** Events that never reached the app, in Event Grid's own dead letters. */
  undelivered: 0,
  lost: 0,
};
const NONE_MISSED = {
  /** Events that chaos never delivers. */
  lostByChaos: 0,
  /** Changes without an event, because the events of their service were off. */
  eventsOff: 0,
};

function countAll(sent: Sent) {
  const events = { ...NO_EVENTS };
  const missed = { ...NONE_MISSED };
  const jobs = { completed: 0, superseded: 0, deadLettered: 0, open: 0 };
  const lost: number[] = [];
  const lags: number[] = [];
  for (let n = 0; n < sent.count; n += 1) {
    const event = sent.get(n);
    if (event.missed) {
      missed[event.missed === 'lost' ? 'lostByChaos' : 'eventsOff'] += 1;
      continue;
    }
    events.sent += 1;
    const fate = fateOf(event);
    events[fate] += 1;
    if (event.isMalformed) events.malformed += 1;
    if (fate === 'lost') lost.push(n);
    if (fate === 'settled') lags.push(Math.max(0, event.settledAtMs - event.atMs));
    jobs.completed += bitsIn(event.completed);
    jobs.superseded += bitsIn(event.superseded);
    jobs.deadLettered += bitsIn(event.dead);
    jobs.open += bitsIn(event.open & event.wanted & ~(event.completed | event.superseded | event.dead));
  }
  return { events, missed, jobs, lost, lags: Float64Array.from(lags) };
}

type Fate = 'settled' | 'deadLettered' | 'rejected' | 'open' | 'ignored' | 'undelivered' | 'lost';

function fateOf({ isMalformed, hasDeadLetter, isUndelivered, wanted, dead, open, ...event }: SentEvent): Fate {
  if (isMalformed) return hasDeadLetter ? 'rejected' : isUndelivered ? 'undelivered' : 'lost';
  if (wanted === 0) return 'ignored';
  const done = event.completed | event.superseded;
  if ((wanted & ~done) === 0) return 'settled';
  if ((wanted & ~(done | dead)) === 0) return 'deadLettered';
  if ((wanted & ~(done | dead | open)) === 0) return 'open';
  if (hasDeadLetter) return 'deadLettered'; // the app rejected it as invalid, or its workspace is not listed
  return isUndelivered ? 'undelivered' : 'lost';
}

/** Returns the results of the checks, for each workflow that has a check. */
async function checkTables(tables: TableStore, search: VerdictSearch & { isWhole: boolean }, problems: string[]) {
  const { newest, services, since, sent, workflows, isWhole } = search;
  const found: Record<string, { rows: number; wrong: number }> = {};
  for (const { workflow, check } of TABLE_CHECKS) {
    if (!workflows.includes(workflow)) continue;
    const bit = (1 << workflows.indexOf(workflow)) >>> 0;
    const hasCompleted = (n: number) => (sent.get(n).completed & bit) !== 0;
    const checked = await check({ tables, services, newest, since, isWhole, hasCompleted });
    found[workflow] = { rows: checked.rows, wrong: checked.problems.length };
    for (const problem of checked.problems) problems.push(`${workflow}: ${problem}`);
  }
  return found;
}

function bitsIn(mask: number): number {
  let bits = 0;
  for (let rest = mask >>> 0; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}
