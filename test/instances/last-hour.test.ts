import { minutesOf, workflowHourOf } from '../../src/instances/hour.js';
import { LastHour } from '../../src/instances/last-hour.js';
import type { EndedRun } from '../../src/telemetry/telemetry.js';
import { createFakeClock } from '../../src/testing/index.js';

const TYPE = 'Microsoft.HealthcareApis.FhirResourceCreated';

function start(startAt?: string) {
  const clock = createFakeClock(startAt);
  let jumpMs = 0;
  const now = () => new Date(clock.now().getTime() + jumpMs);
  const lastHour = new LastHour({ monotonic: clock.monotonic, now });
  return {
    clock,
    now,
    lastHour,
    /** The wall clock jumps, the monotonic one does not. */
    jump: (ms: number) => {
      jumpMs += ms;
    },
    event: (count = 1) => lastHour.record('events', count, { outcome: 'taken', type: TYPE }),
    minutes: () => minutesOf([lastHour.hour()], now()),
    rate: () => lastHour.hour().eventsPerSecond,
  };
}

const total = (column: readonly number[]) => column.reduce((sum, count) => sum + count, 0);
const run = (eventId: string): EndedRun => ({
  ...{ eventId, type: TYPE, resourceType: 'Patient', workflow: 'note', outcome: 'completed', try: 1 },
  ...{ durationMs: 12.345, errorCode: '' },
});

describe('when this process records what happens', () => {
  it('given each metric, then its value is in the right count, and in no other', () => {
    const { lastHour, minutes, now } = start();
    const jobs = ['completed', 'superseded', 'dead-lettered', 'retried', 'put-off', 'duplicate', 'shared'] as const;
    jobs.forEach((outcome, at) => {
      lastHour.record('jobs', at + 1, { workflow: 'note', outcome });
    });
    for (const outcome of ['taken', 'ignored', 'invalid', 'not-safe'] as const)
      lastHour.record('events', 1, { outcome, type: 'unknown' });
    lastHour.record('jobLag', 0, { workflow: 'note', outcome: 'completed' });
    lastHour.record('workflowDuration', 0.02, { workflow: 'note', outcome: 'done' });
    lastHour.record('workflowDuration', 300, { workflow: 'note', outcome: 'aborted' });
    lastHour.record('changesMissing', 7, { service: 'fhir' });
    lastHour.record('waitingRows', 1000, {});

    const { at, lagP50, lagP99, ...columns } = minutes();

    expect(Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, total(column)]))).toEqual({
      ...{ events: 3, completed: 1, superseded: 2, deadLettered: 3, retried: 4, missing: 7 },
    });
    expect([lagP50.at(-1), lagP99.at(-1)]).toEqual([0.02, 0.0396]);
    expect(workflowHourOf('note', [lastHour.hour()], now())).toEqual({
      ...{ completed: 1, superseded: 2, deadLettered: 3, retried: 4, durationP50: 0.0175, durationP99: 0.0249 },
    });
  });

  it('given a counter that adds 0, or a gauge, then the number of changes stays', () => {
    const { lastHour } = start();

    lastHour.record('changesMissing', 0, { service: 'fhir' });
    lastHour.record('waitingRows', 5, {});
    expect(lastHour.changes).toBe(0);
    lastHour.record('jobLag', 0, { workflow: 'note', outcome: 'completed' });

    expect(lastHour.changes).toBe(1);
  });

  it('given a copy was taken, then later events do not change the copy', () => {
    const { lastHour, event, now } = start();
    event();
    const hour = lastHour.hour();

    event();

    expect(total(minutesOf([hour], now()).events)).toBe(1);
  });
});

