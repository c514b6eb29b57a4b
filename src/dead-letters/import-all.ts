import type { ListedBlob } from '../storage/blob-store.js';
import { StorageError } from '../storage/table-store.js';
import { importUndelivered } from './import-undelivered.js';
import type { DeadLetterStores } from './stores.js';
import { isUnreadable, undeliveredBlobs } from './undelivered.js';

/** A run of the timer stops after this number of events. The next run imports the rest. */
const MAX_EVENTS = 5000;
/** The maximum of blob names in memory: those of the oldest blobs. */
const MAX_NAMES = 1000;
/** After this number of failures in a row, storage is down. Fewer failures concern single blobs. */
const MAX_FAILURES_IN_A_ROW = 3;

/** `unreadable`: blobs moved to `unreadable/`. `failed`: blobs that storage did not return. */
export type ImportedAll = { blobs: number; events: number; unreadable: number; failed: number };

/**
 * Imports Event Grid's dead letters, the oldest first, if the app is healthy. A blob that cannot be imported, such as
 * an archived one, does not hold up newer blobs.
 */
export async function importAllUndelivered(
  stores: DeadLetterStores,
  isHealthy: () => Promise<boolean>,
): Promise<ImportedAll> {
  const done: ImportedAll = { blobs: 0, events: 0, unreadable: 0, failed: 0 };
  let failuresInARow = 0;
  let blobs = await oldest(stores);
  if (blobs.length === 0 || !(await isHealthy())) return done;
  while (blobs.length > 0) {
    for (const { name } of blobs) {
      if (done.events >= MAX_EVENTS) return done;
      const imported = await importUndelivered(name, stores).catch(failed);
      if (imported.kind === 'failed') continue;
      failuresInARow = 0;
      if (imported.kind === 'unreadable') done.unreadable += 1;
      if (imported.kind !== 'taken-up') continue;
      done.blobs += 1;
      done.events += imported.events;
    }
    if (done.blobs > 0 || blobs.length < MAX_NAMES) return done;
    blobs = await oldest(stores, blobs.at(-1));
  }
  return done;

  function failed(error: unknown): { kind: 'failed' } {
    failuresInARow += 1;
    if (!(error instanceof StorageError) || failuresInARow >= MAX_FAILURES_IN_A_ROW) throw error;
    done.failed += 1;
    return { kind: 'failed' };
  }
}

/** Returns the oldest blobs after `last`. Names do not sort by time: Event Grid writes days and hours without zeros. */
async function oldest({ undelivered }: DeadLetterStores, last?: ListedBlob): Promise<ListedBlob[]> {
  let found: ListedBlob[] = [];
  for await (const { blobs } of undeliveredBlobs(undelivered)) {
    const later = blobs.filter((blob) => !isUnreadable(blob.name) && (!last || byAge(last, blob) < 0));
    found = [...found, ...later].sort(byAge);
    found.length = Math.min(found.length, MAX_NAMES);
  }
  return found;
}

/** Sorts by time, then by name, so that blobs of the same second have one order. */
function byAge(one: ListedBlob, other: ListedBlob): number {
  return one.createdAt.getTime() - other.createdAt.getTime() || (one.name < other.name ? -1 : 1);
}
