import type { ServiceName } from '../clients/readers.js';
import { errorCodeOf } from '../errors.js';
import { type Continued, compareService } from '../reconcile/continuous.js';
import { runRequests } from '../reconcile/run-requests.js';
import { forEachAtOnce } from '../workflow.js';
import type { App } from './compose.js';
import { PACE, reconcileDeps, servicesOf } from './reconcile-deps.js';
import type { FunctionApp } from './serve.js';

const EVERY_MINUTE = '15 * * * * *';
const MINUTE_MS = 60_000;
/** A run compares for this time, and the next run continues. Requests over HTTP get the rest, some seconds at least. */
const COMPARE_WITHIN_MS = 40_000;
const END_WITHIN_MS = 55_000;
/** Memory holds a page of each service that is compared. */
const SERVICES_AT_ONCE = 4;

/** The state of this process. `ending` aborts at its end. */
type State = { isWorkspaceLogged: boolean; readonly ending: AbortSignal };
type Result = Extract<Continued, { kind: 'compared' }>;
type Run = { readonly results: Map<ServiceName, Result>; readonly failures: string[] };

/**
 * Registers the timer that compares each service with the ledger, and works on the requests that were made over HTTP.
 * With `RECONCILE=off` it only works on requests. A timer runs in one process of the app; each row has a lease, too.
 */
export function registerReconcile(functions: FunctionApp, deps: App): void {
  if (servicesOf(deps.config).length === 0) return;
  const ending = new AbortController();
  const state: State = { isWorkspaceLogged: false, ending: ending.signal };
  functions.timer('reconcile', {
    schedule: EVERY_MINUTE,
    runOnStartup: false,
    handler: () => reconcileAll(state, deps),
  });
  functions.hook.appTerminate(() => ending.abort());
}

/** Never throws: the next run tries again. */
async function reconcileAll(state: State, deps: App): Promise<void> {
  const startedAtMs = deps.clock.monotonic();
  if (deps.config.reconcile)
    await within(COMPARE_WITHIN_MS, { ...deps, ...state }, (signal) => compareAll(signal, state, deps));
  const leftMs = startedAtMs + END_WITHIN_MS - deps.clock.monotonic();
  await within(leftMs, { ...deps, ...state }, (signal) => workOnRequests(signal, deps));
}

/** Calls `work` with a signal that aborts after `ms`, or when the process ends. */
async function within(
  ms: number,
  { clock, ending }: Pick<App, 'clock'> & Pick<State, 'ending'>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const cancel = clock.after(ms, () => over.abort());
  await work(AbortSignal.any([over.signal, ending])).finally(cancel);
}

async function compareAll(signal: AbortSignal, state: State, deps: App): Promise<void> {
  const services = servicesOf(deps.config);
  const servicesAtOnce = Math.min(SERVICES_AT_ONCE, services.length);
  const { perSecond, broughtInPerSecond, atOnce } = PACE;
  const pace = {
    perSecond: perSecond / servicesAtOnce,
    broughtInPerSecond: broughtInPerSecond / servicesAtOnce,
    atOnce: Math.ceil(atOnce / servicesAtOnce),
    signal,
  };
  const run: Run = { results: new Map(), failures: [] };
  await forEachAtOnce(inTurn(services, deps), servicesAtOnce, async (service) => {
    if (signal.aborted) return;
    try {
      const result = await compareService(service, reconcileDeps(deps, pace));
      if (result.kind !== 'compared') return;
      run.results.set(service, result);
      if (result.error !== undefined) run.failures.push(errorCodeOf(result.error));
    } catch (error) {
      run.failures.push(errorCodeOf(error));
    }
  });
  record(run, deps);
  logFailures(run.failures, state, deps);
}

/** Returns the services, each minute beginning with another one, so that a slow service delays no other for long. */
function inTurn(services: readonly ServiceName[], { clock }: App): ServiceName[] {
  const first = Math.floor(clock.now().getTime() / MINUTE_MS) % services.length;
  return [...services.slice(first), ...services.slice(0, first)];
}

function record({ results }: Run, { telemetry }: App): void {
  const sums = { missing: 0, broughtIn: 0, unreadable: 0 };
  let skippedMs = 0;
  for (const kind of ['fhir', 'dicom'] as const) {
    const found = [...results].filter(([{ service }]) => service === kind).map(([, result]) => result);
    if (found.length === 0) continue;
    const attributes = { service: kind };
    for (const { counts } of found) {
      telemetry.record('changesCompared', counts.compared, attributes);
      telemetry.record('changesMissing', counts.missing, attributes);
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name];
    }
    telemetry.record('comparisonAge', Math.max(...found.map(({ behindMs }) => behindMs)) / 1000, attributes);
    skippedMs = Math.max(skippedMs, ...found.map((one) => one.skippedMs));
  }
  if (sums.missing + sums.unreadable > 0) telemetry.log('info', 'changes-brought-in', { numbers: sums });
  if (skippedMs > 0)
    telemetry.log('warn', 'reconcile-behind-retention', { numbers: { skippedSeconds: Math.ceil(skippedMs / 1000) } });
}

/** Logs an unknown workspace once, because the settings change only with a restart. */
function logFailures(failures: readonly string[], state: State, { telemetry }: App): void {
  const [errorCode, ...others] = failures.filter((code) => code !== 'workspace-unknown');
  if (errorCode !== undefined) telemetry.log('error', 'reconcile-failed', { errorCode, count: 1 + others.length });
  if (!failures.includes('workspace-unknown') || state.isWorkspaceLogged) return;
  state.isWorkspaceLogged = true;
  telemetry.log('warn', 'reconcile-workspace-unknown', { errorCode: 'workspace-unknown' });
}

async function workOnRequests(signal: AbortSignal, deps: App): Promise<void> {
  const { telemetry } = deps;
  try {
    for (const { state, errorCode, counts } of await runRequests(reconcileDeps(deps, { ...PACE, signal }))) {
      if (state === 'done') telemetry.log('info', 'reconcile-request-done', { numbers: { ...counts } });
      if (state === 'failed')
        telemetry.log('error', 'reconcile-request-failed', {
          numbers: { ...counts },
          ...(errorCode !== undefined && { errorCode }),
        });
    }
  } catch (error) {
    telemetry.log('error', 'reconcile-failed', { errorCode: errorCodeOf(error), count: 1 });
  }
}
