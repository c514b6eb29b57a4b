import { barOf, createProgress } from '../../src/local/progress.js';

const describeCount = (count: number) => `${count} of 40 are done`;

describe('when progress is shown', () => {
  it('given a terminal, then one line is drawn again, and cleared at the end', () => {
    const written: string[] = [];
    const out = { isTTY: true, columns: 80, write: (text: string) => written.push(text) };
    const progress = createProgress(out, { now: () => 0, describe: describeCount });

    progress.show(1);
    progress.note('A line that stays.');
    progress.end();

    expect(written).toEqual(['\r\x1b[K1 of 40 are done', '\r\x1b[KA line that stays.\n', '\r\x1b[K']);
  });

  it.each([
    { columns: 9, then: '\r\x1b[K1 of 40 ' },
    { columns: 0, then: '\r\x1b[K1 of 40 are done' },
    { columns: undefined, then: '\r\x1b[K1 of 40 are done' },
  ])('given a terminal of $columns columns, the line stays one line', ({ columns, then }) => {
    const written: string[] = [];
    const out = { isTTY: true, write: (text: string) => written.push(text), ...(columns !== undefined && { columns }) };

    createProgress(out, { now: () => 0, describe: describeCount }).show(1);

    expect(written).toEqual([then]);
  });

  it.each([
    { isFirstShown: false, then: ['10 of 40 are done\n', '20 of 40 are done\n'] },
    { isFirstShown: true, then: ['0 of 40 are done\n', '10 of 40 are done\n', '20 of 40 are done\n'] },
  ])(
    'given no terminal, then there is a line every 10 s (the first at once: $isFirstShown)',
    ({ isFirstShown, then }) => {
      const written: string[] = [];
      let nowMs = 0;
      const out = { write: (text: string) => written.push(text) };
      const progress = createProgress(out, { now: () => nowMs, describe: describeCount, isFirstShown });

      for (; nowMs < 21_000; nowMs += 1000) progress.show(nowMs / 1000);
      progress.end();

      expect(written).toEqual(then);
    },
  );

  it('given text with control characters, then they are escaped', () => {
    const written: string[] = [];
    const progress = createProgress({ write: (text) => written.push(text) }, { now: () => 0, describe: String });

    progress.note('\x1b[2J');

    expect(written).toEqual(['\\u001b[2J\n']);
  });

  it.each([
    { share: 0, full: 0 },
    { share: 0.5, full: 15 },
    { share: 1.2, full: 30 },
  ])('given the share $share, then $full of 30 are filled', ({ share, full }) => {
    expect(barOf(share)).toBe(`[${'#'.repeat(full)}${'.'.repeat(30 - full)}]`);
  });
});