describe('when time passes', () => {
  it('given an event before the end of a minute and one after, then each minute has one event', () => {
    const { clock, event, minutes } = start('2026-01-01T12:00:59.999Z');
    event();
    clock.advance(1);
    event(2);

    expect(minutes().events.slice(-2)).toEqual([1, 2]);
  });

  it('given a gap, then its minutes are empty; after an hour the first minute is gone', () => {
    const { clock, event, minutes, lastHour } = start();
    event();
    clock.advance(3 * 60_000);
    event();

    expect(minutes().events.slice(-5)).toEqual([0, 1, 0, 0, 1]);
    clock.advance(57 * 60_000);
    expect(total(minutes().events)).toBe(1);
    event(); // takes the place of the first minute
    expect(total(minutes().events)).toBe(2);
    clock.advance(24 * 3_600_000);
    expect(total(minutes().events)).toBe(0);
    expect([...lastHour.hour().minutes.keys()]).toHaveLength(1);
  });

  it('given an event in every minute of three hours, then the hour has the last 60', () => {
    const { clock, event, minutes } = start();
    for (let minute = 1; minute <= 180; minute += 1) {
      clock.advance(60_000);
      event(minute);
    }

    expect(minutes().events).toEqual(Array.from({ length: 60 }, (_, at) => 121 + at));
  });

  it.each([
    { given: 'a minute back', jumpMs: -60_000, expected: 3 },
    { given: 'a minute forward', jumpMs: 60_000, expected: 4 },
    { given: 'exactly an hour forward', jumpMs: 3_600_000, expected: 1 },
    { given: 'exactly an hour back', jumpMs: -3_600_000, expected: 1 },
    { given: 'a day forward', jumpMs: 24 * 3_600_000, expected: 1 },
    { given: 'a day back', jumpMs: -24 * 3_600_000, expected: 1 },
  ])('given the clock jumps $given, then no minute has numbers of another time', ({ jumpMs, expected }) => {
    const { clock, event, minutes, jump } = start();
    event(2);
    clock.advance(60_000);
    event(1);
    jump(jumpMs);
    clock.advance(10_000);
    event(1);

    const found = minutes();

    expect(total(found.events)).toBe(expected);
    expect(found.at).toHaveLength(60);
  });
});

describe('when the events of the last full 10 s are asked for', () => {
  it.each([
    { afterMs: 9_999, expected: 0 },
    { afterMs: 10_000, expected: 3 },
    { afterMs: 19_999, expected: 3 },
    { afterMs: 20_000, expected: 0 },
    { afterMs: 30_000, expected: 0 },
    { afterMs: 3_600_000, expected: 0 },
    { afterMs: 3_610_000, expected: 0 },
  ])('given 30 events $afterMs ms ago, then the rate is $expected a second', ({ afterMs, expected }) => {
    const { clock, event, rate } = start();
    event(30);

    clock.advance(afterMs);

    expect(rate()).toBe(expected);
  });

  it('given events go on, then only those of the last full 10 s count', () => {
    const { clock, event, rate } = start();
    event(30);
    clock.advance(10_000);
    event(50);

    expect(rate()).toBe(3);
    clock.advance(10_000);
    expect(rate()).toBe(5);
  });
});

describe('when runs of jobs have ended', () => {
  it('given one run, then it has its time and its duration', () => {
    const { clock, lastHour } = start();
    clock.advance(61_000);
    lastHour.ended(run('e1'));
    lastHour.ended({ ...run('e2'), durationMs: undefined });

    expect(lastHour.recent()).toEqual([
      { ...run('e2'), at: '2026-01-01T12:01:01.000Z', durationMs: null },
      { ...run('e1'), at: '2026-01-01T12:01:01.000Z', durationMs: 12.3 },
    ]);
  });

  it('given 120 runs, then the last 50 are kept, the newest first', () => {
    const { lastHour } = start();
    for (let n = 1; n <= 120; n += 1) lastHour.ended(run(`e${n}`));

    expect(lastHour.recent().map(({ eventId }) => eventId)).toEqual(
      Array.from({ length: 50 }, (_, n) => `e${120 - n}`),
    );
  });
});
