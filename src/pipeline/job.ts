import { sleep } from '../clock.js';
import type { DeadLetter } from '../storage/dead-letters.js';
import type { Failing, JobRecord, Result } from '../storage/ledger.js';
import { StorageError } from '../storage/table-store.js';
import type { Watermark } from '../storage/watermarks.js';
import type { Workflow } from '../workflow.js';
import { createContext, LeaseLostError } from './context.js';
import { decide, decideFailure, errorCodeOf, type Failure, LAPSE_MARGIN_MS, SUSPECT_CRASHES } from './decide.js';
import { describe } from './describe.js';
import { createCancellation, type HandlerResult, runHandler } from './handler.js';
import { createHold, type Hold } from './hold.js';
import { applyVersion, freeResource, type ResourceClaim, takeResource } from './latest.js';
import { givePlaces, inLine, takePlaces } from './places.js';
import { type Ending, fieldsOf, isLong, type JobDeps, type Run } from './run.js';

/** How soon to look again when something is in the way that says nothing of when it will be gone. */
const LOOK_AGAIN_MS = 10_000;
/** A state, or a workflow, of another version of the app: a roll-out is running. */
const UNKNOWN_LOOK_AGAIN_MS = 60_000;
const UNKNOWN_FOR_GOOD_MS = 30 * 60_000;
/** The name of a dropped table is blocked for 40 s and more. */
const TABLE_BUSY_MS = 60_000;
const MOST_CLAIMS = 4;
const MOST_SUSPECTS_IN_LINE = 32;

/** The story of a job: a place to run, the claim, the handler, the record. Never throws. */
export async function runJob(run: Run, deps: JobDeps): Promise<Ending> {
  const hasPlaces = takePlaces(run, deps);
  if (!(hasPlaces === true || (await hasPlaces))) return { kind: 'put-off', inMs: 0 };
  try {
    const claim = await claimJob(run, deps);
    if (claim.kind !== 'won') return claim;
    return await work(run, claim.hold, deps);
  } catch (error) {
    return { kind: 'failed', error };
  } finally {
    givePlaces(run, deps);
  }
}

// Claiming           dies before it: nothing has happened; after it: the lease lapses, and who takes over counts a crash.
//                    two at once: one insert, or one etag, wins; the other reads what it is up against.
//                    outcome unknown: it is given up, never undone; the record, if it is there, lapses.
async function claimJob(run: Run, deps: JobDeps): Promise<Ending | { kind: 'won'; hold: Hold<JobRecord> }> {
  const { clock, random, stores, settings, telemetry, life } = deps;
  const { leaseMs } = settings;
  const row = run.row && { name: run.row.name, ...(run.redrive ? { redrive: run.redrive } : {}) };
  let current = row ? await stores.ledger.read(run.address) : undefined;

  for (let claims = 0; claims < MOST_CLAIMS; claims += 1) {
    const decision = decide(current, { ...(row ? { row } : {}), now: clock.now(), leaseMs });
    switch (decision.kind) {
      case 'settled':
        return { kind: 'settled', result: decision.result, redrives: decision.redrives };
      case 'waiting':
        return { kind: 'waiting' };
      case 'busy':
        return { kind: 'put-off', inMs: decision.leaseMs + LAPSE_MARGIN_MS };
      case 'unknown-state':
        return { kind: 'put-off', inMs: UNKNOWN_LOOK_AGAIN_MS };
      case 'claim':
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(decision satisfies never)}`);
    }
    if (decision.record.crashes >= SUSPECT_CRASHES && !(await takeSuspectPlace(run, deps))) {
      return { kind: 'put-off', inMs: LOOK_AGAIN_MS };
    }
    if (life.isStopping) return { kind: 'put-off', inMs: 0 };

    const record: JobRecord = { ...decision.record, owner: random.token(), write: (current?.record.write ?? 0) + 1 };
    const sentAtMs = clock.monotonic();
    const written = await stores.ledger.write(run.address, record, {
      ...(decision.etag === undefined ? { event: run.event } : { etag: decision.etag }),
      untilMs: sentAtMs + leaseMs / 2,
    });
    switch (written.kind) {
      case 'written':
        telemetry.count('jobsStarted');
        if (decision.takesOver) {
          telemetry.count('leasesTakenOver');
          telemetry.log('warn', 'job-taken-over', { ...fieldsOf(run), crashes: record.crashes });
        }
        return {
          kind: 'won',
          hold: createHold(
            { value: record, etag: written.etag, sentAtMs, leaseMs },
            {
              clock,
              write: (value, { etag, untilMs }) =>
                stores.ledger.write(run.address, value, { etag, untilMs, isHeld: true }),
            },
          ),
        };
      case 'table-busy':
        return { kind: 'put-off', inMs: TABLE_BUSY_MS };
      case 'conflict':
        current = written.current;
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(written satisfies never)}`);
    }
  }
  return { kind: 'put-off', inMs: leaseMs + LAPSE_MARGIN_MS };
}

