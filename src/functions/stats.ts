import type { HttpResponseInit } from '@azure/functions';
import type { Clock } from '../clock.js';
import { countUndelivered } from '../dead-letters/undelivered.js';
import { errorCodeOf } from '../errors.js';
import { positionsOf } from '../reconcile/continuous.js';
import { StorageError } from '../storage/table-store.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

type Deps = Pick<
  App,
  'instance' | 'telemetry' | 'waiting' | 'deadLetters' | 'stores' | 'clock' | 'pipeline' | 'config'
>;

/** A count reads a page for every thousand rows, so it stops here and sets `isMore`. */
const MAX_COUNTED = 100_000;
const COUNT_EVERY_MS = 60_000;

/** Registers `stats`: the counters of this instance, and the rows and dead letters of all instances. */
export function registerStats(functions: FunctionApp, deps: Deps): void {
  const count = createSharedCount(() => countStorage(deps), { clock: deps.clock, ms: COUNT_EVERY_MS });
  functions.http('stats', {
    methods: ['GET'],
    route: 'stats',
    authLevel: 'function',
    handler: () => reportStats(deps, count),
  });
}

/** Answers 503 where storage cannot be counted, with the instance's own counters nevertheless. */
async function reportStats(
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

async function countStorage({ waiting, deadLetters, stores, clock, config }: Deps) {
  const countedAt = clock.now().toISOString();
  const [rows, letters, undelivered, compared] = await Promise.all([
    waiting.count(MAX_COUNTED),
    deadLetters.count(MAX_COUNTED),
    countOfUndelivered(stores).catch(codeAlone),
    config.reconcile ? positionsOf(stores.tables) : [], // without services, the table is absent
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
    compared: compared.map(({ upTo, ...one }) => ({ ...one, upTo, behindSeconds: secondsBetween(upTo, countedAt) })),
  };
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
}

async function countOfUndelivered({ undelivered }: Deps['stores']) {
  const { oldestAt, ...counted } = await countUndelivered(undelivered, MAX_COUNTED);
  return { ...counted, oldestAt: oldestAt?.toISOString() ?? null };
}

/** Undelivered events can be in another account, whose failure must not hide the other counts. */
function codeAlone(error: unknown): { error: string } {
  if (error instanceof StorageError) return { error: errorCodeOf(error) };
  throw error;
}

/**
 * Returns a function that counts at most once in `ms`: all calls in that time share one answer. A failed count is not
 * kept.
 */
export function createSharedCount<T>(
  count: () => Promise<T>,
  { clock, ms }: { clock: Clock; ms: number },
): () => Promise<T> {
  let last: { answer: Promise<T>; askedAtMs: number } | undefined;
  return () => {
    if (last && clock.monotonic() - last.askedAtMs < ms) return last.answer;
    const mine = { answer: count(), askedAtMs: clock.monotonic() };
    last = mine;
    mine.answer.catch(() => {
      if (last === mine) last = undefined;
    });
    return mine.answer;
  };
}
