import { traced } from '../telemetry/telemetry.js';
import { claimJob, limitSolitude } from './claim.js';
import type { JobRun } from './job-run.js';
import { giveSlots, takeSlots } from './job-slots.js';
import type { ClaimedJob, RunResult } from './outcome.js';
import { recordOutcome } from './record-outcome.js';
import type { JobDeps } from './shared.js';
import { workJob } from './work.js';

/** Runs a job: its slots, the claim, the handler, the record. Never throws. */
export function runJob(run: JobRun, deps: JobDeps): Promise<RunResult> {
  return withClaim(run, deps, async (claimed) => recordOutcome(claimed, await workJob(claimed, deps), deps));
}

/** Takes the slots of a job and claims it. Calls `work` if the job was claimed. Never throws. */
export async function withClaim(
  run: JobRun,
  deps: JobDeps,
  work: (claimed: ClaimedJob) => Promise<RunResult>,
): Promise<RunResult> {
  try {
    const refreshing = deps.pauses.refreshed(); // J13: no job starts before the pauses are known
    if (refreshing) await refreshing;
    const waitMs = waitBeforeClaimMs(run, deps);
    if (waitMs !== undefined) return { kind: 'deferred', inMs: waitMs };
    if (!(await takeSlots(run, deps))) return { kind: 'deferred', inMs: 0 };
    try {
      const claim = await traced(run.span, 'claim', () => claimJob(run, deps));
      if (claim.kind !== 'won') return claim;
      const cancel = limitSolitude(run, claim.hold, deps);
      return await work({ run, hold: claim.hold }).finally(cancel);
    } finally {
      giveSlots(run, deps);
    }
  } catch (error) {
    return { kind: 'unknown', error };
  }
}

/** Returns how long a pause or an open circuit defers a delivery. A job from a row needs a claim to get a later row. */
function waitBeforeClaimMs({ row, job }: JobRun, { pauses, circuits }: JobDeps): number | undefined {
  return row ? undefined : (pauses.waitMs(job.workflowName) ?? circuits.waitMs(job.workflowName));
}
