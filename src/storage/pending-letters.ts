import type { BlobStore, ListedBlob } from './blob-store.js';
import { partsOfName, type Stage } from './letter-names.js';
import { pagesFrom, pagesOf } from './pages.js';

const PAGE = 1000;

/** A page of storage's: the letters in it, and `page`, with which it is asked for again. */
export type LettersPage = { letters: ListedBlob[]; page: string | undefined };

/**
 * The letters of a stage that are pending and not in resolved/ as well, in the order of their names, which are told
 * without `pending/`. A page is read when it is asked for, and resolved/ side by side, only as far as that: however many
 * letters there are, two pages are held.
 */
export async function* pendingLetters(
  blobs: BlobStore,
  stage: Stage,
  { page: first }: { page?: string | undefined } = {},
): AsyncGenerator<LettersPage, void> {
  const isResolved = createResolved(blobs, stage);
  const read = (from: { page?: string }) => blobs.list(`pending/${stage}/`, { limit: PAGE, ...from });
  for await (const { answer, page } of pagesFrom(first, read)) {
    const letters: ListedBlob[] = [];
    for (const blob of answer.blobs) {
      const name = blob.name.slice('pending/'.length);
      if (await isResolved(name)) continue;
      letters.push({ ...blob, name });
    }
    yield { letters, page };
  }
}

/** Whether the letter of this name is in resolved/: asked in rising order. Of each day the names are read once. */
function createResolved(blobs: BlobStore, stage: Stage): (name: string) => Promise<boolean> {
  let cursor: { prefix: string; has: (name: string) => Promise<boolean> } | undefined;
  return async (name) => {
    const dated = partsOfName(name)?.dated;
    const prefix = dated === undefined ? `resolved/${stage}/` : `resolved/${stage}/${dated}/`;
    if (cursor?.prefix !== prefix) cursor = { prefix, has: createCursor(blobs, prefix) };
    return cursor.has(`resolved/${name}`);
  };
}

/** Asks for names in rising order, of a listing in rising order: each page is read once, and only as far as is asked. */
function createCursor(blobs: BlobStore, prefix: string): (name: string) => Promise<boolean> {
  const pages = pagesOf((from) => blobs.list(prefix, { limit: PAGE, ...from }));
  let names: string[] = [];
  let at = 0;
  return async (name) => {
    for (;;) {
      while (at < names.length && (names[at] as string) < name) at += 1;
      if (at < names.length) return names[at] === name;
      const { value, done } = await pages.next();
      if (done) return false;
      names = value.blobs.map((blob) => blob.name);
      at = 0;
    }
  };
}
