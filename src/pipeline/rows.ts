import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { parseEvent } from '../events/parse.js';
import { type Address, placeOf } from '../storage/address.js';
import { FAILING_STAGES } from '../storage/ledger.js';
import { LONG_SHARD_NAMES, type WaitingRow } from '../storage/waiting.js';
import type { Span } from '../telemetry/telemetry.js';
import { errorCodeOf, LAPSE_MARGIN_MS } from './decide.js';
import { type Deliver, isTakenIn } from './deliveries.js';
import type { WriteInvalid } from './invalid-events.js';
import { runJob } from './job.js';
import { type Ending, fieldsOf, newRun, type Run, type Shared } from './run.js';
import { createSlots } from './slots.js';
import { outcomeOf } from './tell.js';
import type { Queues, Wakeup } from './wakeups.js';

/** Letters that are moved. */
const LETTERS_AT_ONCE = 32;
const UNREADABLE_FOR_GOOD_MS = 30 * 60_000;

type Parse = (json: string) => HealthEvent;

/** What the rows of a page have in common. */
type Page = { readonly runs: Run[]; readonly parse: Parse; readonly span: Span | undefined };

type RowOfJob = WaitingRow['of'] & { kind: 'job' };
type RowOfDelivery = WaitingRow['of'] & { kind: 'delivery' };

