import type { HttpResponseInit } from '@azure/functions';
import { countUndelivered } from '../dead-letters/undelivered.js';
import { errorCodeOf } from '../pipeline/decide.js';
import { StorageError } from '../storage/table-store.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { createSharedCount } from './shared-count.js';

type Deps = Pick<App, 'instance' | 'telemetry' | 'waiting' | 'deadLetters' | 'stores' | 'clock' | 'pipeline'>;

/** Counting reads a page for every thousand rows, so it ends here: `isMore` says so. */
const MOST_COUNTED = 100_000;
const COUNT_EVERY_MS = 60_000;

/** What this instance has done since its start, and what waits and is dead-lettered in the storage that all share. */
export function registerStats(functions: FunctionApp, deps: Deps): void {
  const count = createSharedCount(() => countStorage(deps), { clock: deps.clock, ms: COUNT_EVERY_MS });
  functions.http('stats', {
    methods: ['GET'],
    route: 'stats',
    authLevel: 'function',
    handler: () => tellStats(deps, count),
  });
}

/** 503 where storage cannot be counted: the counters of the instance are told all the same. */
async function tellStats(
  { instance, telemetry, pipeline }: Deps,
  count: () => Promise<unknown>,
): Promise<HttpResponseInit> {
  const thisInstance = {
    id: instance.id,
    since: instance.startedAt.toISOString(),
    counters: telemetry.counters,
    circuits: pipeline.circuits(),
  };
  try {
    return { jsonBody: { thisInstance, allInstances: await count() } };
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return { status: 503, jsonBody: { thisInstance, allInstances: { error: errorCodeOf(error) } } };
  }
}

async function countStorage({ waiting, deadLetters, stores, clock }: Deps) {
  const countedAt = clock.now().toISOString();
  const [rows, letters, undelivered] = await Promise.all([
    waiting.count(MOST_COUNTED),
    deadLetters.count(MOST_COUNTED),
    countOfUndelivered(stores).catch(codeAlone),
  ]);
  return {
    countedAt,
    waiting: { rows: rows.rows, isMore: rows.isMore, earliestDueAt: rows.earliestDueAt?.toISOString() ?? null },
    deadLetters: {
      pending: letters.byStage,
      byReason: letters.byReason,
      isMore: letters.isMore,
      oldestAt: letters.oldestAt?.toISOString() ?? null,
    },
    undelivered,
  };
}

async function countOfUndelivered({ undelivered }: Deps['stores']) {
  const { oldestAt, ...counted } = await countUndelivered(undelivered, MOST_COUNTED);
  return { ...counted, oldestAt: oldestAt?.toISOString() ?? null };
}

/** It may be another account, whose failure says nothing of the rest. */
function codeAlone(error: unknown): { error: string } {
  if (error instanceof StorageError) return { error: errorCodeOf(error) };
  throw error;
}
