import type { BlobStore } from '../storage/blob-store.js';
import { pagesOf } from '../storage/pages.js';
import type { DeadLetterStores } from './stores.js';
import { RESOLVED } from './undelivered.js';

const DAY_MS = 24 * 3_600_000;
const PAGE = 1000;
const DELETED_AT_ONCE = 16;

/**
 * Deletes dead letters that were resolved more than `retentionDays` ago, and corrected payloads of that age. Returns
 * the number of deleted blobs.
 *
 * R8: a dead letter in both places is resolved only while it is in `resolved/`, so the blob in `pending/` is deleted
 * first. A lifecycle rule of the storage account would not know that.
 *
 *   process dies between two deletes    the run of the next night deletes the rest
 */
export async function expireResolved(
  { blobs, undelivered, storageNow }: Pick<DeadLetterStores, 'blobs' | 'undelivered' | 'storageNow'>,
  retentionDays: number,
): Promise<number> {
  const before = new Date((await storageNow()).getTime() - retentionDays * DAY_MS);
  const own = { prefix: RESOLVED, pendingOf: (name: string) => `pending/${name.slice(RESOLVED.length)}` };
  const ofEventGrid = { prefix: RESOLVED, pendingOf: (name: string) => name.slice(RESOLVED.length) };
  const edited = { prefix: 'edited/' };
  return (
    (await expire(blobs, own, before)) +
    (await expire(blobs, edited, before)) +
    (await expire(undelivered, ofEventGrid, before))
  );
}

async function expire(
  blobs: BlobStore,
  { prefix, pendingOf }: { prefix: string; pendingOf?: (name: string) => string },
  before: Date,
): Promise<number> {
  let deleted = 0;
  for await (const page of pagesOf((from) => blobs.list(prefix, { limit: PAGE, ...from }))) {
    const old = page.blobs.filter(({ createdAt }) => createdAt < before).values();
    await Promise.all(
      Array.from({ length: DELETED_AT_ONCE }, async () => {
        for (const { name } of old) {
          if (pendingOf) await blobs.delete(pendingOf(name)); // R8
          await blobs.delete(name);
          deleted += 1;
        }
      }),
    );
  }
  return deleted;
}
