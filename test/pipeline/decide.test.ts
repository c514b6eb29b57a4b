import fc from 'fast-check';
import { knownCode, knownName } from '../../src/codes.js';
import { errorCodeOf } from '../../src/errors.js';
import {
  decideClaim,
  decideFailure,
  type FromRow,
  longestRetryMs,
  maxCompanyOf,
  waitAfterMs,
} from '../../src/pipeline/decide.js';
import type { JobRecord, JobState, ReadRecord } from '../../src/storage/ledger.js';
import { StorageError } from '../../src/storage/table-store.js';
import {
  defineWorkflow,
  fhir,
  hours,
  minutes,
  NonRetriableError,
  RetryAfterError,
  seconds,
  type WorkflowOptions,
} from '../../src/workflow.js';
import { recordOf } from '../storage/ledger.contract.js';

const NOW = new Date('2026-01-01T12:00:00.000Z');
const LEASE_MS = 60_000;
const FRESH = {
  state: { kind: 'running', leaseMs: LEASE_MS },
  tries: 0,
  crashes: 0,
  crashesAlone: 0,
  redrives: 0,
  firstTryAt: '2026-01-01T12:00:00.000Z',
  errorCode: '',
  unknownSince: '',
};

/** A record as storage holds it, after three tries, one crash and one redrive. */
function stored(state: JobState, fields: Partial<JobRecord> = {}, ageMs = 0): ReadRecord {
  const counts = { write: 9, tries: 3, crashes: 1, redrives: 1, firstTryAt: '2025-12-31T12:00:00.000Z' };
  return { record: recordOf({ ...counts, state, errorCode: 'http-503', ...fields }), etag: 'etag-9', ageMs };
}

function decideFrom(current: ReadRecord | undefined, row?: FromRow) {
  return decideClaim(current, { row, now: NOW, leaseMs: LEASE_MS });
}

describe('when something brings a job', () => {
  const sources: Record<string, FromRow | undefined> = {
    'a delivery': undefined,
    'its row': { name: 'its-row' },
    'another row': { name: 'another-row' },
    'a redrive with the same number': { name: 'another-row', redrive: 1 },
    'a redrive with a higher number': { name: 'another-row', redrive: 2 },
  };
  const completed = stored({ kind: 'settled', result: 'completed' });
  const superseded = stored({ kind: 'settled', result: 'superseded' });
  const dead = stored({ kind: 'settled', result: 'dead' });
  const waiting = stored({ kind: 'waiting', due: 'its-row' });
  const running = stored({ kind: 'running', leaseMs: 30_000 }, {}, 32_000);
  const lapsed = stored({ kind: 'running', leaseMs: 30_000 }, {}, 32_001);
  const unknown = stored({ kind: 'unknown', name: 'paused' });

  const same = { ...waiting.record, state: { kind: 'running', leaseMs: LEASE_MS } };
  const crashed = { ...lapsed.record, crashes: 2, state: { kind: 'running', leaseMs: LEASE_MS } };
  const insert = { kind: 'claim', etag: undefined, record: FRESH, takesOver: false };
  const reopen = { kind: 'claim', etag: 'etag-9', record: { ...FRESH, redrives: 2 }, takesOver: false };
  const goOn = { kind: 'claim', etag: 'etag-9', record: same, takesOver: false };
  const takeOver = { kind: 'claim', etag: 'etag-9', record: crashed, takesOver: true };
  const busy = { kind: 'deferred', inMs: 32_000 };
  const wait = { kind: 'waiting', redrives: 1 };
  const later = { kind: 'deferred', inMs: 60_000 };
  const settled = (result: string) => ({ kind: 'settled', result, redrives: 1 });

  const table: [string, ReadRecord | undefined, Record<string, unknown>][] = [
    [
      'no record',
      undefined,
      {
        'a delivery': insert,
        'its row': insert,
        'another row': insert,
        'a redrive with the same number': { ...insert, record: { ...FRESH, redrives: 1 } },
        'a redrive with a higher number': { ...insert, record: { ...FRESH, redrives: 2 } },
      },
    ],
    ['a completed job', completed, everywhere(settled('completed'))],
    ['a superseded job', superseded, everywhere(settled('superseded'))],
    ['a dead job', dead, { ...everywhere(settled('dead')), 'a redrive with a higher number': reopen }],
    ['a job that waits', waiting, { ...everywhere(wait), 'its row': goOn }],
    ['a job at work', running, everywhere(busy)],
    ['a job whose lease has lapsed', lapsed, everywhere(takeOver)],
    ['a state of a later version', unknown, everywhere(later)],
  ];
  const cases = table.flatMap(([given, current, decisions]) =>
    Object.keys(sources).map((by) => ({ given, by, current, then: decisions[by] })),
  );

  it.each(cases)(
    'given $given, when $by brings it, then the decision is that of the table',
    ({ by, current, then }) => {
      expect(decideFrom(current, sources[by])).toEqual(then);
    },
  );

  it('given a dead job, when a redrive has a lower number, then the job stays settled', () => {
    const twice = stored({ kind: 'settled', result: 'dead' }, { redrives: 3 });

    expect(decideFrom(twice, { name: 'row', redrive: 2 })).toEqual({ kind: 'settled', result: 'dead', redrives: 3 });
  });

  it('given a job that waits for a row, when the name of a due row is a part of its name, then the job still waits', () => {
    const current = stored({ kind: 'waiting', due: '2026-01-01T12:00:00.000Z.a.b' });

    expect(decideFrom(current, { name: '2026-01-01T12:00:00.000Z.a' })).toEqual(wait);
  });

  function everywhere(then: unknown): Record<string, unknown> {
    return Object.fromEntries(Object.keys(sources).map((by) => [by, then]));
  }
});

