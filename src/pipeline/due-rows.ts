import { digest } from '../digest.js';
import { errorCodeOf } from '../errors.js';
import { eventErrorOf } from '../events/accept.js';
import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { parseEvent } from '../events/parse.js';
import { loggableFieldsOf } from '../handler/job.js';
import { ledgerPlaceOf } from '../storage/address.js';
import { type DeliveryItem, JOBS_SHARD, type JobItem, type WaitingRow } from '../storage/waiting.js';
import type { Span } from '../telemetry/telemetry.js';
import { LAPSE_MARGIN_MS } from './decide.js';
import type { Deliver } from './deliveries.js';
import type { WriteInvalid } from './invalid-events.js';
import { runJob } from './job.js';
import { JobRun, runKeyOf } from './job-run.js';
import { MoveDeadLetters } from './move-dead-letters.js';
import type { MultiJobRows } from './multi-job-rows.js';
import type { RunResult } from './outcome.js';
import { PacedRows } from './paced-rows.js';
import { logNotWritten, spanOutcomeOf } from './record-metrics.js';
import type { Shared } from './shared.js';
import { type Queues, queueOf, type Wakeup } from './wakeups.js';

/** The time for which a row stays whose event is invalid to this version of the app. */
const MAX_INVALID_MS = 30 * 60_000;

type Parse = (json: string) => HealthEvent;

/** The state that the rows of a page share. `runs`: those that may be in a queue. */
type Page = { readonly runs: JobRun[]; readonly parse: Parse; readonly span: Span | undefined };

type Deps = {
  readonly queues: Queues;
  readonly deliver: Deliver;
  readonly writeInvalid: WriteInvalid;
  readonly multiJobRows: Pick<MultiJobRows, 'run'>;
};

/** Runs the due rows of `waiting`. */
export class DueRows {
  readonly #shared: Shared;
  readonly #deps: Deps;
  readonly #deadLetters: MoveDeadLetters;
  readonly #paced: PacedRows;

  constructor(shared: Shared, deps: Deps) {
    this.#shared = shared;
    this.#deps = deps;
    this.#deadLetters = new MoveDeadLetters(shared.stores);
    this.#paced = new PacedRows(shared);
  }

  /** Runs a page of the due rows of a shard. Never throws. */
  async redeliver({ shard, after }: Wakeup, traceParent?: string): Promise<void> {
    const { clock, stores, telemetry } = this.#shared;
    const span = telemetry.trace('redeliver', traceParent, { shard });
    try {
      // Before anything creates a table of the ledger: to `open`, an existing table means an upgrade.
      await stores.ledger.open();
      if (shard === JOBS_SHARD) {
        await this.#deps.multiJobRows.run();
        return span?.end();
      }
      const page = await this.#paced.readInTurn(() => stores.waiting.due(shard, clock.now(), after));
      if (page.next) await queueOf(this.#deps.queues, shard).send(JSON.stringify({ shard, after: page.next }));
      await this.#runPage(page.rows, span);
      span?.end({ count: page.rows.length });
    } catch (error) {
      telemetry.log('error', 'row-failed', { shard, errorCode: errorCodeOf(error) });
      span?.end({ errorCode: errorCodeOf(error) });
    }
  }

  async #runPage(rows: readonly WaitingRow[], span: Span | undefined): Promise<void> {
    const { clock, settings } = this.#shared;
    const runs: JobRun[] = [];
    const parse = createParse();
    // A job without a slot by the deadline keeps its row, and runs later.
    const cancel = clock.after(settings.deadlineMs, () => {
      for (const run of runs) run.leaveQueue();
    });
    await this.#paced.run(rows, (row) => this.#runRow(row, { runs, parse, span })).finally(cancel);
  }

