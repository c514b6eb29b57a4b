import { isReconciled, neighbouringDayOf } from '../events/reconciled.js';
import { loggableFieldsOf, workflowLabelOf } from '../handler/job.js';
import { isById } from '../storage/address.js';
import { withStep } from '../storage/job-steps.js';
import type { JobRecord, ReadRecord } from '../storage/ledger.js';
import type { WaitingRow } from '../storage/waiting.js';
import { afterLapse, decideClaim, type FromRow, LOOK_AGAIN_MS, maxCompanyOf, type ToClaim } from './decide.js';
import { type Hold, type HoldWrite, LeasedHold } from './hold.js';
import type { JobRun } from './job-run.js';
import type { RunResult } from './outcome.js';
import type { JobDeps } from './shared.js';

/** The wait for a table that is being dropped: storage blocks its name for 40 s or more. */
const TABLE_BUSY_MS = 60_000;
const MAX_CLAIMS = 4;
const MAX_QUEUED_SUSPECTS = 64;

// Writes the claim:
//   process dies before the write    nothing has happened
//   process dies after the write     the lease lapses, and the next holder counts a crash (S1)
//   two processes at once            storage accepts one insert, or one etag (J2); the other reads the new record
//   outcome unknown                  this process gives up; if the record was written, its lease lapses
/** Claims the job of `run`, or returns why it cannot run now. */
export async function claimJob(run: JobRun, deps: JobDeps): Promise<Claim> {
  const { clock, settings, waitingRecords } = deps;
  const { leaseMs } = settings;
  const row = run.row && fromRow(run.row);
  // J9: only the row that the record waits for has a remembered record.
  const known = row && waitingRecords.get(row.name);
  let current = known ?? (await firstRecord(run, deps));

  for (let claims = 0; claims < MAX_CLAIMS; claims += 1) {
    const decision = decideClaim(current, { row, now: clock.now(), leaseMs });
    if (decision.kind !== 'claim') return decision;
    const claimed = await writeClaim(run, { ...decision, current }, deps);
    if (claimed.kind !== 'conflict') return claimed;
    current = await ownRecord(run, claimed.current, deps);
  }
  return afterLapse(leaseMs);
}

/** Returns the record from which the claim starts. Q1: a row reads it; a delivery assumes none, and inserts one. */
async function firstRecord(run: JobRun, { stores }: JobDeps): Promise<ReadRecord | undefined> {
  const { address, event } = run.job;
  const found = run.row && (await stores.ledger.read(address));
  if (found) return ownRecord(run, found, { stores });
  // Q6: near midnight, the record of a change that reconciliation found may be in the table of the other day.
  const mayBeOfTwoDays = isReconciled(event.id) && neighbouringDayOf(event.time ?? '') !== undefined;
  return mayBeOfTwoDays && !isById(address) ? locate(run, { stores }) : undefined;
}

/** Q2: returns `found` if it is of this job. If it is of another incarnation, locates the record of the job itself. */
async function ownRecord(
  run: JobRun,
  found: ReadRecord | undefined,
  deps: Pick<JobDeps, 'stores'>,
): Promise<ReadRecord | undefined> {
  const { job, row } = run;
  if (!found || isById(job.address) || (found.eventId ?? job.event.id) === job.event.id) return found;
  const isRedrive = row?.item.kind === 'job' && row.item.redrive !== undefined; // its address is that of the dead job
  const waitsForRow = found.record.state.kind === 'waiting' && found.record.state.due === row?.name;
  return isRedrive || waitsForRow ? found : locate(run, deps);
}

/** Finds the record of the job's own incarnation, or the address for a new one. Changes the run's address to it. */
async function locate(run: JobRun, { stores }: Pick<JobDeps, 'stores'>): Promise<ReadRecord | undefined> {
  const { address, current } = await stores.ledger.locate(run.job.address, run.job.event);
  run.moveTo(address);
  return current;
}

type Claim = RunResult | { kind: 'won'; hold: Hold<JobRecord> };