describe('when a lease has been going on', () => {
  it.each([
    { leaseMs: 60_000, ageMs: 0, then: 'deferred' },
    { leaseMs: 60_000, ageMs: 60_001, then: 'deferred' },
    { leaseMs: 60_000, ageMs: 61_999, then: 'deferred' },
    { leaseMs: 60_000, ageMs: 62_000, then: 'deferred' },
    { leaseMs: 60_000, ageMs: 62_001, then: 'claim' },
    { leaseMs: 300_000, ageMs: 302_000, then: 'deferred' },
    { leaseMs: 300_000, ageMs: 302_001, then: 'claim' },
    { leaseMs: 60_000, ageMs: -5000, then: 'deferred' },
  ])('given a lease of $leaseMs ms, $ageMs ms ago, then $then', ({ leaseMs, ageMs, then }) => {
    expect(decideFrom(stored({ kind: 'running', leaseMs }, {}, ageMs)).kind).toBe(then);
  });
});

describe('when a lapsed job is taken over', () => {
  const lapse = (crashes: number, failing?: 'failed' | 'crash' | 'unknown-workflow') =>
    decideFrom(stored({ kind: 'running', leaseMs: 1000, ...(failing ? { failing } : {}) }, { crashes }, 99_999));

  it.each([0, 4, 7, 38])('given %i crashes in company before, counts one more and runs the job', (crashes) => {
    expect(lapse(crashes)).toEqual({
      kind: 'claim',
      takesOver: true,
      etag: 'etag-9',
      record: expect.objectContaining({
        crashes: crashes + 1,
        crashesAlone: 0,
        tries: 3,
        state: { kind: 'running', leaseMs: LEASE_MS },
      }),
    });
  });

  it('given 39 crashes of any kind before, gives the job up', () => {
    expect(lapse(39)).toMatchObject({ record: { crashes: 40, state: { failing: 'crash' } } });
  });

  it.each([
    { isAlone: true, crashesAlone: 3, then: { crashesAlone: 4, state: { kind: 'running', leaseMs: LEASE_MS } } },
    { isAlone: false, crashesAlone: 4, then: { crashesAlone: 4, state: { kind: 'running', leaseMs: LEASE_MS } } },
    { isAlone: true, crashesAlone: 4, then: { crashesAlone: 5, state: { failing: 'crash' } } },
  ])('given a crash (alone: $isAlone) after $crashesAlone alone, records $then', ({ isAlone, crashesAlone, then }) => {
    const state = { kind: 'running', leaseMs: 1000, isAlone } as const;

    expect(decideFrom(stored(state, { crashes: 9, crashesAlone }, 99_999))).toMatchObject({
      record: { crashes: 10, ...then },
    });
  });

  it.each([
    { crashes: 0, then: undefined },
    { crashes: 1, then: undefined },
    { crashes: 2, then: 16 },
    { crashes: 3, then: 8 },
    { crashes: 4, then: 4 },
    { crashes: 5, then: 2 },
    { crashes: 6, then: 1 },
    { crashes: 39, then: 1 },
  ])('given $crashes crashes, at most $then suspects run together', ({ crashes, then }) => {
    expect(maxCompanyOf({ crashes, state: { kind: 'running', leaseMs: 1000 } })).toBe(then);
  });

  it('given a job that only needs its dead letter, sets no limit', () => {
    const state = { kind: 'running', leaseMs: 1000, failing: 'crash' } as const;

    expect(maxCompanyOf({ crashes: 9, state })).toBeUndefined();
  });

  it.each(['failed', 'crash', 'unknown-workflow'] as const)(
    'given it was failing as %s, then it is still failing as that, whatever the number of crashes',
    (failing) => {
      for (const crashes of [0, 4, 9]) {
        expect(lapse(crashes, failing)).toMatchObject({ record: { crashes: crashes + 1, state: { failing } } });
      }
    },
  );

  it('given a job that waited for its row, then no crash is counted', () => {
    const claim = decideFrom(stored({ kind: 'waiting', due: 'its-row' }, { crashes: 4 }, 1e9), { name: 'its-row' });

    expect(claim).toMatchObject({ takesOver: false, record: { crashes: 4, state: { kind: 'running' } } });
    expect(JSON.stringify(claim)).not.toContain('failing');
  });
});

