import type { BlobPage, BlobStore } from './blob-store.js';
import type { Page, Query, TableStore } from './table-store.js';

/** The first page is small, for callers who need only a few. Storage lists up to 5,000 blobs a page. */
const FIRST_LIMIT = 1000;
const LIMIT = 5000;

/** Yields the pages of a list of blobs, from `page` or the first on, each with the token that lists it again. */
export function blobPages(
  blobs: Pick<BlobStore, 'list'>,
  prefix: string,
  page?: string,
): AsyncGenerator<{ answer: BlobPage; page: string | undefined }, void> {
  let limit = FIRST_LIMIT;
  return pagesFrom(page, (from) => {
    const options = { limit, ...from };
    limit = LIMIT;
    return blobs.list(prefix, options);
  });
}

/** Yields the pages of a query of a table. The caller may leave the loop early. */
export function queryPages(tables: Pick<TableStore, 'query'>, table: string, query: Query): AsyncGenerator<Page, void> {
  return pagesOf((from) => tables.query(table, { ...query, ...from }));
}

/** Yields page after page while a page has a `next`. The caller may leave the loop early. */
export async function* pagesOf<P extends { readonly next: string | undefined }>(
  read: (from: { page?: string }) => Promise<P>,
): AsyncGenerator<P, void> {
  for await (const { answer } of pagesFrom(undefined, read)) yield answer;
}

/** Yields pages, from `page` or the first on, each with the token that reads it again. */
export async function* pagesFrom<P extends { readonly next: string | undefined }>(
  page: string | undefined,
  read: (from: { page?: string }) => Promise<P>,
): AsyncGenerator<{ answer: P; page: string | undefined }, void> {
  for (let at = page; ; ) {
    const answer = await read(at === undefined ? {} : { page: at });
    yield { answer, page: at };
    if (!answer.next) return;
    at = answer.next;
  }
}
