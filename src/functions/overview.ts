import type { HttpResponseInit } from '@azure/functions';
import type * as z from 'zod';
import type { actionList, Overview, OverviewWithoutStorage, RecentJob } from '../api/overview.js';
import { errorCodeOf } from '../errors.js';
import { minutesOf } from '../instances/hour.js';
import { createSharedAnswer } from '../shared-answer.js';
import { asStorageError, StorageError } from '../storage/table-store.js';
import type { App } from './compose.js';
import { findProblems } from './overview-problems.js';
import { servicesOf } from './reconcile-deps.js';
import { type FunctionApp, serve, storageFailed } from './serve.js';

type Deps = Pick<App, 'clock' | 'config' | 'instance' | 'instances' | 'countStorage' | 'telemetry' | 'pipeline'> & {
  readonly pauses: Pick<App['pauses'], 'list'>;
  readonly actions: Pick<App['actions'], 'list'>;
};

const MAX_RECENT = 200;
const MAX_ACTIONS = 100;
/** Pauses are read at most once in this time: the page asks every few seconds, in many tabs. */
const PAUSED_EVERY_MS = 5000;

/**
 * Registers `overview`: the numbers of all instances, and the problems; `recent`: the last runs of jobs; `actions`: what
 * people did; `stats`: the counters of this instance, and the rows and dead letters of all instances.
 */
export function registerOverview(functions: FunctionApp, deps: Deps): void {
  const { clock, pauses } = deps;
  const listPaused = createSharedAnswer(() => pauses.list(), { clock, ms: PAUSED_EVERY_MS });
  serve(functions, 'overview', () => answerOverview(deps, listPaused));
  serve(functions, 'recent', () => answerRecent(deps));
  serve(functions, 'actions', async () => ({
    jsonBody: { actions: await deps.actions.list(MAX_ACTIONS) } satisfies z.infer<typeof actionList>,
  }));
  serve(functions, 'stats', () => reportStats(deps));
}

type Facts = Pick<Parameters<typeof findProblems>[0], 'seen' | 'counted' | 'paused'>;

/** If storage cannot be read, answers 503 with the numbers of this instance. */
async function answerOverview(deps: Deps, listPaused: () => Promise<Facts['paused']>): Promise<HttpResponseInit> {
  const { instances, countStorage } = deps;
  const [all, counted, listed] = await Promise.all([
    instances.all().catch(asStorageError),
    countStorage().catch(asStorageError),
    listPaused().catch(asStorageError),
  ]);
  const seen = all instanceof StorageError ? [instances.own()] : all;
  const paused = listed instanceof StorageError ? [] : listed;
  const failure = [all, listed, counted].find((one) => one instanceof StorageError);
  if (failure === undefined && !(counted instanceof StorageError))
    return { jsonBody: { ...overviewOf({ seen, counted, paused }, deps), ...counted } satisfies Overview };
  const { jsonBody, status = 503 } = storageFailed(failure);
  const part = overviewOf({ seen, counted: errorCodeOf(failure), paused }, deps);
  return { status, jsonBody: { ...part, ...jsonBody } satisfies OverviewWithoutStorage };
}

/** Returns the overview without the counts of storage. */
function overviewOf(facts: Facts, { clock, config, instance }: Deps): Omit<OverviewWithoutStorage, 'error'> {
  const { seen } = facts;
  const now = clock.now();
  const services = config.reconcile ? servicesOf(config).map(({ host }) => host) : [];
  const problems = findProblems({ ...facts, services, now });
  const hours = seen.map(({ hour }) => hour);
  const instances = seen.map(({ id, startedAt, seenAt, state, hour }) => ({
    id,
    startedAt: startedAt.toISOString(),
    seenAt: seenAt.toISOString(),
    isThis: id === instance.id,
    state,
    eventsPerSecond: hour.eventsPerSecond,
    minutes: minutesOf([hour], now),
  }));
  return {
    now: now.toISOString(),
    level: problems[0]?.level ?? 'green', // the worst is first
    problems,
    eventsPerSecond: instances.reduce((sum, { eventsPerSecond }) => sum + eventsPerSecond, 0),
    minutes: minutesOf(hours, now),
    instances,
  };
}

async function answerRecent({ instances }: Deps): Promise<HttpResponseInit> {
  const jobs: RecentJob[] = (await instances.all()).flatMap(({ id, recent }) =>
    recent.map((run) => ({ ...run, instance: id })),
  );
  jobs.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  return { jsonBody: { jobs: jobs.slice(0, MAX_RECENT) } };
}

/** If storage cannot be counted, answers 503 with the counters of this instance. */
async function reportStats({ instance, telemetry, pipeline, countStorage }: Deps): Promise<HttpResponseInit> {
  const thisInstance = {
    id: instance.id,
    since: instance.startedAt.toISOString(),
    counters: telemetry.counters,
    circuits: pipeline.circuits(),
  };
  try {
    return { jsonBody: { thisInstance, allInstances: await countStorage() } };
  } catch (error) {
    return { status: 503, jsonBody: { thisInstance, allInstances: { error: errorCodeOf(asStorageError(error)) } } };
  }
}
