import fc from 'fast-check';
import { toIsoUtc } from '../../src/events/time.js';

describe('toIsoUtc', () => {
  it.each([
    { given: '2022-03-24T00:00:00.0000000Z', expected: '2022-03-24T00:00:00.000Z' },
    { given: '2022-03-24T00:00:00Z', expected: '2022-03-24T00:00:00.000Z' },
    { given: '2022-03-24T06:30:34.1234567+02:00', expected: '2022-03-24T04:30:34.123Z' },
    { given: '2022-03-24T04:30:34.1234567+00:00', expected: '2022-03-24T04:30:34.123Z' },
    { given: '2022-03-24T04:30:34.123456789Z', expected: '2022-03-24T04:30:34.123Z' },
    { given: '2022-03-24T04:30:34.1-00:00', expected: '2022-03-24T04:30:34.100Z' },
    { given: '2022-03-24 04:30:34.12z', expected: '2022-03-24T04:30:34.120Z' },
    { given: '2022-03-24t04:30:34', expected: '2022-03-24T04:30:34.000Z' },
    { given: '2022-12-31T23:59:59.9999999Z', expected: '2022-12-31T23:59:59.999Z' },
    { given: '2022-12-31T23:59:59.9999999-00:30', expected: '2023-01-01T00:29:59.999Z' },
    { given: '2023-01-01T00:29:59+0030', expected: '2022-12-31T23:59:59.000Z' },
    { given: '2023-01-01T00:00:00-14:00', expected: '2023-01-01T14:00:00.000Z' },
    { given: '2024-02-29T00:00:00Z', expected: '2024-02-29T00:00:00.000Z' },
    { given: '2000-02-29T00:00:00Z', expected: '2000-02-29T00:00:00.000Z' },
    { given: '0001-01-01T00:00:00Z', expected: '0001-01-01T00:00:00.000Z' },
    { given: '9999-12-31T23:59:59.9999999Z', expected: '9999-12-31T23:59:59.999Z' },
  ])('given $given, then $expected', ({ given, expected }) => {
    expect(toIsoUtc(given)).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    'foo 1',
    '2022',
    '2022-03-24',
    'Thu, 24 Mar 2022 00:00:00 GMT',
    '2022-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2022-04-31T00:00:00Z',
    '2022-00-01T00:00:00Z',
    '2022-13-01T00:00:00Z',
    '2022-01-00T00:00:00Z',
    '2022-01-32T00:00:00Z',
    '2022-03-24T24:00:00Z',
    '2022-03-24T00:60:00Z',
    '2022-03-24T00:00:60Z',
    '2022-03-24T00:00:00.Z',
    '2022-03-24T00:00:00+24:00',
    '2022-03-24T00:00:00+00:60',
    '2022-03-24T00:00:00Z ',
    ' 2022-03-24T00:00:00Z',
    '2022-03-24T00:00:00Z\n',
    '٢٠٢٢-03-24T00:00:00Z',
  ])('given %j, then it is no instant', (given) => {
    expect(toIsoUtc(given)).toBeUndefined();
  });

  it('given the output of Date, then the same time', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 0, 1) }), (ms) => {
        const iso = new Date(ms).toISOString();

        expect(toIsoUtc(iso)).toBe(iso);
      }),
    );
  });
});
