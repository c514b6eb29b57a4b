import * as api from '../../src/api/overview.js';
import type { StorageCounts } from '../../src/api/stats.js';
import { findProblems } from '../../src/functions/overview-problems.js';
import { bucketOf, LAG_BOUNDS, MINUTE_INDEX } from '../../src/instances/hour.js';
import type { Seen } from '../../src/instances/row.js';

const NOW = new Date('2026-01-01T12:00:30.000Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();
const HOST = 'w-f.fhir.azurehealthcareapis.com';

const QUIET: StorageCounts = {
  countedAt: NOW.toISOString(),
  waiting: { rows: 0, isMore: false, earliestDueAt: null },
  deadLetters: { pending: { failed: 0 }, byReason: {}, isMore: false, oldestAt: null },
  undelivered: { blobs: 0, unreadable: 0, isMore: false, oldestAt: null },
  compared: [],
};
const RUNNING: Seen = {
  ...{ id: 'i1', startedAt: NOW, seenAt: NOW, state: 'running' },
  ...{ hour: { minutes: new Map(), spans: new Map(), eventsPerSecond: 0 }, circuits: [], recent: [] },
};

/** An instance with these numbers of lags, `minutesAgo`. */
function withLags(minutesAgo: number, lags: Record<number, number>): Seen {
  const counts = new Array<number>(MINUTE_INDEX.end).fill(0);
  for (const [lag, count] of Object.entries(lags))
    counts[MINUTE_INDEX.lags + bucketOf(Number(lag), LAG_BOUNDS)] = count;
  const minutes = new Map([[Math.floor(NOW.getTime() / 60_000) - minutesAgo, counts]]);
  return { ...RUNNING, hour: { ...RUNNING.hour, minutes } };
}

function problemsOf({ seen = [RUNNING], counted = {}, paused = [] }: Partial<Found> = {}) {
  const all = typeof counted === 'string' ? counted : { ...QUIET, ...counted };
  return findProblems({ seen, counted: all, paused, services: [HOST], now: NOW }).map((one) => api.problem.parse(one));
}
type Found = Pick<Parameters<typeof findProblems>[0], 'seen' | 'paused'> & { counted: Partial<StorageCounts> | string };

const waiting = (dueAt: string | null) => ({ waiting: { rows: 1, isMore: false, earliestDueAt: dueAt } });
const behind = (behindSeconds: number, host = HOST) => ({
  compared: [
    {
      ...{ service: 'fhir' as const, host, upTo: ago(behindSeconds), behindSeconds },
      compared: 9,
      missing: 1,
      broughtIn: 1,
    },
  ],
});
const undelivered = (more: object) => ({
  undelivered: { blobs: 1, unreadable: 0, isMore: false, oldestAt: ago(1801), ...more },
});
const queued = (at: string) => ({ eventQueue: { messages: 3, poisoned: 0, oldestAt: at } });
const circuit = (state: 'open' | 'half-open' | 'closed'): Seen => ({
  ...RUNNING,
  circuits: [{ workflow: 'note', state, failuresInARow: 20, openSince: ago(60), nextProbeAt: null }],
});

describe('when the overview looks for problems', () => {
  const limits: { given: string; facts: Partial<Found>; code?: string; level?: string }[] = [
    { given: 'nothing', facts: {} },
    { given: 'storage failed', facts: { counted: 'unreachable' }, code: 'storage-failed', level: 'red' },
    { given: 'a row due for 60 s', facts: { counted: waiting(ago(60)) } },
    { given: 'a row due for longer', facts: { counted: waiting(ago(60.001)) }, code: 'rows-overdue', level: 'red' },
    {
      given: 'a count of a minute ago, in which a row was not due',
      facts: { counted: { ...waiting(ago(100)), countedAt: ago(60) } },
    },
    { given: 'a row that is due later', facts: { counted: waiting(ago(-3600)) } },
    { given: '9 late jobs', facts: { seen: [withLags(1, { 6: 9 })] } },
    { given: '10 late jobs of 1000', facts: { seen: [withLags(1, { 6: 10, 1: 990 })] } },
    {
      given: '10 late jobs of 999',
      facts: { seen: [withLags(1, { 6: 10, 1: 989 })] },
      code: 'lag-high',
      level: 'amber',
    },
    { given: '10 jobs after exactly 5 s', facts: { seen: [withLags(1, { 5: 10 })] } },
    { given: '10 late jobs in this minute', facts: { seen: [withLags(0, { 6: 10 })] } },
    { given: '10 late jobs 6 minutes ago', facts: { seen: [withLags(6, { 6: 10 })] } },
    {
      given: '5 late jobs in each of two instances',
      facts: { seen: [withLags(1, { 6: 5 }), withLags(5, { 6: 5 })] },
      ...{ code: 'lag-high', level: 'amber' },
    },
    { given: 'an open circuit', facts: { seen: [circuit('open')] }, code: 'circuit-open', level: 'amber' },
    { given: 'a half-open circuit', facts: { seen: [circuit('half-open')] }, code: 'circuit-open', level: 'amber' },
    { given: 'a closed circuit', facts: { seen: [circuit('closed')] } },
    {
      given: 'a dead letter',
      facts: { counted: { deadLetters: { ...QUIET.deadLetters, pending: { failed: 1 }, oldestAt: ago(1) } } },
      ...{ code: 'dead-letters', level: 'amber' },
    },
    { given: 'undelivered for 30 minutes', facts: { counted: undelivered({ oldestAt: ago(1800) }) } },
    { given: 'undelivered for longer', facts: { counted: undelivered({}) }, code: 'undelivered', level: 'amber' },
    {
      given: 'an unreadable one',
      facts: { counted: undelivered({ unreadable: 1, oldestAt: ago(1) }) },
      ...{ code: 'undelivered', level: 'amber' },
    },
    {
      given: 'undelivered that cannot be counted',
      facts: { counted: { undelivered: { error: 'forbidden' } } },
      ...{ code: 'undelivered', level: 'amber' },
    },
    { given: 'an event queued for 600 s', facts: { counted: queued(ago(600)) } },
    {
      given: 'an event queued for longer',
      facts: { counted: queued(ago(601)) },
      ...{ code: 'event-queue-overdue', level: 'red' },
    },
    {
      given: 'a queue that cannot be counted',
      facts: { counted: { eventQueue: { error: 'forbidden' } } },
      ...{ code: 'event-queue-overdue', level: 'red' },
    },
    { given: 'compared up to an hour ago', facts: { counted: behind(3600) } },
    { given: 'compared less far', facts: { counted: behind(3601) }, code: 'comparing-behind', level: 'amber' },
    { given: 'a service that is no longer compared', facts: { counted: behind(9999, 'old.example') } },
    {
      given: 'a paused workflow',
      facts: { paused: [{ workflow: 'note', since: ago(60) }] },
      ...{ code: 'workflow-paused', level: 'amber' },
    },
    { given: 'a stopped instance', facts: { seen: [{ ...RUNNING, state: 'stopped' }] } },
    {
      given: 'a silent instance',
      facts: { seen: [{ ...RUNNING, state: 'silent' }] },
      ...{ code: 'instance-silent', level: 'amber' },
    },
  ];

  it.each(limits)('given $given, then $code', ({ facts, code, level }) => {
    const found = problemsOf(facts);

    expect(found.map((problem) => [problem.code, problem.level])).toEqual(code === undefined ? [] : [[code, level]]);
  });

  it('given all at once, then red ones come first', () => {
    const found = problemsOf({
      seen: [{ ...circuit('open'), state: 'silent' }, withLags(1, { 6: 10 })],
      counted: { ...waiting(ago(61)), ...undelivered({}), ...behind(4000) },
      paused: [{ workflow: 'note', since: ago(60) }],
    });

    expect(found.map(({ code }) => code)).toEqual([
      ...['rows-overdue', 'lag-high', 'circuit-open', 'undelivered', 'comparing-behind'],
      ...['workflow-paused', 'instance-silent'],
    ]);
  });

  it('given the circuit of a workflow is open in two instances, then one problem says so, with the earlier time', () => {
    const later = { ...circuit('open'), id: 'i2' };

    const [problem, ...others] = problemsOf({ seen: [circuit('half-open'), later] });

    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      workflow: 'note',
      message: expect.stringContaining(`in 2 instances since ${ago(60)}`),
    });
  });
});
