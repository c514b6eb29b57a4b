import type { JobRecord } from '../storage/ledger.js';
import type { Watermark } from '../storage/watermarks.js';
import { traced } from '../telemetry/telemetry.js';
import type { Workflow } from '../workflow.js';
import { Begun } from './begun.js';
import { claimJob, limitSolitude } from './claim.js';
import { createContext } from './context.js';
import {
  decideFailure,
  errorCodeOf,
  isBeyondHelp,
  LAPSE_MARGIN_MS,
  LOOK_AGAIN_MS,
  longestRetryMs,
  UNKNOWN_LOOK_AGAIN_MS,
} from './decide.js';
import { describe } from './describe.js';
import { failForGood, settle, waitForRow } from './endings.js';
import { createCancellation, type HandlerResult, runHandler } from './handler.js';
import type { Hold } from './hold.js';
import { applyVersion, freeResource, type ResourceClaim, takeResource } from './latest.js';
import { givePlaces, takePlaces } from './places.js';
import { type Ending, fieldsOf, isLong, type JobDeps, type Run } from './run.js';
import { nameOf, tellHandler } from './tell.js';
import { LeaseLostError } from './workflow-table.js';

const UNKNOWN_FOR_GOOD_MS = 30 * 60_000;
/** A resource that cannot be freed lapses: that must not cost the job its own lease. */
const FREE_WITHIN_MS = 5000;
/** What is left of the job's lease to record how it ended, when the watermark could not be written; a third at most. */
const TO_RECORD_MS = 10_000;
const RESOURCE_LOST = { inMs: LOOK_AGAIN_MS, countsAsTry: false, code: 'resource-lost' };

/** The story of a job: a place to run, the claim, the handler, the record. Never throws. */
export async function runJob(run: Run, deps: JobDeps): Promise<Ending> {
  const waitMs = run.row ? undefined : deps.circuits.waitMs(run.workflowName); // what a row brought has a record that must say so
  if (waitMs !== undefined) return { kind: 'put-off', inMs: waitMs };
  const hasPlaces = takePlaces(run, deps);
  if (!(hasPlaces === true || (await hasPlaces))) return { kind: 'put-off', inMs: 0 };
  try {
    const claim = await traced(run.span, 'claim', () => claimJob(run, deps));
    if (claim.kind !== 'won') return claim;
    const cancel = limitSolitude(run, claim.hold, deps);
    return await work(run, claim.hold, deps).finally(cancel);
  } catch (error) {
    return { kind: 'failed', error };
  } finally {
    givePlaces(run, deps);
  }
}

async function work(run: Run, hold: Hold<JobRecord>, deps: JobDeps): Promise<Ending> {
  const { settings } = deps;
  const { state } = hold.value;
  if (state.kind === 'running' && state.failing) {
    const code = state.failing === 'crash' ? 'crash' : hold.value.errorCode;
    return failForGood(
      run,
      hold,
      { stage: state.failing, reason: state.failing, error: { name: 'Error', code, message: '' } },
      deps,
    );
  }
  if (!run.workflow) return workUnknown(run, hold, deps);
  if (!hold.mayStart()) return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };

  const ageMs = ageOf(hold.value, deps);
  const circuit = deps.circuits.enter(run.workflow.name, ageMs);
  // Who has waited for as long as its tries might have taken is tried all the same: none is given up untried.
  if (circuit.kind === 'wait' && ageMs + circuit.waitMs <= longestRetryMs(run.workflow))
    return waitForRow(run, hold, { inMs: circuit.waitMs, countsAsTry: false, code: 'circuit-open' }, deps);
  run.isProbe = circuit.kind === 'in' && circuit.isProbe;
  try {
    return run.workflow.ordering === 'any'
      ? await afterHandler(run, hold, run.workflow, await handle(run, hold, run.workflow, undefined, deps), deps)
      : await workLatest(run, hold, run.workflow, deps);
  } finally {
    if (circuit.kind === 'in') circuit.leave();
  }
}

function ageOf({ firstTryAt }: JobRecord, { clock }: JobDeps): number {
  return clock.now().getTime() - Date.parse(firstTryAt);
}

async function workLatest(run: Run, hold: Hold<JobRecord>, workflow: Workflow, deps: JobDeps): Promise<Ending> {
  const { settings } = deps;
  const claim = await takeResource(run, deps).catch((error: unknown): ResourceClaim => ({ kind: 'failed', error }));
  switch (claim.kind) {
    case 'superseded':
      return settle(run, hold, 'superseded', deps);
    case 'applied':
      return settle(run, hold, 'completed', deps);
    case 'busy':
      return waitForRow(run, hold, { inMs: LOOK_AGAIN_MS, countsAsTry: false, code: 'resource-busy' }, deps);
    case 'failed':
      return waitForRow(run, hold, { inMs: LOOK_AGAIN_MS, countsAsTry: false, code: errorCodeOf(claim.error) }, deps);
    case 'won':
      break;
    default:
      throw new TypeError(`unhandled ${JSON.stringify(claim satisfies never)}`);
  }
  const resource = claim.hold;
  const result =
    hold.mayStart() && resource.mayStart()
      ? await handle(run, hold, workflow, resource, deps)
      : ({ kind: 'lost' } as const);
  // The end of the process has no time for one write after the other. A job that the row brings elsewhere before the
  // resource is free finds it busy, and waits.
  if (result.kind === 'stopped') {
    const freed = freeResource(resource, deps.clock.monotonic() + FREE_WITHIN_MS);
    const [ending] = await Promise.all([afterHandler(run, hold, workflow, result, deps), freed]);
    return ending;
  }
  if (result.kind !== 'ok') {
    await freeResource(resource, deps.clock.monotonic() + FREE_WITHIN_MS);
    if (result.kind === 'lost' && !hold.isOver) return waitForRow(run, hold, RESOURCE_LOST, deps);
    return afterHandler(run, hold, workflow, result, deps);
  }
  // The order is: effect, watermark, record. Dies in between: the next to run this event finds its own key in the watermark.
  const toRecordMs = Math.min(TO_RECORD_MS, settings.leaseMs / 3);
  if (!(await applyVersion(resource, hold.heldUntilMs - toRecordMs))) {
    return waitForRow(run, hold, RESOURCE_LOST, deps);
  }
  return settle(run, hold, 'completed', deps);
}

