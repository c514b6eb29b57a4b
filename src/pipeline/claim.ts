import { isReconciled, neighbouringDayOf } from '../events/reconciled.js';
import { loggableFieldsOf, workflowLabelOf } from '../handler/job.js';
import { isById } from '../storage/address.js';
import { withStep } from '../storage/job-steps.js';
import type { JobRecord, ReadRecord } from '../storage/ledger.js';
import type { WaitingRow } from '../storage/waiting.js';
import { afterLapse, decide, type FromRow, LOOK_AGAIN_MS, maxCompanyOf, type ToClaim } from './decide.js';
import { type Hold, type HoldWrite, LeasedHold } from './hold.js';
import type { JobRun } from './job-run.js';
import type { RunResult } from './outcome.js';
import type { JobDeps } from './shared.js';

/** The name of a dropped table is blocked for 40 s and more. */
const TABLE_BUSY_MS = 60_000;
const MAX_CLAIMS = 4;
const MAX_QUEUED_SUSPECTS = 64;

// Claiming           dies before it: nothing has happened.
//                    dies after it: the lease lapses, and the next holder counts a crash (S1).
//                    two at once (J2): one insert, or one etag, wins; the loser gets the record that is there.
//                    outcome unknown: the claim is given up, never undone; a record that was written lapses.
/** Claims the job of `run`, or returns why it cannot be run now. */
export async function claimJob(run: JobRun, deps: JobDeps): Promise<Claim> {
  const { clock, settings, waitingRecords } = deps;
  const { leaseMs } = settings;
  const row = run.row && fromRow(run.row);
  // J9: only the row that the record waits for may use the remembered record.
  const known = row && waitingRecords.get(row.name);
  let current = known ?? (await firstRecord(run, deps));

  for (let claims = 0; claims < MAX_CLAIMS; claims += 1) {
    const decision = decide(current, { ...(row ? { row } : {}), now: clock.now(), leaseMs });
    if (decision.kind !== 'claim') return decision;
    const claimed = await writeClaim(run, { ...decision, current }, deps);
    if (claimed.kind !== 'conflict') return claimed;
    current = await ownRecord(run, claimed.current, deps);
  }
  return afterLapse(leaseMs);
}

/** Q1: a delivery inserts its record without a read. Only reconciliation looks first, near midnight (Q6). */
async function firstRecord(run: JobRun, { stores }: JobDeps): Promise<ReadRecord | undefined> {
  const { address, event } = run.job;
  const found = run.row && (await stores.ledger.read(address));
  if (found) return ownRecord(run, found, { stores });
  const mayBeOfTwoDays = isReconciled(event.id) && neighbouringDayOf(event.time ?? '') !== undefined;
  return mayBeOfTwoDays && !isById(address) ? locate(run, { stores }) : undefined;
}

/** Q2: returns the record of the job itself, if the one at its address is of another incarnation of the change. */
async function ownRecord(
  run: JobRun,
  found: ReadRecord | undefined,
  deps: Pick<JobDeps, 'stores'>,
): Promise<ReadRecord | undefined> {
  const { job, row } = run;
  if (!found || isById(job.address) || (found.eventId ?? job.event.id) === job.event.id) return found;
  const isNamed = row?.item.kind === 'job' && row.item.redrive !== undefined; // the redrive of a dead letter names its record
  const isWaitedFor = found.record.state.kind === 'waiting' && found.record.state.due === row?.name;
  return isNamed || isWaitedFor ? found : locate(run, deps);
}

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
  const place = maxCompany === undefined ? undefined : await enterAsSuspect(run, maxCompany, deps);
  if (maxCompany !== undefined && !place) return { kind: 'deferred', inMs: LOOK_AGAIN_MS };
  if (deps.shutdown.isStopping) return { kind: 'deferred', inMs: 0 }; // E1

  const state = { ...decision.record.state, ...place }; // S5: the record says whether the job runs alone
  const write = (current?.record.write ?? 0) + 1;
  const steps = current && { steps: stepsOfClaim(current, decision, clock.now()) };
  const record: JobRecord = { ...decision.record, state, owner: random.token(), write, ...steps };
  const { event, eventIdDigest } = run.job;
  const sentAtMs = clock.monotonic(); // J7
  const written = await stores.ledger.write(run.job.address, record, {
    event, // also for a claim over a record: its process may have died before it wrote the entry of the event
    eventIdDigest,
    ...(decision.etag !== undefined && { etag: decision.etag }), // J2
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

/** A redrive reopens a dead job: its record is to say when the job died. The first claim of a job needs no steps. */
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

/** Queued suspects keep the slots of their workflow: so at most a quarter of its slots may be theirs. */
async function enterAsSuspect(
  run: JobRun,
  maxCompany: number,
  { company, shutdown }: JobDeps,
): Promise<{ isAlone: boolean } | undefined> {
  const maxQueued = Math.min(MAX_QUEUED_SUSPECTS, Math.max(1, Math.floor((run.job.workflow?.concurrency ?? 1) / 4)));
  if (shutdown.isStopping || company.queued >= maxQueued) return undefined;
  return run.queueFor(company.enterAsSuspect(run, maxCompany), () => company.leaveQueue(run));
}

/** S5: a suspect is alone for as long as a delivery may wait; a long job then goes on in company. */
export function limitSolitude(run: JobRun, hold: Hold<JobRecord>, deps: JobDeps): () => void {
  const { clock, settings, company } = deps;
  const { state } = hold.value;
  if (!(state.kind === 'running' && state.isAlone)) return () => {};
  // Dies before the write: the job was alone. Dies after it: the crash is not counted against the job. The write fails
  // or is refused: the lease has lapsed or is lost, so nothing that happens here can be counted any more.
  return clock.after(settings.deadlineMs, () => {
    const inCompany = (record: JobRecord) =>
      record.state.kind === 'running' ? { ...record, state: { ...record.state, isAlone: false } } : record;
    const open = () => company.endSolitude(run);
    hold.update(inCompany).then(open, open);
  });
}
