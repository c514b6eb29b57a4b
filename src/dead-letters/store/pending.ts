import type { BlobStore, ListedBlob } from '../../storage/blob-store.js';
import { blobPages } from '../../storage/pages.js';
import { partsOfName, type Stage } from './names.js';

/** A page of a listing of storage. The token `page` lists this page again; `next` lists the next one. */
export type BlobsPage = { blobs: ListedBlob[]; page: string | undefined; next: string | undefined };

/**
 * Yields the dead letters of a stage that are pending and not also resolved (R6), in the order of their names, without
 * `pending/`. Reads one page of `pending/` and of `resolved/` at a time: memory does not grow with the number of dead
 * letters.
 */
export async function* pendingPages(
  container: BlobStore,
  stage: Stage,
  first?: string,
): AsyncGenerator<BlobsPage, void> {
  const isResolved = createIsResolved(container, stage);
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

/** Returns a function that says whether a name is in `resolved/`. Call it with rising names: it reads those of a day once. */
function createIsResolved(blobs: BlobStore, stage: Stage): (name: string) => Promise<boolean> {
  let cursor: { prefix: string; has: (name: string) => Promise<boolean> } | undefined;
  return async (name) => {
    const dated = partsOfName(name)?.dated;
    const prefix = dated === undefined ? `resolved/${stage}/` : `resolved/${stage}/${dated}/`;
    if (cursor?.prefix !== prefix) cursor = { prefix, has: createCursor(blobs, prefix) };
    return cursor.has(`resolved/${name}`);
  };
}

/**
 * Returns a function that says whether a listing holds a name. Call it with rising names: it reads each page once, and only
 * if needed.
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