type Retry = NonNullable<WorkflowOptions<never>['retry']>;
function workflowWith(retry: Retry, timeout = seconds(10)) {
  return defineWorkflow({ name: 'some', on: fhir('*'), retry, timeout, handle() {} });
}

describe('when a handler has thrown', () => {
  const FIRST = { tries: 0, firstTryAt: '2026-01-01T11:00:00.000Z' };
  const failing = (error: unknown, record = FIRST, retry: Retry = {}, number = 0.5) =>
    decideFailure(
      error,
      { record, workflow: workflowWith(retry) },
      { now: NOW, random: { number: () => number, token: () => '' } },
    );

  it('given a NonRetriableError, then the job fails for good, with all tries left', () => {
    expect(failing(new NonRetriableError('no'))).toEqual({ kind: 'for-good', reason: 'non-retriable' });
  });

  it.each([
    { given: 'a wait', waitMs: 90_000, then: { kind: 'retry', inMs: 90_000, countsAsTry: false } },
    { given: 'no wait', waitMs: 0, then: { kind: 'retry', inMs: 0, countsAsTry: false } },
    { given: 'a wait that is over', waitMs: -5000, then: { kind: 'retry', inMs: 0, countsAsTry: false } },
    {
      given: 'a wait to the very end',
      waitMs: 3_600_000,
      then: { kind: 'retry', inMs: 3_600_000, countsAsTry: false },
    },
    { given: 'a wait beyond giveUpAfter', waitMs: 3_600_001, then: { kind: 'for-good', reason: 'gave-up' } },
    { given: 'an endless wait', waitMs: Number.POSITIVE_INFINITY, then: { kind: 'for-good', reason: 'gave-up' } },
  ])('given a RetryAfterError with $given, an hour after the first of two, then $then', ({ waitMs, then }) => {
    const error = new RetryAfterError('busy', { ms: waitMs });

    expect(failing(error, FIRST, { giveUpAfter: hours(2) })).toEqual(then);
  });

  it.each([
    { given: 'a moment after the first try', firstTryAt: NOW, inMs: 10_000 },
    { given: 'an hour after it', firstTryAt: new Date(NOW.getTime() - 3_600_000), inMs: 1_800_000 },
    { given: 'a day after it', firstTryAt: new Date(NOW.getTime() - 20 * 3_600_000), inMs: 6 * 3_600_000, giveUp: 48 },
  ])('given storage fails for a handler $given, then it is tried again in $inMs ms', ({ firstTryAt, inMs, giveUp }) => {
    const record = { ...FIRST, firstTryAt: firstTryAt.toISOString() };

    expect(failing(new StorageError('timeout', 'late'), record, { giveUpAfter: hours(giveUp ?? 24) })).toEqual({
      kind: 'retry',
      inMs,
      countsAsTry: false,
    });
  });

  it('given too many others write the row of a handler, then the failure counts as a try', () => {
    expect(failing(new StorageError('contention', 'others'))).toMatchObject({ kind: 'retry', countsAsTry: true });
  });

  it('given a RetryAfterError whose wait is no number, then the job is retried at a valid time, or given up', () => {
    const failure = failing(new RetryAfterError('busy', seconds(Number('Wed, 21 Oct 2026 07:28:00 GMT'))));

    expect(failure.kind === 'for-good' || Number.isFinite(failure.inMs)).toBe(true);
  });

  it('given a RetryAfterError without a wait, as JavaScript allows, then it counts as an ordinary failure', () => {
    const error = new RetryAfterError('busy', { ms: undefined } as never);

    expect(failing(error)).toEqual({ kind: 'retry', inMs: 10_000, countsAsTry: true });
  });

  it('given a RetryAfterError after the last try, then the job is retried', () => {
    const error = new RetryAfterError('busy', seconds(1));

    expect(failing(error, { ...FIRST, tries: 7 }, { tries: 8 })).toMatchObject({ kind: 'retry', countsAsTry: false });
  });

  it.each([
    { tries: 0, then: { kind: 'retry', inMs: 10_000, countsAsTry: true } },
    { tries: 1, then: { kind: 'retry', inMs: 100_000, countsAsTry: true } },
    { tries: 2, then: { kind: 'retry', inMs: 1_000_000, countsAsTry: true } },
    { tries: 3, then: { kind: 'for-good', reason: 'tries-spent' } },
    { tries: 9, then: { kind: 'for-good', reason: 'tries-spent' } },
  ])('given $tries of four tries before, then $then', ({ tries, then }) => {
    const retry = { tries: 4, from: seconds(10), to: seconds(1000) };

    expect(failing(new Error('no'), { ...FIRST, tries }, retry)).toEqual(then);
  });

  it.each([undefined, null, 'text', 0, { message: 'no error' }])(
    'given %p was thrown, then it counts as a try',
    (thrown) => {
      expect(failing(thrown)).toEqual({ kind: 'retry', inMs: 10_000, countsAsTry: true });
    },
  );

  it('given one try in all, then a failure is for good', () => {
    expect(failing(new Error('no'), FIRST, { tries: 1 })).toEqual({ kind: 'for-good', reason: 'tries-spent' });
  });

  it.each([
    { number: 0, inMs: 8000 },
    { number: 0.25, inMs: 9000 },
    { number: 0.75, inMs: 11_000 },
    { number: 0.999999, inMs: 12_000 },
  ])('given the random number $number, then 10 s become $inMs ms', ({ number, inMs }) => {
    expect(failing(new Error('no'), FIRST, {}, number)).toMatchObject({ inMs });
  });
});