/** Rows of `waiting` that are due, and what becomes of them. */
export function createRows(shared: Shared, deps: { queues: Queues; deliver: Deliver; writeInvalid: WriteInvalid }) {
  const { clock, random, stores, settings, telemetry, workflows, running, settled } = shared;
  const { queues, deliver, writeInvalid } = deps;
  const moving = createSlots<'letters'>(() => LETTERS_AT_ONCE);
  return { redeliver };

  async function redeliver({ shard, after }: Wakeup, traceParent?: string): Promise<void> {
    const span = telemetry.trace('redeliver', traceParent, { shard });
    try {
      const page = await stores.waiting.due(shard, clock.now(), after);
      if (page.next) {
        const queue = LONG_SHARD_NAMES.includes(shard) ? queues.dueLong : queues.due;
        await queue.send(JSON.stringify({ shard, after: page.next } satisfies Wakeup));
      }
      const runs: Run[] = [];
      const parse = createParse();
      // What has found no place by then stays a row, and comes again.
      const cancel = clock.after(settings.deadlineMs, () => {
        for (const run of runs) run.leaveLine?.();
      });
      await Promise.all(page.rows.map((row) => runRow(row, { runs, parse, span }))).finally(cancel);
      span?.end({ count: page.rows.length });
    } catch (error) {
      telemetry.log('error', 'row-failed', { shard, errorCode: errorCodeOf(error) });
      span?.end({ errorCode: errorCodeOf(error) });
    }
  }

  async function runRow(row: WaitingRow, { runs, parse, span }: Page): Promise<void> {
    try {
      if (row.of.kind === 'delivery') return await runDelivery(row, row.of);
      const { address } = row.of;
      const { workflow: workflowName } = placeOf(address);
      const event = await parseRow(row, row.of, parse);
      if (!event) return;
      if (running.has(address)) return telemetry.count('rowsLeft'); // by another row of this page, too
      const job = { address, event, json: row.event, workflow: workflows.get(workflowName), workflowName };
      const run = newRun(job, row);
      runs.push(run);
      running.set(address, run);
      run.span = span?.child('job', fieldsOf(run));
      run.ended = runJob(run, shared)
        .then((ending) => afterRow(run, row, ending))
        .finally(() => running.delete(address));
      await run.ended;
    } catch (error) {
      telemetry.log('error', 'row-failed', { shard: row.shard, errorCode: errorCodeOf(error) });
    }
  }

  // A delivery         dies before its letter moves: it comes again, finds its jobs settled or waiting, and moves it.
  //                    dies between letter and row: again, and the letter has moved already.
  //                    What is still no event has a letter of its own, perhaps the same: the one it came from stays.
  async function runDelivery(row: WaitingRow, { letter }: RowOfDelivery): Promise<void> {
    const raw: unknown = JSON.parse(row.event);
    await deliver([raw]);
    if (letter !== undefined && isTakenIn(raw, row.event, settings)) {
      await inTurn(() => stores.deadLetters.move(letter));
    }
    await stores.waiting.delete(row);
  }

  /**
   * Undefined where it is no event: a corrected payload that is none is a dead letter of its own, beside the one it was
   * to redrive. Of a job it may be an event to another version of the app, for which there is half an hour.
   */
  async function parseRow(
    row: WaitingRow,
    { address, redrive }: RowOfJob,
    parse: Parse,
  ): Promise<HealthEvent | undefined> {
    try {
      return parse(row.event);
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error;
      if (!redrive && clock.now().getTime() < row.dueAt.getTime() + UNREADABLE_FOR_GOOD_MS) throw error;
      await Promise.all(writeInvalid([{ raw: JSON.parse(row.event), json: row.event, error }]));
      if (redrive || (await giveUpJob(address, row.name))) await stores.waiting.delete(row);
      return undefined;
    }
  }

  // Giving up          dies before it: the row comes again, its dead letter has the same name; after it: the row finds the
  //                    record settled, and goes. Two at once: one etag wins, the other finds it settled.
  async function giveUpJob(address: Address, rowName: string): Promise<boolean> {
    const current = await stores.ledger.read(address);
    if (!current) return true;
    const { record, etag, ageMs } = current;
    const { state } = record;
    if (state.kind === 'settled' || (state.kind === 'waiting' && state.due !== rowName)) return true;
    if (state.kind === 'running' && ageMs <= state.leaseMs + LAPSE_MARGIN_MS) return false;
    const dead = { ...record, state: { kind: 'settled', result: 'dead' }, errorCode: 'invalid' } as const;
    const mine = { ...dead, owner: random.token(), write: record.write + 1 };
    const written = await stores.ledger.write(address, mine, {
      etag,
      untilMs: clock.monotonic() + settings.deadlineMs,
    });
    return written.kind === 'written';
  }

  // Tidying            dies before it: the row comes again and finds the record as it is.
  //                    dies between the dead letters and the row: again, and the letters are moved already.
  async function afterRow(run: Run, row: WaitingRow, ending: Ending): Promise<void> {
    telemetry.count('rowsRun');
    run.span?.end({ outcome: outcomeOf(ending) });
    switch (ending.kind) {
      case 'settled':
        await resolveLetters(run, row, ending.redrives, ending.result !== 'dead');
        settled.set(run.address, true);
        return await stores.waiting.delete(row);
      case 'waiting':
        await resolveLetters(run, row, ending.redrives, false);
        return await stores.waiting.delete(row);
      case 'put-off':
        return telemetry.count('rowsLeft');
      case 'failed':
        return telemetry.log('error', 'job-not-written', { ...fieldsOf(run), errorCode: errorCodeOf(ending.error) });
      default:
        throw new TypeError(`unhandled ${JSON.stringify(ending satisfies never)}`);
    }
  }

  /**
   * A job that was redriven takes its earlier dead letters along; one that is over, all of them. Those before the one
   * that the row names have moved before it could be asked for.
   */
  async function resolveLetters(
    { address }: Run,
    { of }: WaitingRow,
    redrives: number,
    isOver: boolean,
  ): Promise<void> {
    const { deadLetters } = stores;
    const { letter } = of;
    if (of.kind === 'job' && of.redrive && letter !== undefined && (redrives >= of.redrive || isOver))
      return inTurn(() => deadLetters.move(letter));
    if (redrives === 0) return;
    const before = isOver ? redrives + 1 : redrives;
    await inTurn(() => deadLetters.resolve({ address, stages: FAILING_STAGES }, before));
  }

  /** After an outage thousands of rows end at the same time: all their letters at once would be more than storage can answer. */
  async function inTurn(move: () => Promise<void>): Promise<void> {
    const who = {};
    await moving.take('letters', who);
    try {
      await move();
    } finally {
      moving.give('letters');
    }
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