/** Few stand in line for it, since they keep the places of their workflow meanwhile. */
async function takeSuspectPlace(run: Run, { suspects, life }: JobDeps): Promise<boolean> {
  if (run.isSuspect) return true;
  if (life.suspectsInLine >= MOST_SUSPECTS_IN_LINE) return false;
  life.suspectsInLine += 1;
  run.isSuspect = await inLine(run, suspects.take('suspect', run), () => suspects.leave('suspect', run));
  life.suspectsInLine -= 1;
  return run.isSuspect;
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

  if (run.workflow.ordering === 'any')
    return afterHandler(run, hold, run.workflow, await handle(run, hold, run.workflow, undefined, deps), deps);

  const claim = await takeResource(run, deps).catch((error: unknown): ResourceClaim => ({ kind: 'failed', error }));
  switch (claim.kind) {
    case 'superseded':
      return settle(hold, 'superseded', deps);
    case 'applied':
      return settle(hold, 'completed', deps);
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
      ? await handle(run, hold, run.workflow, resource, deps)
      : ({ kind: 'lost' } as const);
  if (result.kind !== 'ok') {
    await freeResource(resource);
    return afterHandler(run, hold, run.workflow, result, deps);
  }
  // The order is: effect, watermark, record. Dies in between: the next to run this event finds its own key in the watermark.
  if (!(await applyVersion(run, resource))) {
    return waitForRow(run, hold, { inMs: LOOK_AGAIN_MS, countsAsTry: false, code: 'resource-lost' }, deps);
  }
  return settle(hold, 'completed', deps);
}

async function handle(
  run: Run,
  hold: Hold<JobRecord>,
  workflow: Workflow,
  resource: Hold<Watermark> | undefined,
  deps: JobDeps,
): Promise<HandlerResult> {
  const { clock, random, stores, telemetry, life } = deps;
  const cancellation = createCancellation();
  let isOpen = true;
  const context = createContext({
    run,
    job: hold,
    resource,
    cancellation,
    isOpen: () => isOpen,
    tables: stores.workflowTables,
    commit: stores.workflowCommit,
    random,
    telemetry,
  });
  const result = await runHandler(
    { workflow, event: run.event, context, cancellation },
    {
      clock,
      watch(abort) {
        const unkeep = [hold, resource].map((kept) => kept?.keep(() => abort('lost')));
        life.onAbort.set(run, () => abort('stopped'));
        if (life.isStopping && isLong(workflow, deps.settings)) abort('stopped');
        return () => {
          for (const stop of unkeep) stop?.();
          life.onAbort.delete(run);
        };
      },
    },
  );
  isOpen = false;
  return result;
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
      return settle(hold, 'completed', deps);
    case 'lost':
      telemetry.count('leasesLost');
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
      const described = describe(error, run.json);
      if (failure.kind === 'for-good')
        return failForGood(run, hold, { stage: 'failed', reason: failure.reason, error: described }, deps);
      return waitForRow(run, hold, { ...failure, code: described.code }, deps);
    }
    default:
      throw new TypeError(`unhandled ${JSON.stringify(result satisfies never)}`);
  }
}

