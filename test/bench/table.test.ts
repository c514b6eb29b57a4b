import { formatTable } from '../../bench/table.js';

describe('formatTable', () => {
  it('given an aim, then the table shows it after the result, and whether the result meets it', () => {
    const table = formatTable([
      { section: 'a', what: 'twice', result: 2, aim: { atLeast: 2 } },
      { section: 'a', what: 'too slow', result: 1.99, aim: { atLeast: 2 } },
      { section: 'd', what: 'too many', result: 0.3, aim: { atMost: 0.2 } },
    ]);

    expect(table).toMatch(/twice +2\.00 +≥ 2 +met\n/);
    expect(table).toMatch(/too slow +1\.99 +≥ 2 +MISSED\n/);
    expect(table).toMatch(/too many +0\.30 +≤ 0\.2 +MISSED\n/);
  });

  it('given a figure without some measurements, then their cells are empty', () => {
    const [, , , line] = formatTable([{ section: 'b', what: 'one', eventsPerSecond: 1234.5 }]).split('\n');

    expect(line).toMatch(/^ {2}one +1,235$/);
  });

  it('given a figure with a size, then the table shows the number of files, and megabytes with one decimal', () => {
    const table = formatTable([{ section: 'g', what: 'bundle', files: 12_760, mb: 80.84, zippedMb: 21.16 }]);

    expect(table).toMatch(/bundle +12,760 +80\.8 +21\.2\n/);
  });
});
