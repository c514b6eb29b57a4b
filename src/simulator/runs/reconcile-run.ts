import type { ServiceName } from '../../clients/readers.js';
import { sleep } from '../../clock.js';
import type { App } from '../../functions/compose.js';
import { reconcileDeps } from '../../functions/reconcile-deps.js';
import { reconcile } from '../../reconcile/reconcile.js';

/**
 * Lets the app find the changes of a run whose events are lost or were never made. Resolves when no row waits, or after
 * a minute.
 */
export type ReconcileRun = (run: {
  readonly services: readonly ServiceName[];
  readonly since: Date;
  readonly signal: AbortSignal;
}) => Promise<void>;

const PACE = { perSecond: 5000, broughtInPerSecond: 1000, atOnce: 64 };
const POLL_MS = 500;
const MAX_WAIT_MS = 60_000;

/**
 * Returns the function that compares a run's services with the app, as `npm run reconcile` does, but without a grace:
 * Event Grid has delivered everything by then, and the services show a change at once.
 */
export function createReconcileRun(app: App): ReconcileRun {
  const { waiting, clock } = app;
  return async ({ services, since, signal }) => {
    const request = { services, since: since.toISOString(), isDryRun: false };
    await reconcile(request, { ...reconcileDeps(app, { ...PACE, signal }), graceMs: 0 });
    const untilMs = clock.monotonic() + MAX_WAIT_MS;
    while (!signal.aborted && clock.monotonic() < untilMs && (await waiting.count(1)).rows > 0)
      await sleep(clock, POLL_MS, signal);
  };
}
