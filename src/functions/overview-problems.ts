import { type OverviewProblem, PROBLEM_CODES } from '../api/overview.js';
import type { StorageCounts } from '../api/stats.js';
import type { Paused } from '../api/workflows.js';
import { bucketOf, LAG_BOUNDS, lagsOf } from '../instances/hour.js';
import type { Seen } from '../instances/row.js';

// The problems that a person must solve. docs/operations.md names the alert of each; its severity decides the level: 0 and 1
// are red, 2 and 3 amber.

const ROWS_OVERDUE_MS = 60_000;
const LAG_MINUTES = 5;
const LAG_LIMIT_S = 5;
/** As in the alert `lag`: a few jobs that were retried are no problem. */
const MIN_LATE_JOBS = 10;
const UNDELIVERED_MS = 30 * 60_000;
/** As in the alert `event-queue-overdue`. */
const QUEUED_MS = 10 * 60_000;
/** As in the alert `comparing-behind`. Without a problem, a comparison is 600 s behind. */
const BEHIND_SECONDS = 3600;

type Facts = {
  readonly seen: readonly Seen[];
  /** The counts, or the code of the error if storage could not be counted. */
  readonly counted: StorageCounts | string;
  /** The hosts that are compared. */
  readonly services: readonly string[];
  readonly paused: readonly (Pick<Paused, 'since'> & { readonly workflow: string })[];
  readonly now: Date;
};

/** A problem, without its level and its code. */
type Found = Pick<OverviewProblem, 'message' | 'workflow'>;
type Find = (facts: Facts) => Found[];

const FINDERS: Readonly<Record<OverviewProblem['code'], readonly [OverviewProblem['level'], Find]>> = {
  'storage-failed': ['red', storageFailed],
  'rows-overdue': ['red', inCounts(rowsOverdue)],
  'event-queue-overdue': ['red', inCounts(eventQueueOverdue)],
  'lag-high': ['amber', lagHigh],
  'circuit-open': ['amber', circuitsOpen],
  'dead-letters': ['amber', inCounts(deadLetters)],
  undelivered: ['amber', inCounts(undelivered)],
  'comparing-behind': ['amber', inCounts(comparingBehind)],
  'workflow-paused': ['amber', workflowsPaused],
  'instance-silent': ['amber', instancesSilent],
};

/** Returns the problems, the worst first. */
export function findProblems(facts: Facts): OverviewProblem[] {
  return PROBLEM_CODES.flatMap((code) => {
    const [level, find] = FINDERS[code];
    return find(facts).map((found) => ({ level, code, ...found }));
  });
}

/** Returns `find` for facts with counts of storage. It finds nothing where storage could not be counted. */
function inCounts(find: (counted: StorageCounts, facts: Facts) => Found[]): Find {
  return (facts) => (typeof facts.counted === 'string' ? [] : find(facts.counted, facts));
}

function storageFailed({ counted }: Facts): Found[] {
  if (typeof counted !== 'string') return [];
  const message =
    `Storage did not answer (${counted}). Deliveries fail and come again. GET /api/health/ready says which part; ` +
    'check its firewall, the roles of the app, and Azure Service Health.';
  return [{ message }];
}

/** Compares with the time of the count, which can be a minute old. */
function rowsOverdue({ waiting: { earliestDueAt }, countedAt }: StorageCounts): Found[] {
  const lateMs = earliestDueAt === null ? 0 : Date.parse(countedAt) - Date.parse(earliestDueAt);
  if (lateMs <= ROWS_OVERDUE_MS) return [];
  const message =
    `The earliest row has been due for ${Math.round(lateMs / 1000)} s: retries and redrives run late or not at all. Enable ` +
    'the functions redeliver and redeliverLong; if the rows grow fewer, wait or allow more instances.';
  return [{ message }];
}

function eventQueueOverdue({ eventQueue: queue, countedAt }: StorageCounts): Found[] {
  if (queue === undefined) return [];
  if ('error' in queue) {
    const message =
      `The queue events could not be counted (${queue.error}). Give the app's identity Storage Queue Data Contributor on ` +
      'it, and a path through the firewall.';
    return [{ message }];
  }
  const ageMs = queue.oldestAt === null ? 0 : Date.parse(countedAt) - Date.parse(queue.oldestAt);
  if (ageMs <= QUEUED_MS) return [];
  const message =
    `An event has been in the queue since ${queue.oldestAt}, with ${queue.messages + queue.poisoned} messages. Enable ` +
    'the functions queuedEvents and poisonedEvents; if the messages grow fewer, wait or allow more instances.';
  return [{ message }];
}

