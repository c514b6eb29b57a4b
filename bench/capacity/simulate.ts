import { percentile } from '../statistics.js';
import type { Plan } from './plan.js';
import { ACCOUNT_PER_SECOND, PARTITION_PER_SECOND } from './storage-account.js';
import { type Counts, createWorld, type World } from './world.js';

/** The first seconds make tables and fill caches, and are left out of all figures. */
const WARM_UP_MS = 2000;
/** The time that open events have after the last event is made. */
const DRAIN_MS = 60_000;
const PROGRESS_EVERY_MS = 100;
const ACCOUNT_NAMES = ['storage account', 'account of the workflows'];

/** The work of one deployment after the warm-up. */
export type Result = {
  readonly events: number;
  readonly eventsPerSecond: number;
  /** The time from the publication of an event until its last job is settled. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p9999Ms: number;
  /** The share of events that took up to 5 s. */
  readonly within5s: number;
  /** Events whose jobs were not all settled when the last event was made; and a minute later. */
  readonly openAtEnd: number;
  readonly neverApplied: number;
  /** How many more events were open at the end of the second half than at its beginning, as a share of its events. */
  readonly backlogGrowth: number;
  /** Jobs of an event that had to wait for a row, as another process held their resource, or were retried. */
  readonly putOffPerEvent: number;
  readonly deadLetters: number;
  readonly eventsPerPost: number;
  readonly failedPosts: number;
  readonly requestsPerEvent: number;
  readonly readsPerEvent: number;
  readonly entitiesPerEvent: number;
  readonly serviceRequestsPerEvent: number;
  readonly serviceRequestsPerSecond: number;
  readonly cpuMsPerEvent: number;
  /** Requests that storage answered with 503. */
  readonly throttled: number;
  /** For each part, the average share of its limit that was used; the highest first. */
  readonly loads: readonly Load[];
};

export type Load = {
  readonly kind: 'cpu' | 'account' | 'partition' | 'posts';
  readonly part: string;
  readonly share: number;
};

/** Simulates one of the deployments of the plan. `onProgress` gets the share of the time that has passed. */
export async function simulate(plan: Plan, onProgress: (share: number) => void = () => {}): Promise<Result> {
  const world = createWorld(plan);
  const { time, workload } = world;
  await start(world);
  const fromMs = time.nowMs + WARM_UP_MS;
  const toMs = fromMs + plan.seconds * 1000;
  const makeNext = (): void => {
    if (time.nowMs >= toMs) return;
    workload.step();
    time.after(workload.gapMs(), makeNext);
  };
  const showProgress = (): void => {
    onProgress(1 - (toMs - time.nowMs) / (toMs - fromMs + WARM_UP_MS));
    if (time.nowMs < toMs) time.after(PROGRESS_EVERY_MS, showProgress);
  };
  makeNext();
  showProgress();
  await time.run(fromMs);
  const before = world.counts();
  await time.run((fromMs + toMs) / 2);
  const middle = world.counts();
  await time.run(toMs);
  const after = world.counts();
  await time.run(toMs + DRAIN_MS, () => workload.open === 0);
  return resultOf(world, { before, middle, after, fromMs });
}

async function start({ time, deployment, subscribe }: World): Promise<void> {
  await subscribe();
  let isStarted = false;
  void deployment.start().then(() => {
    isStarted = true;
  });
  await time.run(Number.POSITIVE_INFINITY, () => isStarted);
}

type Span = { readonly before: Counts; readonly middle: Counts; readonly after: Counts; readonly fromMs: number };

function resultOf(world: World, span: Span): Result {
  const { workload, plan } = world;
  const { before, middle, after, fromMs } = span;
  const tookMs = workload.applied.filter(({ madeAtMs }) => madeAtMs >= fromMs).map((one) => one.tookMs);
  const events = after.made - before.made;
  const each = (read: (counts: Counts) => number) => (read(after) - read(before)) / (after.applied - before.applied);
  const total = (name: 'requests' | 'reads' | 'entities' | 'throttled') => (counts: Counts) =>
    counts.accounts.reduce((sum, account) => sum + account[name], 0);
  const serviceRequestsPerEvent = each(({ serviceRequests }) => serviceRequests);
  return {
    events,
    eventsPerSecond: events / plan.seconds,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    p9999Ms: percentile(tookMs, 0.9999),
    within5s: tookMs.filter((ms) => ms <= 5000).length / (tookMs.length + workload.open),
    openAtEnd: after.open,
    backlogGrowth: Math.max(0, after.open - middle.open) / (after.made - middle.made),
    neverApplied: workload.open,
    deadLetters: workload.deadLetters,
    eventsPerPost: (after.delivered - before.delivered) / (after.posts - before.posts),
    failedPosts: after.failedPosts - before.failedPosts,
    requestsPerEvent: each(total('requests')),
    readsPerEvent: each(total('reads')),
    entitiesPerEvent: each(total('entities')),
    serviceRequestsPerEvent,
    serviceRequestsPerSecond: (serviceRequestsPerEvent * events) / plan.seconds,
    putOffPerEvent: each(({ putOff }) => putOff),
    cpuMsPerEvent: each(({ busyMs }) => busyMs),
    throttled: total('throttled')(after) - total('throttled')(before),
    loads: loadsOf(plan, span).sort((a, b) => b.share - a.share),
  };
}

function loadsOf({ seconds, instances, posts }: Plan, { before, after }: Span): Load[] {
  const ms = seconds * 1000;
  const accounts = after.accounts.flatMap(({ units, unitsOf }, n): Load[] => {
    const earlier = before.accounts[n];
    const perSecond = (units - (earlier?.units ?? 0)) / seconds;
    const partitions = [...unitsOf].map(([part, used]) => ({ part, units: used - (earlier?.unitsOf.get(part) ?? 0) }));
    const hottest = partitions.sort((a, b) => b.units - a.units)[0];
    return [
      { kind: 'account', part: ACCOUNT_NAMES[n] ?? '', share: perSecond / ACCOUNT_PER_SECOND },
      {
        kind: 'partition',
        part: `partition ${hottest?.part} of the ${ACCOUNT_NAMES[n]}`,
        share: (hottest?.units ?? 0) / seconds / PARTITION_PER_SECOND,
      },
    ];
  });
  return [
    { kind: 'cpu', part: 'CPU of the instances', share: (after.busyMs - before.busyMs) / ms / instances },
    ...accounts,
    ...Object.entries(after.postMs).map(
      ([name, sumMs]): Load => ({
        kind: 'posts',
        part: `POSTs to ${name}`,
        share: (sumMs - (before.postMs[name] ?? 0)) / ms / posts,
      }),
    ),
  ];
}
