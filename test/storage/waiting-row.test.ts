import { encodeJobs, splitIntoRows } from '../../src/storage/waiting-row.js';

const jobOf = (length: number) => ({ address: 'a', eventIdDigest: 'd', json: JSON.stringify('x'.repeat(length)) });
const textsOf = (jobs: Parameters<typeof encodeJobs>[0]) =>
  Object.entries(encodeJobs(jobs)).flatMap(([name, value]) => (name.startsWith('events') ? [String(value)] : []));

describe('when jobs are split into rows', () => {
  it.each([
    { given: '100 usual events', lengths: Array(100).fill(700), rows: [100] },
    { given: '400 usual events', lengths: Array(400).fill(700), rows: [168, 168, 64] },
    { given: 'an event that is too long to share a row', lengths: [700, 29_995, 700, 700], rows: [1, 1, 2] },
    { given: 'events that fill a property each', lengths: Array(9).fill(29_000), rows: [4, 4, 1] },
  ])('given $given, then the rows have $rows jobs, within the limits of a property', ({ lengths, rows }) => {
    const jobs = lengths.map(jobOf);

    const lots = splitIntoRows(jobs);

    expect(lots.map((lot) => lot.length)).toEqual(rows);
    expect(lots.flat()).toEqual(jobs);
    const shared = lots.filter((lot) => lot.length > 1);
    expect(Math.max(...shared.flatMap(textsOf).map((text) => text.length))).toBeLessThan(32 * 1024);
  });
});
