import type { BlobStore } from '../../storage/blob-store.js';
import { pagesOf } from '../../storage/pages.js';

const PAGE = 1000;

/** The names of the blobs that begin with `prefix` and were made at `since` or later. */
export async function namesSince(blobs: BlobStore, prefix: string, since: Date): Promise<string[]> {
  const names: string[] = [];
  for await (const { blobs: found } of pagesOf((from) => blobs.list(prefix, { limit: PAGE, ...from }))) {
    for (const { name, createdAt } of found) if (createdAt >= since) names.push(name);
  }
  return names;
}
