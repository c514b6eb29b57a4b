import { describeProgress, describeVerdict } from '../../../src/local/simulate/verdict-text.js';
import type { Verdict } from '../../../src/simulator/runs/verdict.js';
import { statusOf } from './stub-app.js';

const LAG = { mean: 200, p50: 120, p99: 2500, p9999: 7000, max: 7000 };
const verdict: Verdict = {
  ok: false,
  events: {
    ...{ sent: 110, malformed: 10, settled: 80, deadLettered: 5, rejected: 9 },
    ...{ open: 4, ignored: 3, undelivered: 7, lost: 2 },
  },
  neverDelivered: { lostByChaos: 11, eventsOff: 22, hardDeleted: 1, found: 30 },
  jobs: { completed: 70, superseded: 15, deadLettered: 6, open: 4 },
  lagMs: LAG,
  withinFiveSeconds: 0.995,
  tables: { 'resource-index': { rows: 60, wrong: 1 } },
  problems: ['lost: 0badcafe-0000-4000-8000-000000000001'],
};
const status = statusOf({
  phase: 'done',
  endedAt: '2026-01-01T12:01:00.000Z',
  made: 110,
  deliveries: { matched: 110, requests: 12, delivered: 115, duplicates: 8, retried: 20 },
  redriven: 6,
  verdict,
});

describe('when a verdict is printed for people', () => {
  it('given something of every kind, then each has a line', () => {
    const lines = describeVerdict(status)
      .split('\n')
      .map((line) => line.trim().split(/ {3,}/));

    expect(Object.fromEntries(lines.filter(({ length }) => length === 2))).toEqual({
      sent: '110, 10 of them malformed',
      delivered: '115 in 12 requests',
      duplicates: '8',
      retried: '20',
      settled: '80, with 70 jobs completed',
      superseded: '15 jobs, by newer versions',
      'dead-lettered': '5, and 9 malformed',
      'not wanted': '3, by any workflow',
      'still open': '4: they wait for another try',
      redriven: "6, out of Event Grid's dead letters",
      undelivered: '7: Event Grid gave up; they are in the container undelivered',
      'lost by chaos': '11 events',
      'events off': '22 changes made no event',
      'never delivered': '33, 30 of them found by reconciliation',
      'hard-deleted': '1 of them with their resources: nobody can find these',
      lag: expect.stringMatching(/^mean 0\.20 s, p50 0\.12 s, p99 2\.50 s, p99\.99 7\.00 s; 99\.50 % within 5 s/),
      'table of resource-index': '60 rows, 1 wrong',
      LOST: '2',
    });
    expect(describeVerdict(status)).toContain('lost: 0badcafe-0000-4000-8000-000000000001');
    expect(describeVerdict(status)).toMatch(/NOT as it should be\.\n$/);
  });

  it('given all is well, then the text says so', () => {
    const neverDelivered = { lostByChaos: 11, eventsOff: 22, hardDeleted: 1, found: 32 };

    expect(describeVerdict({ ...status, verdict: { ...verdict, ok: true, neverDelivered } })).toMatch(
      /\nNothing is lost\.\n$/,
    );
  });

  it('given all is well, but reconciliation has not found every change that was never delivered, then the text says how many', () => {
    expect(describeVerdict({ ...status, verdict: { ...verdict, ok: true } })).toMatch(
      /\nNothing that was delivered is lost\. Reconciliation has not found 2 changes that were not delivered\.\n$/,
    );
  });

  it('given no verdict, then the text says why', () => {
    const without = { ...status, verdict: null };

    expect(describeVerdict({ ...without, phase: 'failed', error: 'StorageError: no.' })).toContain('StorageError: no.');
    expect(describeVerdict({ ...without, phase: 'stopped' })).toContain('stopped');
  });
});

describe('when the lag is over what the service promises', () => {
  const late = { ...verdict, lagMs: { ...LAG, mean: 4000 }, withinFiveSeconds: 0.7 };
  const calm = { cores: 2, cpuShare: 0.3, loadAverage: 1.2, eventLoopDelayMs: 12 };

  it.each([
    { busy: { cpuShare: 0.97 }, says: 'CPU 97 % of 2 cores, load average 1.2, event-loop delay 12 ms' },
    { busy: { loadAverage: 7.44 }, says: 'CPU 30 % of 2 cores, load average 7.4, event-loop delay 12 ms' },
    { busy: { eventLoopDelayMs: 810.4 }, says: 'CPU 30 % of 2 cores, load average 1.2, event-loop delay 810 ms' },
  ])('given a busy machine ($busy), then the text has its figures', ({ busy, says }) => {
    const text = describeVerdict({ ...status, verdict: late, machine: { ...calm, ...busy } });

    expect(text).toContain(`The machine was busy: ${says}.\n`);
  });

  it.each([
    { given: 'a calm machine', verdict: late, machine: calm },
    { given: 'no measurement', verdict: late, machine: null },
    {
      given: 'a busy machine but little lag',
      verdict: { ...late, lagMs: LAG, withinFiveSeconds: 1 },
      machine: { ...calm, cpuShare: 1 },
    },
  ])('given $given, then the text does not name the machine', ({ verdict, machine }) => {
    expect(describeVerdict({ ...status, verdict, machine })).not.toContain('busy');
  });
});

describe('when a verdict has control characters', () => {
  it.each([
    { ...status, verdict: { ...verdict, problems: ['lost: \x1b[2J\nforged'] } },
    { ...status, verdict: null, phase: 'failed' as const, error: '\x1b[2J\nforged' },
  ])('then they are escaped', (hostile) => {
    expect(describeVerdict(hostile)).toContain('\\u001b[2J\\nforged');
  });
});

describe('when progress is described', () => {
  it('given a run, then the line has a bar, the counts and the phase', () => {
    expect(describeProgress({ ...status, phase: 'making', made: 50, pending: 9 })).toBe(
      `[${'#'.repeat(15)}${'.'.repeat(15)}] 50 of 100: making events, 9 with Event Grid`,
    );
  });
});
