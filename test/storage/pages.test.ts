import { pagesOf } from '../../src/storage/pages.js';

/** Answers with the pages in turn, and notes the start of each that is asked for. */
function createReader(nexts: readonly (string | undefined)[]) {
  const asked: { page?: string }[] = [];
  return {
    asked,
    read: async (from: { page?: string }) => {
      asked.push(from);
      return { next: nexts[asked.length - 1] };
    },
  };
}

describe('when pages are read one after the other', () => {
  it('given three pages, then each is read once, from the end of the page before', async () => {
    const { asked, read } = createReader(['a', 'b', undefined]);
    let seen = 0;

    for await (const _ of pagesOf(read)) seen += 1;

    expect({ seen, asked }).toEqual({ seen: 3, asked: [{}, { page: 'a' }, { page: 'b' }] });
  });

  it('given a reader that stops, then no further page is read', async () => {
    const { asked, read } = createReader(['a', 'b', undefined]);

    for await (const _ of pagesOf(read)) break;

    expect(asked).toEqual([{}]);
  });
});