describe('when the waits between tries are asked for', () => {
  it('given 10 s to 6 h in 8 tries, then the waits are a geometric series', () => {
    const { retry } = workflowWith({});
    const waits = [1, 2, 3, 4, 5, 6, 7].map((tries) => Math.round(waitAfterMs(tries, retry) / 1000));

    expect(waits).toEqual([10, 36, 129, 465, 1671, 6008, 21_600]);
  });

  it.each([1, 2])('given %i tries, then the only wait is the shortest', (tries) => {
    expect(waitAfterMs(1, workflowWith({ tries }).retry)).toBe(10_000);
  });

  it('given any from, to and tries, then each wait is between them, and longer than the one before by the same factor', () => {
    const some = fc.record({
      tries: fc.integer({ min: 3, max: 100 }),
      fromMs: fc.integer({ min: 1, max: 1_000_000 }),
      factor: fc.integer({ min: 1, max: 500 }),
    });
    fc.assert(
      fc.property(some, ({ tries, fromMs, factor }) => {
        const { retry } = workflowWith({ tries, from: { ms: fromMs }, to: { ms: fromMs * factor } });
        const waits = Array.from({ length: tries - 1 }, (_, i) => waitAfterMs(i + 1, retry));

        expect(waits[0]).toBe(fromMs);
        expect((waits.at(-1) ?? 0) / (fromMs * factor)).toBeCloseTo(1, 6);
        for (let i = 1; i < waits.length; i += 1) {
          expect((waits[i] ?? 0) / (waits[i - 1] ?? 0)).toBeCloseTo(factor ** (1 / (tries - 2)), 6);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('when the longest that a job can be retried is asked for', () => {
  it.each([
    // 1.2 × (10 s + 100 s) of waits, and 3 × 20 s of work.
    { given: 'tries that take longer', giveUpAfter: seconds(1), then: 192_000 },
    { given: 'a giveUpAfter that is longer', giveUpAfter: minutes(10), then: 600_000 },
  ])('given $given, then $then ms', ({ giveUpAfter, then }) => {
    const retry = { tries: 3, from: seconds(10), to: seconds(100), giveUpAfter };

    expect(longestRetryMs(workflowWith(retry, seconds(20)))).toBeCloseTo(then, 6);
  });

  it('given one try, then the answer is the time of the handler', () => {
    expect(longestRetryMs(workflowWith({ tries: 1, giveUpAfter: seconds(1) }, seconds(20)))).toBe(20_000);
  });
});

describe('when the code of an error is recorded', () => {
  it.each([
    { given: 'a code of Node', error: { code: 'ECONNREFUSED', name: 'Error' }, then: 'ECONNREFUSED' },
    { given: 'a code of the app', error: new NonRetriableError('no'), then: 'non-retriable' },
    { given: 'a code that is declared', error: new NonRetriableError('no', { code: 'bad-code' }), then: 'bad-code' },
    {
      given: 'a code that is not',
      error: new NonRetriableError('no', { code: 'Muellerphi' }),
      then: 'undeclared-code',
    },
    { given: 'a status in the code', error: { code: 'http-503' }, then: 'http-503' },
    { given: 'a year in the code', error: { code: 'http-1970' }, then: 'undeclared-code' },
    { given: 'a code that ends in a new line', error: { code: 'http-503\n' }, then: 'undeclared-code' },
    { given: 'no code', error: new RangeError('no'), then: 'RangeError' },
    { given: 'a code that is a number', error: { code: 20, name: 'AbortError' }, then: 'AbortError' },
    { given: 'a class of its own', error: { name: 'Muellerphi' }, then: 'Error' },
    { given: 'neither code nor name', error: {}, then: 'Error' },
    { given: 'a text', error: 'Jane Doe', then: 'thrown-value' },
    { given: 'nothing', error: undefined, then: 'thrown-value' },
    { given: 'null', error: null, then: 'thrown-value' },
  ])('given $given, then $then', ({ error, then }) => {
    expect(errorCodeOf(error, ['bad-code'])).toBe(then);
  });

  it('given any undeclared code and name, then neither is recorded', () => {
    const word = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z-]{1,12}$/), fc.uuid(), fc.emailAddress());
    const unknown = word.filter((one) => knownCode(one, []) !== one && knownName(one) !== one);
    fc.assert(
      fc.property(unknown, unknown, (code, name) => {
        expect(errorCodeOf({ code, name })).toBe('undeclared-code');
        expect(errorCodeOf({ name })).toBe('Error');
        expect(errorCodeOf(name)).toBe('thrown-value');
      }),
      { numRuns: 1000 },
    );
  });
});
