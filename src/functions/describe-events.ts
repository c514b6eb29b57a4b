import type { EventStatus, JobStatus, Step } from '../api/events.js';
import { idOfName, nameOfJob } from '../dead-letters/store/names.js';
import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { type Address, ledgerPlaceOf } from '../storage/address.js';
import { type Died, type JobStep, readSteps } from '../storage/job-steps.js';
import type { FoundRecord, JobRecord } from '../storage/ledger.js';
import { dueAtOf, type WaitingRow } from '../storage/waiting.js';

/** `time` is null if the event has none. */
type Identity = Pick<EventStatus, 'id' | 'type' | 'source' | 'time'>;

type FoundJob = { record?: FoundRecord; rows: WaitingRow[] };
/** `isToCome`: a row brings the event like a new delivery. */
type Found = { identity: Identity; jobs: Map<string, FoundJob>; isToCome: boolean };

/**
 * Returns one status for each event of an id, from the records and rows of its jobs; several events can share an id. A
 * job that has not been tried yet has a row and no record.
 */
export function describeEvents(records: readonly FoundRecord[], rows: readonly WaitingRow[]): EventStatus[] {
  const events = new Map<string, Found>();
  for (const record of records) {
    const { identity: key, workflow, event } = record;
    jobOf(foundOf(events, key, { ...event, time: event.time || null }), workflow).record = record;
  }
  for (const row of rows) {
    const event = eventOf(row);
    if (row.item.kind === 'job') {
      const { address, eventIdDigest } = row.item;
      const { change, workflow } = ledgerPlaceOf(address);
      const identity = event ? identityOf(event) : { id: eventIdDigest, type: '', source: '', time: null };
      jobOf(foundOf(events, `${eventIdDigest}.${change}`, identity), workflow).rows.push(row);
    } else if (event) {
      const { id, contentDigest } = keyOf(event);
      foundOf(events, `${id}.${contentDigest}`, identityOf(event)).isToCome = true;
    }
  }
  return [...events.values()].map(describeEvent);
}

/** Returns the entry of an event, added if absent. `key`: the same for all records and rows of the event. */
function foundOf(events: Map<string, Found>, key: string, identity: Identity): Found {
  const found = events.get(key) ?? { identity, jobs: new Map(), isToCome: false };
  events.set(key, found);
  return found;
}

function jobOf({ jobs }: Found, workflow: string): FoundJob {
  const job = jobs.get(workflow) ?? { rows: [] };
  jobs.set(workflow, job);
  return job;
}