async function handle(
  run: Run,
  hold: Hold<JobRecord>,
  workflow: Workflow,
  resource: Hold<Watermark> | undefined,
  deps: JobDeps,
): Promise<HandlerResult> {
  const { clock, random, stores, readerFor, rowTurns, telemetry, life } = deps;
  if (life.isAborting || (life.isStopping && isLong(workflow, deps.settings))) return { kind: 'stopped' };
  const cancellation = createCancellation();
  let isOpen = true;
  const writing = new Set<Promise<unknown>>();
  const begun = new Begun();
  const context = createContext({
    run,
    job: hold,
    resource,
    cancellation,
    isOpen: () => isOpen,
    writing,
    begun,
    tables: stores.workflowTables,
    commit: stores.workflowCommit,
    readerFor,
    rowTurns,
    random,
    telemetry,
    setting: deps.settings.setting,
  });
  const tell = tellHandler(run, deps);
  const result = await runHandler(
    { workflow, event: run.event, context, cancellation, rest: () => begun.rest() },
    {
      clock,
      watch(abort) {
        const unkeep = [hold, resource].map((kept) => kept?.keep(() => abort('lost')));
        life.onAbort.set(run, () => abort('stopped'));
        return () => {
          for (const stop of unkeep) stop?.();
          life.onAbort.delete(run);
        };
      },
    },
  );
  isOpen = false;
  tell(result);
  tellCircuit(run, workflow.name, result, deps);
  // Nothing more is sent; what is on its way must have arrived before somebody else may have the resource.
  if (writing.size > 0) await Promise.all(writing);
  return result;
}

/** What is wrong with this one event, or with this process, says nothing of the workflow. */
function tellCircuit(run: Run, workflow: string, result: HandlerResult, { circuits, telemetry }: JobDeps): void {
  const isFailure =
    result.kind === 'timeout' ||
    result.kind === 'hung' ||
    (result.kind === 'threw' && !isBeyondHelp(result.error) && !(result.error instanceof LeaseLostError));
  if (result.kind === 'ok' && circuits.succeeded(workflow)) telemetry.log('info', 'circuit-closed', { workflow });
  if (isFailure && circuits.failed(workflow, run.isProbe)) {
    telemetry.record('circuitsOpened', 1, { workflow });
    telemetry.log('error', 'circuit-opened', { workflow });
  }
}

async function afterHandler(
  run: Run,
  hold: Hold<JobRecord>,
  workflow: Workflow,
  result: HandlerResult,
  deps: JobDeps,
): Promise<Ending> {
  const { clock, random, settings, telemetry } = deps;
  switch (result.kind) {
    case 'ok':
      return settle(run, hold, 'completed', deps);
    case 'lost':
      telemetry.record('leasesLost', 1, { workflow: nameOf(run) });
      telemetry.log('warn', 'job-lease-lost', fieldsOf(run));
      return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };
    case 'stopped':
      return waitForRow(run, hold, { inMs: 0, countsAsTry: false, code: hold.value.errorCode }, deps);
    case 'threw':
    case 'timeout':
    case 'hung': {
      if (result.kind === 'hung') {
        telemetry.count('jobsHung');
        telemetry.log('error', 'job-hung', fieldsOf(run));
      }
      if (result.kind === 'threw' && result.error instanceof LeaseLostError) {
        return waitForRow(run, hold, { inMs: LOOK_AGAIN_MS, countsAsTry: false, code: 'lease-lost' }, deps);
      }
      const error = result.kind === 'threw' ? result.error : Object.assign(new Error(), { code: result.kind });
      const failure = decideFailure(error, hold.value, workflow, { now: clock.now(), random });
      const described = describe(error, run);
      if (failure.kind === 'for-good')
        return failForGood(run, hold, { stage: 'failed', reason: failure.reason, error: described }, deps);
      return waitForRow(run, hold, { ...failure, code: described.code }, deps);
    }
    default:
      throw new TypeError(`unhandled ${JSON.stringify(result satisfies never)}`);
  }
}

/** Its name may come with the next version of the app, or be back with the one before. */
async function workUnknown(run: Run, hold: Hold<JobRecord>, deps: JobDeps): Promise<Ending> {
  const now = deps.clock.now();
  const since = hold.value.unknownSince || now.toISOString();
  if (now.getTime() - new Date(since).getTime() < UNKNOWN_FOR_GOOD_MS) {
    const wait = { inMs: UNKNOWN_LOOK_AGAIN_MS, countsAsTry: false, code: 'unknown-workflow', unknownSince: since };
    return waitForRow(run, hold, wait, deps);
  }
  const error = {
    name: 'Error',
    code: 'unknown-workflow',
    message: 'No workflow of this name was there for 30 minutes.',
  };
  return failForGood(run, hold, { stage: 'unknown-workflow', reason: 'unknown-workflow', error }, deps);
}