function deadLetters({ deadLetters: { pending, isMore, oldestAt } }: StorageCounts): Found[] {
  const count = Object.values(pending).reduce((sum, one) => sum + one, 0);
  if (count === 0) return [];
  const since = oldestAt === null ? '' : `, ${isMore ? 'one of them' : 'the oldest'} since ${oldestAt}`;
  const message =
    `${isMore ? 'More than ' : ''}${count} dead letter${count === 1 ? ' is' : 's are'} pending${since}. Find the cause ` +
    'by reason and error, fix it, then redrive; discard what is not wanted.';
  return [{ message }];
}

function undelivered({ undelivered: counted, countedAt }: StorageCounts): Found[] {
  if ('error' in counted) {
    const message =
      `The container undelivered could not be counted (${counted.error}). Give the app's identity Storage Blob Data ` +
      'Contributor on it.';
    return [{ message }];
  }
  const { blobs, unreadable, oldestAt } = counted;
  if (unreadable > 0)
    return [
      { message: `${unreadable} blobs of undelivered cannot be read as events. Find their writer, then discard them.` },
    ];
  const ageMs = oldestAt === null ? 0 : Date.parse(countedAt) - Date.parse(oldestAt);
  if (blobs === 0 || ageMs <= UNDELIVERED_MS) return [];
  const message =
    `Event Grid could not deliver events, and the app has not imported ${blobs} blobs since ${oldestAt}. Check ` +
    'REDRIVE_UNDELIVERED, and redrive the rest.';
  return [{ message }];
}

function comparingBehind({ compared }: StorageCounts, { services }: Facts): Found[] {
  return compared
    .filter(({ host, behindSeconds }) => services.includes(host) && behindSeconds > BEHIND_SECONDS)
    .map(({ host, behindSeconds }) => ({
      message:
        `${host} is compared only up to ${behindSeconds} s ago: lost events are found late. See reconcile-failed in the ` +
        'log: often the app lacks a role at the service, or the service refuses too many requests.',
    }));
}

/** The limit of 5 s is a bound of the buckets, so late jobs are counted exactly. */
function lagHigh({ seen, now }: Facts): Found[] {
  const hours = seen.map(({ hour }) => hour);
  const lags = lagsOf(hours, now, LAG_MINUTES);
  const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);
  const late = sum(lags.slice(bucketOf(LAG_LIMIT_S, LAG_BOUNDS) + 1));
  if (late < MIN_LATE_JOBS || late <= sum(lags) / 100) return [];
  const message =
    `In the last ${LAG_MINUTES} minutes ${late} of ${sum(lags)} jobs settled over ${LAG_LIMIT_S} s after their event. ` +
    'All workflows late: allow more instances. One late: look at its duration and tries.';
  return [{ message }];
}

function circuitsOpen({ seen }: Facts): Found[] {
  const open = seen.flatMap(({ circuits }) => circuits.filter(({ state }) => state !== 'closed'));
  return [...Map.groupBy(open, ({ workflow }) => workflow)].map(([workflow, circuits]) => {
    const since = circuits.map(({ openSince }) => openSince ?? '').sort()[0];
    const where = circuits.length === 1 ? 'an instance' : `${circuits.length} instances`;
    const message =
      `The workflow ${workflow} keeps failing, in ${where}${since ? ` since ${since}` : ''}: its jobs wait and use no ` +
      'tries. Fix the service behind it; the workflow then continues by itself.';
    return { message, workflow };
  });
}

function workflowsPaused({ paused }: Facts): Found[] {
  return paused.map(({ workflow, since }) => ({
    message: `The workflow ${workflow} has been paused since ${since}: its jobs wait. Resume it when its reason is gone.`,
    workflow,
  }));
}

function instancesSilent({ seen }: Facts): Found[] {
  return seen
    .filter(({ state }) => state === 'silent')
    .map(({ id, seenAt }) => ({
      message:
        `The instance ${id} has not been seen since ${seenAt.toISOString()}, and has not said that it stops. It was ` +
        'killed, or does not reach storage. Others take over its jobs after a minute. If it happens again, see its last ' +
        'lines in the log.',
    }));
}
