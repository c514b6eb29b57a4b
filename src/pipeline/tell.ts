import type { JobRecord, Result } from '../storage/ledger.js';
import type { AttributesOf } from '../telemetry/metrics.js';
import type { HandlerResult } from './handler.js';
import type { Ending, JobDeps, Run } from './run.js';

// What metrics and spans are told of jobs.

type JobOutcome = AttributesOf<'jobs'>['outcome'];
type Lag = AttributesOf<'jobsSettled'>['lag'];

const SETTLED = { completed: 'completed', superseded: 'superseded', dead: 'dead-lettered' } as const;
const HANDLED: Record<HandlerResult['kind'], AttributesOf<'workflowDuration'>['outcome']> = {
  ok: 'done',
  threw: 'failed',
  timeout: 'failed',
  hung: 'failed',
  lost: 'aborted',
  stopped: 'aborted',
};

/** A name that only a row has told could be any. */
export function nameOf({ workflow }: Run): string {
  return workflow?.name ?? 'unknown';
}

export function tellJob(run: Run, outcome: JobOutcome, { telemetry }: Pick<JobDeps, 'telemetry'>): void {
  telemetry.record('jobs', 1, { workflow: nameOf(run), outcome });
}

export function tellSettled(run: Run, record: JobRecord, result: Result, deps: JobDeps): void {
  const { telemetry, clock } = deps;
  const told = { workflow: nameOf(run), outcome: SETTLED[result] };
  telemetry.record('jobs', 1, told);
  telemetry.record('jobTries', record.tries, told);
  if (record.redrives > 0) telemetry.record('jobsSettled', 1, { ...told, lag: 'redriven' });
  else if (run.event.time !== undefined) {
    // The services' clock may be ahead of ours.
    const lagS = Math.max(0, clock.now().getTime() - Date.parse(run.event.time)) / 1000;
    telemetry.record('jobLag', lagS, told);
    telemetry.record('jobsSettled', 1, { ...told, lag: lagOf(lagS) });
  }
}

function lagOf(lagS: number): Lag {
  return lagS <= 1 ? 'within-1s' : lagS <= 5 ? 'within-5s' : 'over-5s';
}

/** A handler begins; call what is returned when it has ended. */
export function tellHandler(run: Run, { telemetry, clock }: JobDeps): (result: HandlerResult) => void {
  const workflow = nameOf(run);
  const span = run.span?.child('workflow', { workflow });
  const startedAtMs = clock.monotonic();
  return ({ kind }) => {
    const outcome = HANDLED[kind];
    telemetry.record('workflowDuration', (clock.monotonic() - startedAtMs) / 1000, { workflow, outcome });
    span?.end({ outcome: kind, ...(outcome === 'failed' && { errorCode: kind }) });
  };
}

export function outcomeOf(ending: Ending): string {
  return ending.kind === 'settled' ? ending.result : ending.kind;
}
