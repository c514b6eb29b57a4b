import type { JobRecord } from '../storage/ledger.js';
import type { WaitingRow } from '../storage/waiting.js';
import { decide, type FromRow, LAPSE_MARGIN_MS, LOOK_AGAIN_MS, maxCompanyOf, UNKNOWN_LOOK_AGAIN_MS } from './decide.js';
import { createHold, type Hold } from './hold.js';
import { type Ending, fieldsOf, type JobDeps, type Run } from './run.js';
import { nameOf } from './tell.js';

/** The name of a dropped table is blocked for 40 s and more. */
const TABLE_BUSY_MS = 60_000;
const MOST_CLAIMS = 4;
const MAX_SUSPECTS_IN_LINE = 64;

// Claiming           dies before it: nothing has happened; after it: the lease lapses, and who takes over counts a crash.
//                    two at once: one insert, or one etag, wins; the other reads what it is up against.
//                    outcome unknown: it is given up, never undone; the record, if it is there, lapses.
export async function claimJob(run: Run, deps: JobDeps): Promise<Ending | { kind: 'won'; hold: Hold<JobRecord> }> {
  const { clock, random, stores, settings, telemetry, life, waitingRecords } = deps;
  const { leaseMs } = settings;
  const row = run.row && fromRow(run.row);
  let current = row ? (waitingRecords.get(row.name) ?? (await stores.ledger.read(run.address))) : undefined;

  for (let claims = 0; claims < MOST_CLAIMS; claims += 1) {
    const decision = decide(current, { ...(row ? { row } : {}), now: clock.now(), leaseMs });
    switch (decision.kind) {
      case 'settled':
        return { kind: 'settled', result: decision.result, redrives: decision.redrives };
      case 'waiting':
        return { kind: 'waiting', redrives: decision.redrives };
      case 'busy':
        return { kind: 'put-off', inMs: decision.leaseMs + LAPSE_MARGIN_MS };
      case 'unknown-state':
        return { kind: 'put-off', inMs: UNKNOWN_LOOK_AGAIN_MS };
      case 'claim':
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(decision satisfies never)}`);
    }
    const maxCompany = maxCompanyOf(decision.record);
    const place = maxCompany === undefined ? undefined : await enterAsSuspect(run, maxCompany, deps);
    if (maxCompany !== undefined && !place) return { kind: 'put-off', inMs: LOOK_AGAIN_MS };
    if (life.isStopping) return { kind: 'put-off', inMs: 0 };

    const state = { ...decision.record.state, ...place }; // S5: the record says whether the job runs alone
    const record: JobRecord = {
      ...decision.record,
      state,
      owner: random.token(),
      write: (current?.record.write ?? 0) + 1,
    };
    const sentAtMs = clock.monotonic();
    const written = await stores.ledger.write(run.address, record, {
      ...(decision.etag === undefined ? { event: run.event } : { etag: decision.etag }),
      untilMs: sentAtMs + leaseMs / 2,
    });
    switch (written.kind) {
      case 'written':
        telemetry.count('jobsStarted');
        if (decision.takesOver) {
          telemetry.record('leasesTakenOver', 1, { workflow: nameOf(run) });
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

function fromRow({ name, of }: WaitingRow): FromRow {
  return of.kind === 'job' ? { name, ...of } : { name };
}

/** Few suspects wait in line, since they keep the slots of their workflow meanwhile: a quarter of them at the most. */
async function enterAsSuspect(
  run: Run,
  maxCompany: number,
  { company, life }: JobDeps,
): Promise<{ isAlone: boolean } | undefined> {
  const maxInLine = Math.min(MAX_SUSPECTS_IN_LINE, Math.max(1, Math.floor((run.workflow?.concurrency ?? 1) / 4)));
  if (life.isStopping || company.waiting >= maxInLine) return undefined;
  run.leaveLine = () => company.leaveLine(run);
  const place = await company.enterAsSuspect(run, maxCompany);
  run.leaveLine = undefined;
  return place;
}

/** S5: a suspect is alone for as long as a delivery may wait; a long job then goes on in company. */
export function limitSolitude(run: Run, hold: Hold<JobRecord>, deps: JobDeps): () => void {
  const { clock, settings, company } = deps;
  const { state } = hold.value;
  if (!(state.kind === 'running' && state.isAlone)) return () => {};
  // Dies before the write: the job was alone. Dies after it: the crash is not counted against the job. The write fails or
  // is refused: the lease has lapsed or is lost, so nothing that happens here can be counted any more.
  return clock.after(settings.deadlineMs, () => {
    const inCompany = (record: JobRecord) =>
      record.state.kind === 'running' ? { ...record, state: { ...record.state, isAlone: false } } : record;
    const open = () => company.endSolitude(run);
    hold.update(inCompany).then(open, open);
  });
}
