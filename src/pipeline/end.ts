import type { Clock } from '../clock.js';
import { isLong, type Shared } from './run.js';

// The end of a process:
//   appTerminate                        + 15 s                        + 25 s        + 30 s
//      |-- handlers may end, no claims --|-- aborted, let go after 3 s --|-- given up --|-- the host kills it
// Who stands in line gets a row at once, and handlers that may take longer are aborted at once.

const HANDLERS_GET_MS = 15_000;
const ALL_WITHIN_MS = 25_000;

export async function endProcess({ clock, running, life, settings, telemetry }: Shared): Promise<void> {
  if (life.isStopping) return;
  life.isStopping = true;
  telemetry.log('info', 'stopping', { count: running.size });
  const endsAtMs = clock.monotonic() + ALL_WITHIN_MS;
  for (const run of [...running.values()]) {
    run.leaveLine?.();
    if (isLong(run.workflow, settings)) life.onAbort.get(run)?.();
  }
  const abortAtMs = clock.monotonic() + HANDLERS_GET_MS;
  while (running.size > 0 && clock.monotonic() < endsAtMs) {
    life.isAborting = clock.monotonic() >= abortAtMs;
    if (life.isAborting) for (const abort of [...life.onAbort.values()]) abort();
    const waitMs = (life.isAborting ? endsAtMs : abortAtMs) - clock.monotonic();
    await within(clock, Math.max(1, waitMs), Promise.allSettled([...running.values()].map(({ ended }) => ended)));
  }
  telemetry.log('info', 'stopped', { count: running.size });
}

function within(clock: Clock, ms: number, ended: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    void ended.then(() => {
      cancel();
      resolve();
    });
  });
}
