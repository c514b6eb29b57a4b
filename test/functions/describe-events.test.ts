import { eventsAnswer } from '../../src/api/events.js';
import { digest } from '../../src/digest.js';
import { keyOf } from '../../src/events/key.js';
import { describeEvents } from '../../src/functions/describe-events.js';
import { addressOf } from '../../src/storage/address.js';
import { withStep } from '../../src/storage/job-steps.js';
import type { FoundRecord, JobRecord } from '../../src/storage/ledger.js';
import { LONG_SHARD_NAMES, type WaitingRow } from '../../src/storage/waiting.js';
import { fhirEvent } from '../../src/testing/index.js';
import { recordOf } from '../storage/ledger.contract.js';
import { rawFhirEvent } from '../testing/raw-events.js';

const EVENT = fhirEvent({ id: 'event-1', resourceId: 'patient-1' });
const RECORD = recordOf({ firstTryAt: '2026-01-01T12:01:01.000Z' });

describe('when a job has a record', () => {
  it.each<{ given: string; record: Partial<JobRecord>; shown: object; state: string }>([
    { given: 'it runs', record: {}, shown: { status: 'running', tries: 0 }, state: 'open' },
    {
      given: 'it runs again after an error',
      record: { tries: 2, errorCode: 'timeout' },
      shown: { status: 'running', tries: 2, error: 'timeout' },
      state: 'open',
    },
    {
      given: 'it is failing for good',
      record: { state: { kind: 'running', leaseMs: 60_000, failing: 'failed' }, tries: 8, errorCode: 'gone' },
      shown: { status: 'running', tries: 8, error: 'gone' },
      state: 'open',
    },
    {
      given: 'it is in a state of a later version',
      record: { state: { kind: 'unknown', name: 'paused' }, tries: 1 },
      shown: { status: 'running', tries: 1 },
      state: 'open',
    },
    {
      given: 'it waits',
      record: {
        state: { kind: 'waiting', due: '2026-01-01T12:05:00.000Z.a.b.c.note.token' },
        tries: 1,
        errorCode: 'http-503',
      },
      shown: { status: 'waiting', tries: 1, error: 'http-503', nextTryAt: '2026-01-01T12:05:00.000Z' },
      state: 'open',
    },
    {
      given: 'it waits for a row whose name has no time',
      record: { state: { kind: 'waiting', due: 'later' } },
      shown: { status: 'waiting', tries: 0 },
      state: 'open',
    },
    {
      given: 'it is completed',
      record: { state: { kind: 'settled', result: 'completed' }, tries: 1 },
      shown: { status: 'completed', tries: 1 },
      state: 'settled',
    },
    {
      given: 'it is superseded',
      record: { state: { kind: 'settled', result: 'superseded' } },
      shown: { status: 'superseded', tries: 0 },
      state: 'settled',
    },
    {
      given: 'it is dead, after two redrives',
      record: { state: { kind: 'settled', result: 'dead' }, tries: 8, redrives: 2, errorCode: 'gone' },
      shown: { status: 'dead-lettered', tries: 8, redrives: 2, error: 'gone' },
      state: 'settled',
    },
  ])('given $given, then $shown', ({ record, shown, state }) => {
    const events = describeEvents([found({ record })], []);

    expect(eventsAnswer.parse({ events }).events).toEqual([
      {
        id: 'event-1',
        type: 'Microsoft.HealthcareApis.FhirResourceCreated',
        source: EVENT.source,
        time: '2026-01-01T12:01:00.000Z',
        state,
        workflows: { note: { ...shown, steps: expect.any(Array) } },
      },
    ]);
  });

  it('given a row that only checks the job after its lease, then the answer shows the record alone', () => {
    const records = [found({ record: { state: { kind: 'settled', result: 'completed' }, tries: 1 } })];
    expect(describeEvents(records, [row()])).toEqual(describeEvents(records, []));
  });

  it.each([
    { given: 'dead, and a redrive that is to come', result: 'dead', redrive: 2, status: 'waiting', state: 'open' },
    {
      given: 'dead, and a redrive that is over',
      result: 'dead',
      redrive: 1,
      status: 'dead-lettered',
      state: 'settled',
    },
    { given: 'completed, and a redrive', result: 'completed', redrive: 2, status: 'completed', state: 'settled' },
  ] as const)('given it is $given, then it is $status', ({ result, redrive, status, state }) => {
    const records = [found({ record: { state: { kind: 'settled', result }, redrives: 1 } })];
    expect(describeEvents(records, [row({ redrive })])).toMatchObject([{ state, workflows: { note: { status } } }]);
  });

  it('given one job that is open and one that is settled, then the event is open', () => {
    const records = [
      found({ workflow: 'slow' }),
      found({ workflow: 'note', record: { state: { kind: 'settled', result: 'completed' }, tries: 1 } }),
    ];
    expect(describeEvents(records, [])).toMatchObject([
      { state: 'open', workflows: { slow: { status: 'running' }, note: { status: 'completed' } } },
    ]);
  });

  it('given an event without a time, then the time is null', () => {
    expect(describeEvents([found({ time: '' })], [])).toMatchObject([{ time: null }]);
  });
});