async function writeClaim(
  run: JobRun,
  { current, ...decision }: ToClaim & { current: ReadRecord | undefined },
  deps: JobDeps,
): Promise<Claim | { kind: 'conflict'; current: ReadRecord | undefined }> {
  const { clock, random, stores, settings } = deps;
  const { leaseMs } = settings;
  const maxCompany = maxCompanyOf(decision.record);
  const entry = maxCompany === undefined ? undefined : await enterAsSuspect(run, maxCompany, deps);
  if (maxCompany !== undefined && !entry) return { kind: 'deferred', inMs: LOOK_AGAIN_MS };
  if (deps.shutdown.isStopping) return { kind: 'deferred', inMs: 0 }; // E1: no job is claimed any more

  const state = { ...decision.record.state, ...entry }; // S5: the record says whether the job runs alone
  const write = (current?.record.write ?? 0) + 1;
  const steps = current && { steps: stepsOfClaim(current, decision, clock.now()) };
  const record: JobRecord = { ...decision.record, state, owner: random.token(), write, ...steps };
  const { event, eventIdDigest } = run.job;
  const sentAtMs = clock.monotonic(); // J7: the lease counts from before the write was sent
  const written = await stores.ledger.write(run.job.address, record, {
    event, // also over a record: its writer may have died before the write of the entry for the event's id
    eventIdDigest,
    ...(decision.etag !== undefined && { etag: decision.etag }), // J2: only over this version
    untilMs: sentAtMs + leaseMs / 2,
  });
  if (written.kind === 'conflict') return written;
  if (written.kind === 'table-busy') return { kind: 'deferred', inMs: TABLE_BUSY_MS };
  deps.telemetry.count('jobsStarted');
  if (decision.takesOver) recordTakeover(run, record, deps);
  const update: HoldWrite<JobRecord> = (value, how) =>
    stores.ledger.write(run.job.address, value, { ...how, event, eventIdDigest, isByHolder: true });
  const held = { value: record, etag: written.etag, sentAtMs, leaseMs };
  return { kind: 'won', hold: new LeasedHold(held, { clock, write: update }) };
}

/** Returns the steps of a claimed record, with one for this claim; for a redrive, also one for the death before it. */
function stepsOfClaim({ record, ageMs }: ReadRecord, { takesOver }: ToClaim, now: Date): string {
  const { state, errorCode: code, redrives } = record;
  if (state.kind !== 'settled') return withStep(record, { what: takesOver ? 'taken-over' : 'claimed', at: now });
  const diedAt = new Date(now.getTime() - ageMs);
  const steps = withStep(record, { what: 'dead', at: diedAt, code, stage: state.stage, redrives });
  return withStep({ ...record, steps }, { what: 'redriven', at: now });
}

function recordTakeover({ job }: JobRun, { crashes }: JobRecord, { telemetry }: JobDeps): void {
  telemetry.record('leasesTakenOver', 1, { workflow: workflowLabelOf(job) });
  telemetry.log('warn', 'job-taken-over', { ...loggableFieldsOf(job), crashes });
}

function fromRow({ name, item }: WaitingRow): FromRow {
  return item.kind === 'job' ? { name, ...item } : { name };
}

/** Waits until the suspect may run. Returns undefined if it left the queue, or if too many suspects wait already. */
async function enterAsSuspect(
  run: JobRun,
  maxCompany: number,
  { company, shutdown }: JobDeps,
): Promise<{ isAlone: boolean } | undefined> {
  // Suspects that wait hold slots: at most a quarter of the workflow's.
  const maxQueued = Math.min(MAX_QUEUED_SUSPECTS, Math.max(1, Math.floor((run.job.workflow?.concurrency ?? 1) / 4)));
  if (shutdown.isStopping || company.queued >= maxQueued) return undefined;
  return run.queueFor(company.enterAsSuspect(run, maxCompany), () => company.leaveQueue(run));
}

/**
 * Ends the solitude of a suspect after the deadline of a delivery, so that a long job does not stop all others. The
 * returned function cancels this.
 */
export function limitSolitude(run: JobRun, hold: Hold<JobRecord>, deps: JobDeps): () => void {
  const { clock, settings, company } = deps;
  const { state } = hold.value;
  if (!(state.kind === 'running' && state.isAlone)) return () => {};
  // S5: the record says so before another job starts.
  //   process dies before the write    the job was alone, and the record says so
  //   process dies after the write     the crash does not count as one of a job that ran alone
  //   the write fails or is refused    the lease is lost, so the record of its next holder counts
  return clock.after(settings.deadlineMs, () => {
    const inCompany = (record: JobRecord) =>
      record.state.kind === 'running' ? { ...record, state: { ...record.state, isAlone: false } } : record;
    const open = () => company.endSolitude(run);
    hold.update(inCompany).then(open, open);
  });
}
