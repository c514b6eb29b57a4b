import { rangeOfDate } from '../src/fhir-date.js';

describe('when rangeOfDate reads a date', () => {
  it.each([
    { text: '2024', start: '2024-01-01T00:00:00.000Z', end: '2025-01-01T00:00:00.000Z' },
    { text: '2024-02', start: '2024-02-01T00:00:00.000Z', end: '2024-03-01T00:00:00.000Z' },
    { text: '2024-12', start: '2024-12-01T00:00:00.000Z', end: '2025-01-01T00:00:00.000Z' },
    { text: '2024-02-29', start: '2024-02-29T00:00:00.000Z', end: '2024-03-01T00:00:00.000Z' },
    { text: '2024-05-01T10:00Z', start: '2024-05-01T10:00:00.000Z', end: '2024-05-01T10:01:00.000Z' },
    { text: '2024-05-01T10:00:30', start: '2024-05-01T10:00:30.000Z', end: '2024-05-01T10:00:31.000Z' },
    { text: '2024-05-01T10:00:30-05:00', start: '2024-05-01T15:00:30.000Z', end: '2024-05-01T15:00:31.000Z' },
    { text: '2024-05-01T10:00:30 02:00', start: '2024-05-01T08:00:30.000Z', end: '2024-05-01T08:00:31.000Z' },
    { text: '2024-05-01T10:00:30.5Z', start: '2024-05-01T10:00:30.500Z', end: '2024-05-01T10:00:30.501Z' },
    { text: '2024-05-01T10:00:30.1234567Z', start: '2024-05-01T10:00:30.123Z', end: '2024-05-01T10:00:30.124Z' },
  ])('given $text, then the range is from $start to $end', ({ text, start, end }) => {
    expect(rangeOfDate(text)).toEqual({ startMs: Date.parse(start), endMs: Date.parse(end) });
  });

  it.each([
    '',
    '24',
    '2024-13',
    '2024-02-30',
    '2023-02-29',
    '2024-05-01T25:00Z',
    '2024-05-01T10',
    '2024-5-1',
    'now',
    '2024-05-01T10:00:30.Z',
  ])('given "%s", then the text is not a date', (text) => {
    expect(rangeOfDate(text)).toBeUndefined();
  });
});