describe('when a job has a story', () => {
  const CLAIMED = { at: '2026-01-01T12:01:01.000Z', what: 'claimed' };
  const DEAD: JobRecord['state'] = { kind: 'settled', result: 'dead', stage: 'crash' };
  const idOf = (redrives: number) => `crash.2026-01-01.${digest(addressOf(keyOf(EVENT), 'note'))}.${redrives}`;
  const storyOf = (record: Partial<JobRecord>) => {
    const { events } = eventsAnswer.parse({ events: describeEvents([found({ record })], []) });
    return events[0]?.workflows.note;
  };

  it.each<{ given: string; record: Partial<JobRecord>; last: object }>([
    {
      given: 'it is completed',
      record: { state: { kind: 'settled', result: 'completed' }, tries: 1 },
      last: { at: '2026-01-01T12:02:00.000Z', what: 'completed' },
    },
    {
      given: 'it is superseded',
      record: { state: { kind: 'settled', result: 'superseded' } },
      last: { at: '2026-01-01T12:02:00.000Z', what: 'superseded' },
    },
    {
      given: 'it waits, written by a release without stories',
      record: { state: { kind: 'waiting', due: '2026-01-01T12:05:00.000Z.a' }, tries: 2, errorCode: 'timeout' },
      last: { at: '2026-01-01T12:02:00.000Z', what: 'retry', code: 'timeout', until: '2026-01-01T12:05:00.000Z' },
    },
    {
      given: 'it waits for a row whose name has no time',
      record: { state: { kind: 'waiting', due: 'later' } },
      last: { at: '2026-01-01T12:02:00.000Z', what: 'wait' },
    },
  ])('given $given, then the story is its claim and that step', ({ record, last }) => {
    expect(storyOf(record)?.steps).toEqual([CLAIMED, last]);
  });

  it('given it runs for the first time, then the story is its claim', () => {
    expect(storyOf({})?.steps).toEqual([CLAIMED]);
  });

  it('given it is dead, then the last step and the job name the dead letter', () => {
    expect(storyOf({ state: DEAD, errorCode: 'crash', redrives: 1 })).toMatchObject({
      steps: [{ what: 'redriven' }, { what: 'dead-lettered', code: 'crash', deadLetter: idOf(1) }],
      deadLetter: idOf(1),
    });
  });

  it('given it is dead and its stage is unknown, then no dead letter is named', () => {
    const story = storyOf({ state: { kind: 'settled', result: 'dead' }, errorCode: 'invalid' });

    expect(JSON.stringify(story)).not.toContain('deadLetter');
  });

  it('given storage has written it in the second of a later step, then the last step is not before that', () => {
    const at = new Date('2026-01-01T12:02:00.900Z');
    const steps = withStep({ ...RECORD }, { what: 'taken-over', at });

    expect(storyOf({ steps, state: { kind: 'settled', result: 'completed' } })?.steps?.map((step) => step.at)).toEqual([
      CLAIMED.at,
      at.toISOString(),
      at.toISOString(),
    ]);
  });

  it('given more steps than a record holds, then the story says how many are left out, and names the last dead letter', () => {
    const at = new Date('2026-01-01T12:01:02.000Z');
    let steps = withStep(RECORD, { what: 'claimed', at });
    for (let n = 0; n < 2; n += 1) steps = withStep({ ...RECORD, steps }, { what: 'claimed', at });
    steps = withStep({ ...RECORD, steps }, { what: 'dead', at, code: 'crash', stage: 'crash', redrives: 0 });
    for (let n = 0; n < 20; n += 1) steps = withStep({ ...RECORD, steps }, { what: 'claimed', at });

    expect(storyOf({ steps })).toMatchObject({ stepsLeftOut: 5, deadLetter: idOf(0), steps: { length: 20 } });
  });

  it('given a redrive is about to reopen it, then the story ends before that', () => {
    const records = [found({ record: { state: DEAD } })];

    expect(describeEvents(records, [row({ redrive: 1 })])).toMatchObject([
      { workflows: { note: { status: 'waiting', steps: [{}, { what: 'dead-lettered' }], deadLetter: idOf(0) } } },
    ]);
  });
});

