import { type Clock, endsWithin } from '../../clock.js';
import { describeError, type HostLog } from './host-log.js';
import type { Invoker } from './invoker.js';
import type { Listener } from './listeners.js';
import type { App } from './load-app.js';
import type { HostServer } from './server.js';

/**
 * The end of the host, in the order and with the times that were measured on Azure's own host:
 *
 *   SIGTERM             HTTP is answered, 20 s            nothing runs, 10 s            + 5 s
 *      |-- socket closed --|-- timers and queues are stopped --|-- appTerminate hooks --|-- the process is killed
 *          timers and queues still start functions
 *
 * Each part ends as soon as there is nothing left to wait for.
 */
const HTTP_DRAIN_MS = 20_000;
const INVOCATIONS_DRAIN_MS = 10_000;
/** The real host sends this time to the worker as `WorkerTerminateGracePeriodInSeconds`, then kills the worker. */
const TERMINATE_MS = 5000;

type Deps = {
  readonly app: App;
  readonly server: HostServer;
  readonly invoker: Invoker;
  readonly listeners: readonly Listener[];
  /** The upper limit of each of the two drains. Tests shorten it. */
  readonly drainMs: number;
  readonly clock: Clock;
  readonly log: HostLog;
};

/**
 * Resolves when the process may end. Code that still runs then is lost, as it is when the real host kills the worker.
 */
export async function endHost({ app, server, invoker, listeners, drainMs, clock, log }: Deps): Promise<void> {
  const within = (work: Promise<unknown>, ms: number) => endsWithin(work, ms, clock);
  if (!(await within(server.stopAccepting(), Math.min(HTTP_DRAIN_MS, drainMs)))) {
    log('warning', 'HTTP requests are still unanswered. The host waits for them no longer.');
  }
  const stopped = Promise.all([...listeners.map((listener) => listener.stop()), invoker.idle()]);
  if (!(await within(stopped, Math.min(INVOCATIONS_DRAIN_MS, drainMs)))) {
    log('warning', 'Functions still run. The host waits for them no longer.');
  }
  if (!(await within(terminate(app, log), TERMINATE_MS))) {
    log('warning', `appTerminate hooks still run after ${TERMINATE_MS / 1000} s: the host kills the process.`);
  }
  await server.close();
}

/** Runs the hooks one after another, as the real worker does. */
async function terminate({ hooks }: App, log: HostLog): Promise<void> {
  for (const hook of hooks.appTerminate) {
    try {
      await hook({ hookData: {} });
    } catch (error) {
      log('error', `An appTerminate hook failed: ${describeError(error)}`);
    }
  }
}