// Settling           dies before it: the lease lapses, and the job runs again; after it: done.
//                    outcome unknown: sent until the lease has lapsed; deliveries share the answer meanwhile.
async function settle(hold: Hold<JobRecord>, result: Result, deps: JobDeps): Promise<Ending> {
  const { settings, telemetry } = deps;
  const outcome = await hold.update((record) => ({
    ...record,
    state: { kind: 'settled', result },
    tries: result === 'completed' ? record.tries + 1 : record.tries,
    errorCode: result === 'dead' ? record.errorCode : '',
  }));
  if (outcome === 'lost') return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };
  telemetry.count(
    result === 'completed' ? 'jobsCompleted' : result === 'superseded' ? 'jobsSuperseded' : 'jobsDeadLettered',
  );
  return { kind: 'settled', result, redrives: hold.value.redrives };
}

// Waiting: row, then record, and only then is the old row deleted (by who brought it).
//   dies after the row: it finds the record running, stays until the lease has lapsed, and takes over.
//   dies after the record: the old row finds that another is waited for, and goes.
async function waitForRow(
  run: Run,
  hold: Hold<JobRecord>,
  wait: { inMs: number; countsAsTry: boolean; code: string; unknownSince?: string },
  deps: JobDeps,
): Promise<Ending> {
  const { clock, stores, settings, telemetry } = deps;
  const { inMs, countsAsTry, code, unknownSince = '' } = wait;
  const due = await stores.waiting.add(
    {
      dueAt: new Date(clock.now().getTime() + inMs),
      isLong: isLong(run.workflow, settings),
      event: run.json,
      of: { kind: 'job', address: run.address },
    },
    hold.heldUntilMs,
  );
  run.isSafe = true;
  const outcome = await hold.update((record) => ({
    ...record,
    state: { kind: 'waiting', due },
    tries: record.tries + (countsAsTry ? 1 : 0),
    errorCode: code,
    unknownSince,
  }));
  if (outcome === 'lost') return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };
  telemetry.count('jobsRetried');
  telemetry.log(countsAsTry ? 'warn' : 'info', countsAsTry ? 'job-retries' : 'job-waits', {
    ...fieldsOf(run),
    try: hold.value.tries,
    errorCode: code,
    durationMs: inMs,
  });
  return { kind: 'waiting' };
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

// Failing for good: the record says so, then the dead letter, then the record is settled, each by the holder.
//   dies after the first: who takes over writes the dead letter and runs nothing; after the second: it writes the same
//   name, which changes nothing; so there is never a dead letter beside a completed job.
async function failForGood(
  run: Run,
  hold: Hold<JobRecord>,
  failure: { stage: Failing; reason: string; error: DeadLetter['error'] },
  deps: JobDeps,
): Promise<Ending> {
  const { clock, stores, settings, telemetry } = deps;
  const { stage, reason, error } = failure;
  const isRecorded = hold.value.state.kind === 'running' && hold.value.state.failing !== undefined;
  if (!isRecorded) {
    const countsAsTry = stage === 'failed' && (reason as (Failure & { kind: 'for-good' })['reason']) !== 'gave-up';
    const outcome = await hold.update((record) => ({
      ...record,
      state: { kind: 'running', leaseMs: settings.leaseMs, failing: stage },
      tries: record.tries + (countsAsTry ? 1 : 0),
      errorCode: error.code,
    }));
    if (outcome === 'lost') return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };
  }
  const { tries, crashes, redrives, firstTryAt } = hold.value;
  const letter: DeadLetter = {
    stage,
    of: { kind: 'job', address: run.address, redrives },
    reason,
    workflow: run.workflowName,
    error,
    tries,
    crashes,
    firstTryAt,
    deadLetteredAt: clock.now().toISOString(),
    event: JSON.parse(run.json),
  };
  for (;;) {
    try {
      await stores.deadLetters.write(letter);
      break;
    } catch (error) {
      if (!(error instanceof StorageError) || clock.monotonic() > hold.heldUntilMs) throw error;
      await sleep(clock, 500);
    }
  }
  const ending = await settle(hold, 'dead', deps);
  if (ending.kind === 'settled') {
    telemetry.log('error', 'job-dead-lettered', {
      ...fieldsOf(run),
      outcome: reason,
      try: tries,
      crashes,
      redrives,
      errorCode: error.code,
    });
  }
  return ending;
}
