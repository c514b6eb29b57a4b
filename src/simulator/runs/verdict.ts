import type { TableStore } from '../../storage/table-store.js';
import type { Services } from '../world.js';
import { findSent, type RunStorage, type Search } from './find-sent.js';
import type { Sent, SentEvent } from './sent.js';
import { TABLE_CHECKS } from './table-checks/index.js';
import type { Newest } from './table-checks/table-check.js';

/** The result of a run: the state of all its events in storage. */
export type Verdict = {
  /** No event is lost or undelivered, and the tables are right. */
  readonly ok: boolean;
  readonly events: {
    readonly sent: number;
    readonly malformed: number;
    /** Events whose jobs are all completed or superseded. */
    readonly settled: number;
    /** Events with a job that has a dead letter. */
    readonly deadLettered: number;
    /** Malformed events with a dead letter. */
    readonly rejected: number;
    /** Events with a job that runs or waits for a retry. */
    readonly open: number;
    /** Events that no workflow wants. */
    readonly ignored: number;
    /** Events that never reached the app, in Event Grid's own dead letters. */
    readonly undelivered: number;
    readonly lost: number;
  };
  readonly jobs: {
    readonly completed: number;
    readonly superseded: number;
    readonly deadLettered: number;
    readonly open: number;
  };
  /** From the change until the last job is settled, for settled events. */
  readonly lagMs: {
    readonly mean: number;
    readonly p50: number;
    readonly p99: number;
    readonly p9999: number;
    readonly max: number;
  } | null;
  /** The share of lags within 5 s. The service promises 99.99 %, and 1 s in the mean. */
  readonly withinFiveSeconds: number | null;
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly wrong: number }>>;
  /** Sentences, with ids of events and no other value. */
  readonly problems: readonly string[];
};

const MAX_PROBLEMS = 20;

type VerdictSearch = Search & { newest: Newest; services: Services; eventIdOf: (n: number) => string };

/** The verdict from one look at storage. `eventIdOf` gives the ids for problems. */
export async function findVerdict(
  storage: RunStorage & { workflowTables: TableStore },
  search: VerdictSearch,
): Promise<Verdict> {
  await findSent(storage, search);
  const { events, jobs, lost, lags } = countAll(search.sent);
  const problems = lost.slice(0, MAX_PROBLEMS).map((n) => `lost: ${search.eventIdOf(n)}`);
  if (events.undelivered > 0)
    problems.unshift(`Event Grid gave up on ${events.undelivered} events: the app has not acted on them`);
  const tables = await checkTables(storage.workflowTables, search, problems);
  lags.sort();
  const at = (share: number) => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0;
  return {
    ok: problems.length === 0,
    events,
    jobs,
    lagMs:
      lags.length === 0
        ? null
        : {
            mean: lags.reduce((sum, lag) => sum + lag, 0) / lags.length,
            p50: at(0.5),
            p99: at(0.99),
            p9999: at(0.9999),
            max: at(1),
          },
    withinFiveSeconds: lags.length === 0 ? null : lags.filter((lag) => lag <= 5000).length / lags.length,
    tables,
    problems: problems.slice(0, MAX_PROBLEMS),
  };
}

function countAll(sent: Sent) {
  const events = {
    sent: sent.count,
    malformed: 0,
    settled: 0,
    deadLettered: 0,
    rejected: 0,
    open: 0,
    ignored: 0,
    undelivered: 0,
    lost: 0,
  };
  const jobs = { completed: 0, superseded: 0, deadLettered: 0, open: 0 };
  const lost: number[] = [];
  const lags: number[] = [];
  for (let n = 0; n < sent.count; n += 1) {
    const event = sent.get(n);
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
  return { events, jobs, lost, lags: Float64Array.from(lags) };
}

type Fate = 'settled' | 'deadLettered' | 'rejected' | 'open' | 'ignored' | 'undelivered' | 'lost';

function fateOf({
  isMalformed,
  hasDeadLetter,
  undelivered,
  wanted,
  completed,
  superseded,
  dead,
  open,
}: SentEvent): Fate {
  if (isMalformed) return hasDeadLetter ? 'rejected' : undelivered ? 'undelivered' : 'lost';
  if (wanted === 0) return 'ignored';
  const done = completed | superseded;
  if ((wanted & ~done) === 0) return 'settled';
  if ((wanted & ~(done | dead)) === 0) return 'deadLettered';
  if ((wanted & ~(done | dead | open)) === 0) return 'open';
  if (hasDeadLetter) return 'deadLettered'; // the app rejected it as invalid, or its workspace is not listed
  return undelivered ? 'undelivered' : 'lost';
}

/** The results of the checks, for each workflow that has a check. */
async function checkTables(tables: TableStore, search: VerdictSearch, problems: string[]): Promise<Verdict['tables']> {
  const { newest, services, since, sent, workflows } = search;
  const found: Record<string, { rows: number; wrong: number }> = {};
  for (const { workflow, check } of TABLE_CHECKS) {
    if (!workflows.includes(workflow)) continue;
    const bit = (1 << workflows.indexOf(workflow)) >>> 0;
    const hasCompleted = (n: number) => (sent.get(n).completed & bit) !== 0;
    const checked = await check({ tables, services, newest, since, hasCompleted });
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
