import type { StorageCounts } from '../api/stats.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { DeadLetters } from '../dead-letters/store/dead-letters.js';
import { countUndelivered } from '../dead-letters/undelivered.js';
import { errorCodeOf } from '../errors.js';
import type { EventQueues, StoragePorts } from '../pipeline/create-stores.js';
import { positionsOf } from '../reconcile/continuous.js';
import { createSharedAnswer } from '../shared-answer.js';
import { asStorageError } from '../storage/table-store.js';
import type { Waiting } from '../storage/waiting.js';

type Deps = {
  readonly waiting: Pick<Waiting, 'count'>;
  readonly deadLetters: Pick<DeadLetters, 'count'>;
  readonly stores: Pick<StoragePorts, 'tables' | 'undelivered' | 'eventQueues'>;
  readonly clock: Clock;
  readonly config: Pick<Config, 'reconcile'>;
};

/** A count stops here and sets `isMore`, because it reads a page for every 1,000 rows, and for every 5,000 dead letters. */
const MAX_COUNTED = 100_000;
/** A person waits for the answer, so the count of dead letters stops after this time and sets `isMore`. */
const MAX_COUNT_MS = 4000;
const COUNT_EVERY_MS = 60_000;

/** Returns a function that counts at most once a minute, for all its callers. @throws StorageError */
export function createStorageCount(deps: Deps): () => Promise<StorageCounts> {
  return createSharedAnswer(() => countStorage(deps), { clock: deps.clock, ms: COUNT_EVERY_MS });
}

async function countStorage({ waiting, deadLetters, stores, clock, config }: Deps): Promise<StorageCounts> {
  const countedAt = clock.now().toISOString();
  const untilMs = clock.monotonic() + MAX_COUNT_MS;
  const isEnough = () => clock.monotonic() >= untilMs;
  const [rows, ownDeadLetters, undelivered, compared, eventQueue] = await Promise.all([
    waiting.count(MAX_COUNTED),
    deadLetters.count(MAX_COUNTED, isEnough),
    countUndelivered(stores.undelivered, MAX_COUNTED).then(withIsoTime, asErrorCode),
    config.reconcile ? positionsOf(stores.tables) : [], // without services, the table is absent
    stores.eventQueues && countQueued(stores.eventQueues).then(withIsoTime, asErrorCode),
  ]);
  return {
    countedAt,
    waiting: { rows: rows.rows, isMore: rows.isMore, earliestDueAt: rows.earliestDueAt?.toISOString() ?? null },
    deadLetters: {
      pending: ownDeadLetters.byStage,
      byReason: ownDeadLetters.byReason,
      isMore: ownDeadLetters.isMore,
      oldestAt: ownDeadLetters.oldestAt?.toISOString() ?? null,
    },
    undelivered,
    ...(eventQueue && { eventQueue }),
    compared: compared.map(({ upTo, ...one }) => ({ ...one, upTo, behindSeconds: secondsBetween(upTo, countedAt) })),
  };
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
}

/** Counts the messages, hidden ones included. `oldestAt`: the time of the oldest visible message of both queues. */
export async function countQueued({ events, poison }: EventQueues) {
  const [messages, poisoned, ...oldest] = await Promise.all([
    events.length(),
    poison.length(),
    events.oldestAt(),
    poison.oldestAt(),
  ]);
  const [oldestAt] = oldest.flatMap((at) => at ?? []).sort((a, b) => a.getTime() - b.getTime());
  return { messages, poisoned, oldestAt };
}

function withIsoTime<T>({ oldestAt, ...counted }: T & { oldestAt: Date | undefined }) {
  return { ...counted, oldestAt: oldestAt?.toISOString() ?? null };
}

/** Returns the code of a StorageError: a failure of another account must not hide the other counts. */
function asErrorCode(error: unknown): { error: string } {
  return { error: errorCodeOf(asStorageError(error)) };
}
