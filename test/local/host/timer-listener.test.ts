import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { listenToTimer, type TimerInfo } from '../../../src/local/host/timer-listener.js';
import { createTestClock } from '../../storage/test-clock.js';

describe('when the time of a schedule comes', () => {
  it.each([
    { schedule: '*/10 * * * * *', startAt: '2026-03-01T12:00:01Z', runs: ['12:00:10', '12:00:20', '12:00:30'] },
    { schedule: '0 */5 * * * *', startAt: '2026-03-01T12:04:59Z', runs: ['12:05:00'] },
    { schedule: '0 0 3 * * *', startAt: '2026-03-01T02:59:50Z', runs: ['03:00:00'] },
    // NCRONTAB asks for both, the 1st and a Monday; 2026-03-01 is a Sunday.
    { schedule: '0 0 12 1 * 1', startAt: '2026-03-01T11:59:50Z', runs: [] },
  ])('given $schedule at $startAt, then the function runs at $runs', async ({ schedule, startAt, runs }) => {
    const world = createWorld({ schedule, startAt });

    await world.passSeconds(30);

    expect(world.runs).toEqual(runs);
    await world.stop();
  });

  it('given a run that lasts beyond the next time, then no run overlaps it', async () => {
    const world = createWorld({ schedule: '*/10 * * * * *', startAt: '2026-03-01T12:00:05Z', takesMs: 12_000 });

    await world.passSeconds(40);

    expect(world.runs).toEqual(['12:00:10', '12:00:30']);
    await world.stop();
  });

  it('given an earlier run, then the function gets the times of the last and the next run', async () => {
    const world = createWorld({ schedule: '*/10 * * * * *', startAt: '2026-03-01T12:00:05Z' });

    await world.passSeconds(20);

    expect(world.infos.at(-1)).toEqual({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: {
        Last: '2026-03-01T12:00:10.000Z',
        Next: '2026-03-01T12:00:30.000Z',
        LastUpdated: '2026-03-01T12:00:10.000Z',
      },
      IsPastDue: false,
    });
    await world.stop();
  });
});

describe('when the host starts', () => {
  it.each([
    { runOnStartup: true, runs: ['12:00:05'] },
    { runOnStartup: false, runs: [] },
  ])('given runOnStartup $runOnStartup, then the function runs at $runs', async ({ runOnStartup, runs }) => {
    const world = createWorld({ schedule: '0 0 0 * * *', startAt: '2026-03-01T12:00:05Z', runOnStartup });

    await world.passSeconds(1);

    expect(world.runs).toEqual(runs);
    await world.stop();
  });

  it.each(['*/10 * * * *', 'nonsense', '61 * * * * *'])(
    'given the schedule %s, then the listener does not start',
    (schedule) => {
      expect(() => createWorld({ schedule, startAt: '2026-03-01T12:00:05Z' })).toThrow();
    },
  );
});

function createWorld(options: { schedule: string; startAt: string; runOnStartup?: boolean; takesMs?: number }) {
  const { schedule, startAt, runOnStartup = false, takesMs = 0 } = options;
  const clock = createTestClock(startAt);
  const runs: string[] = [];
  const infos: TimerInfo[] = [];
  const listener = listenToTimer({
    schedule,
    runOnStartup,
    async run(info) {
      runs.push(clock.now().toISOString().slice(11, 19));
      infos.push(info);
      if (takesMs > 0) await new Promise<void>((resolve) => clock.after(takesMs, resolve));
    },
    clock,
  });
  return {
    runs,
    infos,
    stop: () => listener.stop(),
    async passSeconds(seconds: number) {
      for (let second = 0; second <= seconds; second += 1) {
        for (let turn = 0; turn < 3; turn += 1) await endOfTurn();
        if (second < seconds) clock.advance(1000);
      }
    },
  };
}
