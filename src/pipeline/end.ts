import { endsWithin } from '../clock.js';
import type { CallLimit } from '../storage/bounded.js';
import { isLong, type Shared } from './shared.js';
import type { Wakeups } from './wakeups.js';

// The end of a process begins with appTerminate (ARCHITECTURE.md says why). The host kills the process 5 s later:
//
//   appTerminate           + 0.8 s        + 1.2 s                                     + 3.4 s       + 5 s
//      |-- handlers may end --|-- aborted --|-- rows and records, in a group commit --|-- given up --|-- killed
//
// E1: from the first moment on no job is claimed. A delivered job that waits for a slot gets a row; a job from a row
//     keeps its row.
// E2: handlers of long jobs are aborted at once, all others after 0.8 s; 0.4 s later the pipeline waits for no handler.
// E3: an open job goes back to waiting, due at once. That is neither a try nor a crash.
// E4: the end takes 3.4 s, however long handlers and storage take: a storage call gets 1 s instead of 3 s.
// E5: `stopped` is always logged, with the number of jobs that are still open. Their leases lapse: a crash for each.

const HANDLERS_GET_MS = 800;
const STORAGE_CALL_MS = 1000;
const ALL_WITHIN_MS = 3400;

type Deps = { readonly callLimit: CallLimit; readonly wakeups: Pick<Wakeups, 'stop' | 'sent'> };

/** Ends the work of this process within 3.4 s (E4). A second call returns at once. */
export async function endProcess(shared: Shared, { callLimit, wakeups }: Deps): Promise<void> {
  const { clock, running, shutdown, settings, telemetry } = shared;
  if (shutdown.isStopping) return;
  shutdown.isStopping = true;
  telemetry.log('info', 'stopping', { count: running.size });
  callLimit.shorten(STORAGE_CALL_MS); // E4: storage must not take all the time
  wakeups.stop();
  for (const run of [...running.values()]) {
    run.leaveQueue(); // E1: the run ends as deferred, so a delivered job gets a row
    if (isLong(run.job.workflow, settings)) shutdown.onAbort.get(run)?.(); // E2: at once
  }
  const untilMs = clock.monotonic() + ALL_WITHIN_MS;
  const cancelAbort = clock.after(HANDLERS_GET_MS, () => abortAll(shared));
  await untilNoneRuns(shared, untilMs);
  cancelAbort();
  await endsWithin(wakeups.sent(), untilMs - clock.monotonic(), clock);
  telemetry.log('info', 'stopped', { count: running.size }); // E5: also with open jobs
}

/** E2: aborts all handlers. A job whose claim is still under way finds `isAborting`, and starts no handler. */
function abortAll({ shutdown }: Pick<Shared, 'shutdown'>): void {
  shutdown.isAborting = true;
  for (const abort of [...shutdown.onAbort.values()]) abort();
}

async function untilNoneRuns({ clock, running }: Pick<Shared, 'clock' | 'running'>, untilMs: number): Promise<void> {
  while (running.size > 0 && clock.monotonic() < untilMs) {
    const ended = Promise.allSettled([...running.values()].map(({ whenEnded }) => whenEnded));
    await endsWithin(ended, untilMs - clock.monotonic(), clock);
  }
}
