/** Reads page after page, as long as one says that there is a next. Who has seen enough leaves the loop. */
export async function* pagesOf<P extends { readonly next: string | undefined }>(
  read: (from: { page?: string }) => Promise<P>,
): AsyncGenerator<P, void> {
  let answer = await read({});
  yield answer;
  while (answer.next) {
    answer = await read({ page: answer.next });
    yield answer;
  }
}