  async #runRow(row: WaitingRow, page: Page): Promise<void> {
    const { item } = row;
    try {
      if (item.kind === 'delivery') await this.#runDelivery(row, item);
      else await this.#runJobOf(row, item, page);
    } catch (error) {
      this.#shared.telemetry.log('error', 'row-failed', { shard: row.shard, errorCode: errorCodeOf(error) });
    }
  }

  async #runJobOf(row: WaitingRow, item: JobItem, { runs, parse, span }: Page): Promise<void> {
    const { running, telemetry, workflows } = this.#shared;
    const { address, eventIdDigest } = item;
    const { workflow: workflowName } = ledgerPlaceOf(address);
    const event = await this.#parseRow(row, item, parse);
    if (!event) return;
    const job = { address, eventIdDigest, event, json: row.event, workflow: workflows.get(workflowName), workflowName };
    if (running.has(runKeyOf(job))) return telemetry.count('rowsLeft'); // J4: perhaps another row brought it
    const run = new JobRun(job, { row, span: span?.child('job', loggableFieldsOf(job)) });
    runs.push(run);
    running.set(run.key, run);
    run.whenEnded = runJob(run, this.#shared)
      .then((recorded) => this.#finish(run, row, recorded))
      .finally(() => running.delete(run.key));
    await run.whenEnded;
  }

  // R5: a payload that is still invalid gets a dead letter again. If that is the redriven one, it stays.
  //   process dies before the dead letter moves    the row comes again, finds the jobs settled or waiting, and moves it
  //   process dies before the row is deleted       the row comes again; the dead letter has moved already
  async #runDelivery(row: WaitingRow, { deadLetter }: DeliveryItem): Promise<void> {
    const raw: unknown = JSON.parse(row.event);
    await this.#deps.deliver([raw]);
    if (deadLetter !== undefined && !eventErrorOf({ raw, json: row.event }, this.#shared.settings)) {
      await this.#deadLetters.move(deadLetter);
    }
    await this.#shared.stores.waiting.delete(row);
  }

  /**
   * Returns the event of a job's row; undefined if the event is invalid. If it is the corrected payload of a redrive,
   * it gets its own dead letter, beside the redriven one. Any other row stays for half an hour, because another version
   * of the app may accept its event; then the event becomes a dead letter.
   */
  async #parseRow(row: WaitingRow, item: JobItem, parse: Parse): Promise<HealthEvent | undefined> {
    const { clock, stores } = this.#shared;
    const { redrive } = item;
    try {
      return parse(row.event);
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error;
      if (!redrive && clock.now().getTime() < row.dueAt.getTime() + MAX_INVALID_MS) throw error;
      await Promise.all(this.#deps.writeInvalid([{ raw: JSON.parse(row.event), json: row.event, error }]));
      if (redrive || (await this.#settleInvalid(row, item))) await stores.waiting.delete(row);
      return undefined;
    }
  }

  // Settles the record of a job whose event is invalid:
  //   process dies before the write    the row comes again, and its dead letter gets the same name
  //   process dies after the write     the row comes again, finds the record settled, and is deleted
  //   two processes at once            one etag wins; the other row stays, and later finds the record settled
  /** Returns whether the row may be deleted. */
  async #settleInvalid({ name }: WaitingRow, { address, eventIdDigest }: JobItem): Promise<boolean> {
    const { clock, random, settings, stores } = this.#shared;
    const current = await stores.ledger.read(address);
    if (!current) return true;
    const { record, etag, ageMs, eventId } = current;
    const { state } = record;
    if (state.kind === 'settled' || (state.kind === 'waiting' && state.due !== name)) return true;
    // Q2: the record is of another incarnation of the change.
    if (state.kind === 'running' && eventId !== undefined && digest(eventId) !== eventIdDigest) return true;
    // J4: another process may run the job.
    if (state.kind === 'running' && ageMs <= state.leaseMs + LAPSE_MARGIN_MS) return false;
    const settled = { ...record, state: { kind: 'settled', result: 'dead' }, errorCode: 'invalid' } as const;
    const dead = { ...settled, owner: random.token(), write: record.write + 1 };
    const untilMs = clock.monotonic() + settings.deadlineMs;
    const written = await stores.ledger.write(address, dead, { etag, untilMs });
    return written.kind === 'written';
  }

  // J4, R4: the dead letters move, then the row is deleted.
  //   process dies before the dead letters move    the row comes again, and finds the record as it is
  //   process dies before the row is deleted       the same; the dead letters have moved already
  async #finish(run: JobRun, row: WaitingRow, recorded: RunResult): Promise<void> {
    const { settled, stores, telemetry } = this.#shared;
    telemetry.count('rowsRun');
    run.span?.end({ outcome: spanOutcomeOf(recorded) });
    if (recorded.kind === 'deferred') return telemetry.count('rowsLeft'); // J4: the record may need this row
    if (recorded.kind === 'unknown') return logNotWritten(run, recorded.error, this.#shared);
    await this.#deadLetters.moveAfter(row, recorded);
    if (recorded.kind === 'settled') settled.set(run.key, true);
    await stores.waiting.delete(row);
  }
}

/** Returns a function that parses each event once: jobs with the same event object share their reads. */
function createParse(): Parse {
  const events = new Map<string, HealthEvent>();
  return (json) => {
    const event = events.get(json) ?? parseEvent(JSON.parse(json));
    events.set(json, event);
    return event;
  };
}
