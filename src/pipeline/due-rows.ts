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

const UNREADABLE_FOR_GOOD_MS = 30 * 60_000;

type Parse = (json: string) => HealthEvent;

/** A page of due rows. */
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
      await stores.ledger.open(); // a row must not make the first table of the ledger: it would look like an upgrade
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
    // A job that has no slot by then stays a row, and comes again.
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
    if (running.has(runKeyOf(job))) return telemetry.count('rowsLeft'); // another row of this page may have brought it
    const run = new JobRun(job, { row, span: span?.child('job', loggableFieldsOf(job)) });
    runs.push(run);
    running.set(run.key, run);
    run.whenEnded = runJob(run, this.#shared)
      .then((recorded) => this.#finish(run, row, recorded))
      .finally(() => running.delete(run.key));
    await run.whenEnded;
  }

  // A delivery (R5)    dies before its dead letter moves: the row comes again, finds its jobs settled or waiting, and
  //                    moves the dead letter.
  //                    dies between dead letter and row: the row comes again; the dead letter has moved already.
  //                    A payload that is still invalid gets its own dead letter. If that is the same one, it stays.
  async #runDelivery(row: WaitingRow, { deadLetter }: DeliveryItem): Promise<void> {
    const raw: unknown = JSON.parse(row.event);
    await this.#deps.deliver([raw]);
    if (deadLetter !== undefined && !eventErrorOf({ raw, json: row.event }, this.#shared.settings)) {
      await this.#deadLetters.move(deadLetter);
    }
    await this.#shared.stores.waiting.delete(row);
  }

  /**
   * Returns undefined if the row holds no valid event. An invalid corrected payload gets a dead letter of its own,
   * beside the redriven dead letter. Another version of the app may accept the event of a job's row, so such a row
   * stays for half an hour.
   */
  async #parseRow(row: WaitingRow, item: JobItem, parse: Parse): Promise<HealthEvent | undefined> {
    const { clock, stores } = this.#shared;
    const { redrive } = item;
    try {
      return parse(row.event);
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error;
      if (!redrive && clock.now().getTime() < row.dueAt.getTime() + UNREADABLE_FOR_GOOD_MS) throw error;
      await Promise.all(this.#deps.writeInvalid([{ raw: JSON.parse(row.event), json: row.event, error }]));
      if (redrive || (await this.#mayDeleteAfterGivingUp(row, item))) await stores.waiting.delete(row);
      return undefined;
    }
  }

  // Giving up          dies before it: the row comes again, its dead letter has the same name; after it: the row finds
  //                    the record settled, and goes. Two at once: one etag wins, the other finds the record settled.
  async #mayDeleteAfterGivingUp({ name }: WaitingRow, { address, eventIdDigest }: JobItem): Promise<boolean> {
    const { clock, random, settings, stores } = this.#shared;
    const current = await stores.ledger.read(address);
    if (!current) return true;
    const { record, etag, ageMs, eventId } = current;
    const { state } = record;
    if (state.kind === 'settled' || (state.kind === 'waiting' && state.due !== name)) return true;
    if (state.kind === 'running' && eventId !== undefined && digest(eventId) !== eventIdDigest) return true; // Q2
    if (state.kind === 'running' && ageMs <= state.leaseMs + LAPSE_MARGIN_MS) return false; // J4
    const dead = { ...record, state: { kind: 'settled', result: 'dead' }, errorCode: 'invalid' } as const;
    const mine = { ...dead, owner: random.token(), write: record.write + 1 };
    const untilMs = clock.monotonic() + settings.deadlineMs;
    const written = await stores.ledger.write(address, mine, { etag, untilMs });
    return written.kind === 'written';
  }

  // Tidying (J4, R4)   dies before it: the row comes again and finds the record as it is.
  //                    dies between the dead letters and the row: again, and the dead letters have moved already.
  async #finish(run: JobRun, row: WaitingRow, recorded: RunResult): Promise<void> {
    const { settled, stores, telemetry } = this.#shared;
    telemetry.count('rowsRun');
    run.span?.end({ outcome: spanOutcomeOf(recorded) });
    if (recorded.kind === 'deferred') return telemetry.count('rowsLeft'); // J4
    if (recorded.kind === 'unknown') return logNotWritten(run, recorded.error, this.#shared);
    await this.#deadLetters.moveAfter(row, recorded);
    if (recorded.kind === 'settled') settled.set(run.key, true);
    await stores.waiting.delete(row);
  }
}

/** Rows of the same event have one event object, so that what its jobs read is shared. */
function createParse(): Parse {
  const events = new Map<string, HealthEvent>();
  return (json) => {
    const event = events.get(json) ?? parseEvent(JSON.parse(json));
    events.set(json, event);
    return event;
  };
}