describe('when a job has only a row', () => {
  it('given one row, then the job waits, and the event comes from the row', () => {
    expect(describeEvents([], [row()])).toEqual([
      {
        id: 'event-1',
        type: 'Microsoft.HealthcareApis.FhirResourceCreated',
        source: EVENT.source,
        time: '2026-01-01T12:01:00.000Z',
        state: 'open',
        workflows: { note: { status: 'waiting', tries: 0, nextTryAt: '2026-01-01T12:10:00.000Z' } },
      },
    ]);
  });

  it('given several rows, then the next try is the earliest', () => {
    const rows = [row(), row({ dueAt: new Date('2026-01-01T12:09:00Z') })];
    expect(describeEvents([], rows)).toMatchObject([
      { workflows: { note: { nextTryAt: '2026-01-01T12:09:00.000Z' } } },
    ]);
  });

  it('given another workflow of the event has a record, then both jobs belong to one event', () => {
    const records = [
      found({ workflow: 'fast', record: { state: { kind: 'settled', result: 'completed' }, tries: 1 } }),
    ];
    expect(describeEvents(records, [row()])).toMatchObject([
      { state: 'open', workflows: { fast: { status: 'completed' }, note: { status: 'waiting' } } },
    ]);
  });

  it('given its payload is no event, then the digest identifies the event', () => {
    expect(describeEvents([], [row({ event: '{"id":' })])).toMatchObject([
      {
        id: keyOf(EVENT).id,
        type: '',
        source: '',
        time: null,
        state: 'open',
        workflows: { note: { status: 'waiting' } },
      },
    ]);
  });
});

describe('when an event is to come as a delivery', () => {
  const item = { kind: 'delivery', eventIdDigest: keyOf(EVENT).id } as const;

  it('given no job yet, then the event is open, without workflows', () => {
    expect(describeEvents([], [row({ item })])).toMatchObject([{ id: 'event-1', state: 'open', workflows: {} }]);
  });

  it('given its jobs are settled, then the event is still open', () => {
    const records = [found({ record: { state: { kind: 'settled', result: 'completed' }, tries: 1 } })];
    expect(describeEvents(records, [row({ item })])).toMatchObject([
      { state: 'open', workflows: { note: { status: 'completed' } } },
    ]);
  });

  it('given its payload is no event, then it is left out', () => {
    expect(describeEvents([], [row({ item, event: '{}' })])).toEqual([]);
  });
});

it('given two events that share an id, then the answer has both', () => {
  const other = fhirEvent({ id: 'event-1', resourceId: 'patient-2' });
  expect(describeEvents([found(), found({ event: other })], [])).toHaveLength(2);
});

it('given no record and no row, then the answer is empty', () => {
  expect(describeEvents([], [])).toEqual([]);
});

function found({
  record = {},
  workflow = 'note',
  event = EVENT,
  time = event.time ?? '',
}: {
  record?: Partial<JobRecord>;
  workflow?: string;
  event?: typeof EVENT;
  time?: string;
} = {}): FoundRecord {
  return {
    identity: `${keyOf(event).id}.${keyOf(event).contentDigest}`,
    address: addressOf(keyOf(event), workflow),
    workflow,
    writtenAt: new Date('2026-01-01T12:02:00.000Z'),
    record: { ...RECORD, ...record },
    event: { id: event.id, type: event.type, source: event.source, time },
  };
}

function row({
  redrive = 0,
  dueAt = new Date('2026-01-01T12:10:00Z'),
  event = JSON.stringify(rawFhirEvent()),
  item = {
    kind: 'job',
    address: addressOf(keyOf(EVENT), 'note'),
    eventIdDigest: keyOf(EVENT).id,
    ...(redrive > 0 && { redrive }),
  },
}: {
  redrive?: number;
  dueAt?: Date;
  event?: string;
  item?: WaitingRow['item'];
} = {}): WaitingRow {
  return { shard: LONG_SHARD_NAMES[0] ?? '', name: 'a row', dueAt, isLong: true, event, item };
}
