/** Reads page after page, as long as one says that there is a next. Who has seen enough leaves the loop. */
export async function* pagesOf<P extends { readonly next: string | undefined }>(
  read: (from: { page?: string }) => Promise<P>,
): AsyncGenerator<P, void> {
  for await (const { answer } of pagesFrom(undefined, read)) yield answer;
}

/** From `page` on, or from the beginning; each with `page`, by which it is asked for again. */
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
