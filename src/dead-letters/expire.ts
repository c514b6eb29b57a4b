import type { BlobStore } from '../storage/blob-store.js';
import { pagesOf } from '../storage/pages.js';
import type { Desk } from './letter.js';
import { RESOLVED } from './undelivered.js';

const DAY_MS = 24 * 3_600_000;
const PAGE = 1000;
const DELETED_AT_ONCE = 16;

/**
 * Deletes letters that were resolved more than `retentionDays` ago, and corrected payloads as old. A letter that died on
 * its way, or was written once more, is in pending/ as well, and resolved for everybody only as long as it is in
 * resolved/: so the one in pending/ goes first. A lifecycle rule of the storage account would not know that.
 *
 *   dies in between   the next night goes on
 */
export async function expireResolved(
  { letters, undelivered, storageNow }: Pick<Desk, 'letters' | 'undelivered' | 'storageNow'>,
  retentionDays: number,
): Promise<number> {
  const before = new Date((await storageNow()).getTime() - retentionDays * DAY_MS);
  const ofOurs = await expire(letters, RESOLVED, before, (name) => `pending/${name.slice(RESOLVED.length)}`);
  const edited = await expire(letters, 'edited/', before);
  const ofEventGrid = await expire(undelivered, RESOLVED, before, (name) => name.slice(RESOLVED.length));
  return ofOurs + edited + ofEventGrid;
}

async function expire(
  blobs: BlobStore,
  prefix: string,
  before: Date,
  pendingOf?: (name: string) => string,
): Promise<number> {
  let gone = 0;
  for await (const page of pagesOf((from) => blobs.list(prefix, { limit: PAGE, ...from }))) {
    const old = page.blobs.filter(({ createdAt }) => createdAt < before).values();
    await Promise.all(
      Array.from({ length: DELETED_AT_ONCE }, async () => {
        for (const { name } of old) {
          if (pendingOf) await blobs.delete(pendingOf(name));
          await blobs.delete(name);
          gone += 1;
        }
      }),
    );
  }
  return gone;
}
