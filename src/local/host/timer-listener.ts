import { Cron } from 'croner';
import { type Clock, sleep } from '../../clock.js';

/** The timer extension's data for a function. The library turns the names into camel case. */
export type TimerInfo = {
  readonly Schedule: { readonly AdjustForDST: boolean };
  readonly ScheduleStatus: { readonly Last: string; readonly Next: string; readonly LastUpdated: string };
  readonly IsPastDue: boolean;
};

type Deps = {
  /** NCRONTAB: {second} {minute} {hour} {day} {month} {day of week}, in UTC. */
  schedule: string;
  runOnStartup: boolean;
  run(info: TimerInfo): Promise<unknown>;
  clock: Clock;
};

const NEVER = new Date(8.64e15);
/** The clock is read every minute: Node's timers hold 32 bits of milliseconds, and a sleeping laptop stops them. */
const MAX_WAIT_MS = 60_000;

/**
 * Runs a function by its schedule. The next time is computed at the end of a run, so that two runs never overlap.
 * @throws TypeError where the schedule is invalid.
 */
export function listenToTimer({ schedule, runOnStartup, run, clock }: Deps) {
  const cron = new Cron(schedule, { paused: true, timezone: 'UTC', mode: '6-part', domAndDow: true });
  const stopping = new AbortController();
  let lastAt = new Date(0);
  const running = keepTime();
  return {
    /** Starts no more runs, and resolves when the current run has ended. */
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };

  async function keepTime(): Promise<void> {
    if (runOnStartup) await runAt(clock.now());
    for (;;) {
      const dueAt = nextAfter(new Date(Math.max(clock.now().getTime(), lastAt.getTime())));
      while (dueAt > clock.now() && !stopping.signal.aborted) {
        const waitMs = dueAt.getTime() - clock.now().getTime();
        await sleep(clock, Math.min(waitMs, MAX_WAIT_MS), stopping.signal);
      }
      if (stopping.signal.aborted) return;
      await runAt(dueAt);
    }
  }

  async function runAt(at: Date): Promise<void> {
    const status = { Last: lastAt.toISOString(), Next: nextAfter(at).toISOString(), LastUpdated: lastAt.toISOString() };
    lastAt = at;
    const info = { Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: false };
    await run(info).catch(() => {}); // the invoker has logged the error
  }

  function nextAfter(at: Date): Date {
    return cron.nextRun(at) ?? NEVER;
  }
}
