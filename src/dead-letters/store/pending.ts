import type { BlobStore, ListedBlob } from '../../storage/blob-store.js';
import { blobPages } from '../../storage/pages.js';
import { partsOfName, type Stage } from './names.js';

/** A page of a listing of storage. With the tokens `page` and `next`, storage lists this page again, or the next one. */
export type BlobsPage = { blobs: ListedBlob[]; page: string | undefined; next: string | undefined };

/**
 * Yields the dead letters of a stage that are pending and not also resolved (R6), in the order of their names, without
 * `pending/`. Reads one page of `pending/` and of `resolved/` at a time: memory does not grow with the number of dead
 * letters.
 */
export async function* pendingPages(
  container: BlobStore,
  stage: Stage,
  { page: first }: { page?: string | undefined } = {},
): AsyncGenerator<BlobsPage, void> {
  const isResolved = createResolved(container, stage);
  for await (const { answer, page } of blobPages(container, `pending/${stage}/`, first)) {
    const blobs: ListedBlob[] = [];
    for (const blob of answer.blobs) {
      const name = blob.name.slice('pending/'.length);
      if (await isResolved(name)) continue;
      blobs.push({ ...blob, name });
    }
    yield { blobs, page, next: answer.next };
  }
}

/** Returns whether a name is also in `resolved/`. Takes names in rising order, so it reads the names of a day once. */
function createResolved(blobs: BlobStore, stage: Stage): (name: string) => Promise<boolean> {
  let cursor: { prefix: string; has: (name: string) => Promise<boolean> } | undefined;
  return async (name) => {
    const dated = partsOfName(name)?.dated;
    const prefix = dated === undefined ? `resolved/${stage}/` : `resolved/${stage}/${dated}/`;
    if (cursor?.prefix !== prefix) cursor = { prefix, has: createCursor(blobs, prefix) };
    return cursor.has(`resolved/${name}`);
  };
}

/**
 * Returns whether a listing holds a name. Takes names in rising order, so it reads each page once, and only as needed.
 */
function createCursor(blobs: BlobStore, prefix: string): (name: string) => Promise<boolean> {
  const pages = blobPages(blobs, prefix);
  let names: string[] = [];
  let at = 0;
  return async (name) => {
    for (;;) {
      while (at < names.length && (names[at] as string) < name) at += 1;
      if (at < names.length) return names[at] === name;
      const { value, done } = await pages.next();
      if (done) return false;
      names = value.answer.blobs.map((blob) => blob.name);
      at = 0;
    }
  };
}