/** Returns undefined for a row without a valid event: an invalid event that is redriven, or a wrong edit. */
function eventOf(row: WaitingRow): HealthEvent | undefined {
  try {
    return parseEvent(JSON.parse(row.event));
  } catch (error) {
    if (error instanceof InvalidEventError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function identityOf({ id, type, source, time }: HealthEvent): Identity {
  return { id, type, source, time: time ?? null };
}

function describeEvent({ identity, jobs, isToCome }: Found): EventStatus {
  const described = [...jobs].map(([name, { record, rows }]) => [name, describeJob(record, rows)] as const);
  const isOpen = isToCome || described.some(([, { status }]) => status === 'running' || status === 'waiting');
  return { ...identity, state: isOpen ? 'open' : 'settled', workflows: Object.fromEntries(described) };
}

/** Describes the row that starts or reopens the job; without such a row, the record. Other rows do not change the status. */
function describeJob(found: FoundRecord | undefined, rows: readonly WaitingRow[]): JobStatus {
  const record = found?.record;
  const starting = rows
    .filter(({ item }) => !record || (item.kind === 'job' && isDead(record) && (item.redrive ?? 0) > record.redrives))
    .sort((one, other) => one.dueAt.getTime() - other.dueAt.getTime())[0];
  const status = starting ? describeRow(starting) : record ? describeRecord(record) : NOT_BEGUN;
  return { ...status, ...(found && storyOf(found)) };
}

const NOT_BEGUN: JobStatus = { status: 'waiting', tries: 0 };

function isDead({ state }: JobRecord): boolean {
  return state.kind === 'settled' && state.result === 'dead';
}

function describeRow({ dueAt, item }: WaitingRow): JobStatus {
  const redrives = item.kind === 'job' ? (item.redrive ?? 0) : 0;
  return { status: 'waiting', tries: 0, ...nextTryAt(dueAt), ...(redrives > 0 && { redrives }) };
}

/** Returns no time for a row of a later release whose name does not begin with a time. */
function nextTryAt(dueAt: Date): Pick<JobStatus, 'nextTryAt'> {
  return Number.isNaN(dueAt.getTime()) ? {} : { nextTryAt: dueAt.toISOString() };
}

function describeRecord({ state, tries, redrives, errorCode }: JobRecord): JobStatus {
  const common = { tries, ...(redrives > 0 && { redrives }), ...(errorCode !== '' && { error: errorCode }) };
  switch (state.kind) {
    case 'running':
    case 'unknown': // a state of a later release of the app, which is running the job
      return { status: 'running', ...common };
    case 'waiting':
      return { status: 'waiting', ...common, ...nextTryAt(dueAtOf(state.due)) };
    case 'settled':
      return { status: state.result === 'dead' ? 'dead-lettered' : state.result, ...common };
    default:
      throw new TypeError(`unhandled ${JSON.stringify(state satisfies never)}`);
  }
}

/**
 * Returns the story of a job: the steps that its record holds, and those that follow from the record's other properties. A
 * record has no steps before the first retry, takeover or redrive. In records of old releases, steps are missing.
 */
function storyOf(found: FoundRecord): Pick<JobStatus, 'steps' | 'stepsLeftOut' | 'deadLetter'> {
  const { address, record } = found;
  const { steps, leftOut, leftOutDead } = record.steps === undefined ? firstStepsOf(found) : readSteps(record.steps);
  const last = lastStepOf(found, steps.at(-1)?.at);
  const all = last ? [...steps, last] : steps;
  const died = all.findLast((step) => step.what === 'dead') ?? leftOutDead;
  return {
    steps: all.map((step) => describeStep(step, address)),
    ...(leftOut > 0 && { stepsLeftOut: leftOut }),
    ...deadLetterOf(died, address),
  };
}

function firstStepsOf({ record, writtenAt }: FoundRecord): ReturnType<typeof readSteps> {
  const { firstTryAt, redrives } = record;
  const at = new Date(Number.isNaN(Date.parse(firstTryAt)) ? writtenAt : firstTryAt);
  return { steps: [{ what: redrives > 0 ? 'redriven' : 'claimed', at }], leftOut: 0 };
}

type Settled = { readonly what: 'completed' | 'superseded'; readonly at: Date };

/** Returns the step that the last write of the record shows. Its time is never before the step before it. */
function lastStepOf({ record, writtenAt }: FoundRecord, after?: Date): JobStep | Settled | undefined {
  const { state, errorCode: code, redrives, tries } = record;
  const at = after && after > writtenAt ? after : writtenAt;
  if (state.kind === 'settled') {
    return state.result === 'dead'
      ? { what: 'dead', at, code, stage: state.stage, redrives }
      : { what: state.result, at };
  }
  const until = state.kind === 'waiting' && record.steps === undefined ? dueAtOf(state.due) : undefined;
  return until && { what: tries > 0 ? 'retry' : 'wait', at, code, until };
}

function describeStep(step: JobStep | Settled, address: Address): Step {
  const at = step.at.toISOString();
  switch (step.what) {
    case 'retry':
    case 'wait': {
      const { what, code, until } = step;
      return { at, what, ...codeOf(code), ...(!Number.isNaN(until.getTime()) && { until: until.toISOString() }) };
    }
    case 'dead':
      return { at, what: 'dead-lettered', ...codeOf(step.code), ...deadLetterOf(step, address) };
    default:
      return { at, what: step.what };
  }
}

function codeOf(code: string): { code?: string } {
  return code === '' ? {} : { code };
}

/** R7: the id of a dead letter follows from job and redrives. */
function deadLetterOf(died: Died | undefined, address: Address): { deadLetter?: string } {
  return died?.stage ? { deadLetter: idOfName(nameOfJob(died.stage, address, died.redrives)) } : {};
}
