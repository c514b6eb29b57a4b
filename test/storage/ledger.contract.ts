import { type Clock, type Random, systemClock } from '../../src/clock.js';
import { digest } from '../../src/digest.js';
import { type Address, addressById, ledgerPlaceOf } from '../../src/storage/address.js';
import { createGroupCommit } from '../../src/storage/group-commit.js';
import {
  createLedger,
  type Failing,
  type JobRecord,
  type JobState,
  type LedgerCondition,
} from '../../src/storage/ledger.js';
import type { Row, TableStore } from '../../src/storage/table-store.js';
import { fhirEvent } from '../../src/testing/index.js';
import { faultyTables, type Plan } from './faults.js';

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

const event = fhirEvent({ id: 'event-1', time: '2026-03-14T12:00:00Z' });
/** Each record that is read has these fields, too. */
const READ = { ageMs: expect.any(Number), eventId: 'event-1' };
const COMPLETED: JobState = { kind: 'settled', result: 'completed' };
const STATES: JobState[] = [
  { kind: 'running', leaseMs: 60_000 },
  { kind: 'running', leaseMs: 60_000, failing: 'failed' },
  { kind: 'running', leaseMs: 30_000, failing: 'crash' },
  { kind: 'running', leaseMs: 30_000, failing: 'unknown-workflow' },
  { kind: 'waiting', due: '2026-03-14T12:00:10.000Z.x.0000000000000001' },
  { kind: 'settled', result: 'completed' },
  { kind: 'settled', result: 'superseded' },
  { kind: 'settled', result: 'dead' },
  { kind: 'unknown', name: 'paused' },
];

/** The contract of the ledger. `makeTables` returns an account without tables; every test has its own. */
export function ledgerContract(makeTables: () => TableStore): void {
  let account: ReturnType<typeof openLedger>;

  beforeEach(() => {
    account = openLedger(makeTables());
  });

  /** Writes, and expects that it is written. */
  async function put(address: Address, record: JobRecord, how: Partial<LedgerCondition> = {}): Promise<string> {
    const written = await account.write(address, record, how);
    if (written.kind !== 'written') throw new Error(`expected to be written: ${JSON.stringify(written)}`);
    return written.etag;
  }

  describe('a record', () => {
    it('given no write, then there is no record', async () => {
      expect(await account.ledger.read(addressFor({}))).toBeUndefined();
    });

    it('given an insert, then the record reads as written, with the etag that the write returned', async () => {
      const counts = { tries: 3, crashes: 2, crashesAlone: 1, redrives: 1 };
      const full = recordOf({ ...counts, errorCode: 'timeout', unknownSince: '2026-03-14' });

      const etag = await put(addressFor({}), full, { event });

      expect(await account.ledger.read(addressFor({}))).toEqual({ ...READ, record: full, etag });
    });

    it.each([
      { given: 'a day', day: '20260314', table: 'ledger20260314' },
      { given: 'no day', day: 'undated', table: 'ledgerundated' },
    ])('given $given, then the first write creates the table', async ({ day, table }) => {
      await account.ledger.read(addressFor({ day }));
      const before = await account.tables.list('');

      await put(addressFor({ day }), recordOf(), { event });

      expect(before).toEqual([]);
      expect(await account.tables.list('')).toEqual([table]);
    });

    it('given a second insert, then it conflicts with the first, which stays', async () => {
      const first = recordOf({ owner: 'first' });
      const etag = await put(addressFor({}), first, { event });

      const second = await account.write(addressFor({}), recordOf({ owner: 'second' }), { event });

      const current = { ...READ, record: first, etag };
      expect(second).toEqual({ kind: 'conflict', current });
      expect(await account.ledger.read(addressFor({}))).toEqual(current);
    });

    it('given two inserts at the same time, then one is written, and the other is a conflict', async () => {
      const owners = ['one', 'other'];

      const answers = await Promise.all(
        owners.map((owner) => account.write(addressFor({}), recordOf({ owner }), { event })),
      );

      expect(answers).toMatchObject([
        { kind: 'written' },
        { kind: 'conflict', current: { record: { owner: 'one' }, etag: (answers[0] as { etag: string }).etag } },
      ]);
    });

    it('given a write with its etag, then the new record is stored', async () => {
      const etag = await put(addressFor({}), recordOf(), { event });
      const next = recordOf({ write: 2, tries: 1, state: COMPLETED });

      const nextEtag = await put(addressFor({}), next, { etag });

      expect(nextEtag).not.toBe(etag);
      expect(await account.ledger.read(addressFor({}))).toMatchObject({ record: next, etag: nextEtag });
    });

    it.each([true, false])(
      'given a stale etag (held: %p), then the write conflicts with the current record',
      async (isByHolder) => {
        const stale = await put(addressFor({}), recordOf(), { event });
        const current = recordOf({ owner: 'other', write: 7 });
        const etag = await put(addressFor({}), current, { etag: stale });

        const late = await account.write(addressFor({}), recordOf({ write: 2, state: COMPLETED }), {
          etag: stale,
          isByHolder,
        });

        expect(late).toEqual({ kind: 'conflict', current: { ...READ, record: current, etag } });
        expect((await account.ledger.read(addressFor({})))?.record).toEqual(current);
      },
    );

    it('given the etag of a record that has expired, then the write conflicts with an absent record', async () => {
      const etag = await put(addressFor({ day: '20150101' }), recordOf(), { event });

      const late = await account.write(addressFor({ day: '20150102' }), recordOf({ write: 2 }), { etag });

      expect(late).toEqual({ kind: 'conflict', current: undefined });
    });

    it('given other events and workflows, then each has a record of its own', async () => {
      const addresses = [
        addressFor({}),
        addressFor({ workflow: 'other' }),
        addressFor({ content: 'other' }),
        addressFor({ id: 'other' }),
        addressFor({ day: '20260315' }),
      ];
      await Promise.all(addresses.map((address, tries) => put(address, recordOf({ tries }), { event })));

      const records = await Promise.all(addresses.map((address) => account.ledger.read(address)));

      expect(records.map((read) => read?.record.tries)).toEqual([0, 1, 2, 3, 4]);
    });
  });

  it('given several processes that claim the same jobs at the same time, then each job is claimed once', async () => {
    const addresses = Array.from({ length: 120 }, (_, n) => addressFor({ id: `event-${n}` }));
    const processes = ['one', 'two', 'three'].map((owner) => ({ owner, ...openLedger(account.tables) }));

    const answers = await Promise.all(
      processes.map(({ owner, write }) =>
        Promise.all(addresses.map((address) => write(address, recordOf({ owner }), { event }))),
      ),
    );

    for (const [index, address] of addresses.entries()) {
      const winners = processes.filter((_, which) => answers[which]?.[index]?.kind === 'written');
      expect(winners).toHaveLength(1);
      const owner = winners[0]?.owner;
      expect((await account.ledger.read(address))?.record.owner).toBe(owner);
      expect(answers.map((ofProcess) => ofProcess[index]).filter((answer) => answer?.kind !== 'written')).toMatchObject(
        [1, 2].map(() => ({ kind: 'conflict', current: { record: { owner } } })),
      );
    }
  });

  it.each([
    { call: 'read', ask: () => account.ledger.read(addressFor({})) },
    { call: 'find', ask: () => account.ledger.find(digest('event-1')) },
    { call: 'expire', ask: () => account.ledger.expire(new Date('2099-01-01T00:00:00Z'), 7) },
  ])('given storage fails ($call), then the error is thrown, and does not count as no record', async ({ ask }) => {
    await put(addressFor({}), recordOf({ state: COMPLETED }), { event });
    account.goDown();

    await expect(ask()).rejects.toMatchObject({ name: 'StorageError', code: 'fault' });

    expect(await account.tables.list('')).toEqual(['ledger20260314']);
  });

  describe('a write whose answer was lost', () => {
    it.each(['insert', 'claim', 'change'])('given it took effect (%s), then its writer recognises it', async (how) => {
      await put(addressFor({ id: 'makes the table' }), recordOf(), { event });
      const etag = how === 'insert' ? undefined : await put(addressFor({}), recordOf(), { event });
      const before = account.commits;
      const mine = recordOf({ owner: 'me', write: 2 });
      account.onCommit('fail-after');

      const lost = await put(addressFor({}), mine, { isByHolder: how === 'change', ...(etag ? { etag } : { event }) });
      const next = await account.write(addressFor({}), { ...mine, write: 3 }, { etag: lost });

      expect(next.kind).toBe('written');
      expect(account.commits - before).toBe(2);
    });

    it('given it took no effect, then the write is sent again', async () => {
      await put(addressFor({ id: 'makes the table' }), recordOf(), { event });
      const before = account.commits;
      account.onCommit('fail-before');

      const etag = await put(addressFor({}), recordOf(), { event });

      expect(await account.ledger.read(addressFor({}))).toMatchObject({ record: recordOf(), etag });
      expect(account.commits - before).toBe(2);
    });

    it.each([
      { given: 'another owner with the same number', other: recordOf({ owner: 'other', write: 2 }) },
      { given: 'the same owner with another number', other: recordOf({ owner: 'me', write: 3 }) },
    ])('given $given was first, then the write is a conflict', async ({ other }) => {
      const etag = await put(addressFor({}), recordOf(), { event });
      account.onCommit('fail-before', () => account.writeElsewhere(addressFor({}), other, etag));

      const lost = await account.write(addressFor({}), recordOf({ owner: 'me', write: 2 }), { etag });

      expect(lost).toMatchObject({ kind: 'conflict', current: { record: other } });
    });

    it('given storage does not answer in time, then the error is thrown', async () => {
      const late = account.write(addressFor({}), recordOf(), { event, untilMs: systemClock.monotonic() - 1 });

      await expect(late).rejects.toMatchObject({ name: 'StorageError' });
      expect(await account.tables.list('')).toEqual([]);
    });
  });

  describe('the state of a record', () => {
    it.each(STATES)('given an insert of %j, then the state reads as written', async (state) => {
      await put(addressFor({}), recordOf({ state }), { event });

      expect((await account.ledger.read(addressFor({})))?.record.state).toEqual(state);
    });

    it('given any state over any other, then the last counts, whatever properties the others have left', async () => {
      const writes = STATES.flatMap((one) => STATES.flatMap((other) => [one, other]));
      let etag = await put(addressFor({}), recordOf(), { event });

      let stage: Failing | undefined;
      for (const isByHolder of [true, false]) {
        for (const [write, state] of writes.entries()) {
          const record = recordOf({ state, write });
          if (state.kind === 'running') stage = state.failing;
          const isDead = state.kind === 'settled' && state.result === 'dead' && stage !== undefined;
          etag = await put(addressFor({}), record, { etag, isByHolder });
          expect((await account.ledger.read(addressFor({})))?.record).toEqual(
            isDead ? { ...record, state: { ...state, stage } } : record,
          );
        }
      }
    });

    it('given steps, then a claim and a retry write them, and a renewal and the end leave them as they are', async () => {
      const waiting: JobState = { kind: 'waiting', due: 'a row' };
      const running: JobState = { kind: 'running', leaseMs: 60_000 };
      let etag = await put(addressFor({}), recordOf(), { event });
      for (const { write, state, steps, isByHolder, reads } of [
        { write: 2, state: waiting, steps: 'a c0', isByHolder: true, reads: 'a c0' },
        { write: 3, state: running, steps: 'a c0 c1', isByHolder: false, reads: 'a c0 c1' },
        { write: 4, state: running, steps: 'not sent', isByHolder: true, reads: 'a c0 c1' },
        { write: 5, state: COMPLETED, steps: 'not sent', isByHolder: true, reads: 'a c0 c1' },
      ]) {
        etag = await put(addressFor({}), recordOf({ state, write, steps }), { etag, isByHolder });
        expect((await account.ledger.read(addressFor({})))?.record).toEqual(recordOf({ state, write, steps: reads }));
      }
    });
  });

  describe('the properties that a write changes', () => {
    const before = recordOf({ crashes: 1, redrives: 1, tries: 1 });
    const after: JobRecord = {
      state: { kind: 'waiting', due: 'a row' },
      owner: 'other',
      write: 9,
      tries: 5,
      crashes: 6,
      crashesAlone: 2,
      redrives: 7,
      firstTryAt: '2026-04-01T00:00:00.000Z',
      errorCode: 'timeout',
      unknownSince: '2026-04-01T00:00:00.000Z',
    };

    it('given a corrected payload, then the record names it, until a redrive of another payload', async () => {
      const edited: JobRecord = { ...after, edit: 'd'.repeat(22) };
      const etag = await put(addressFor({}), edited, { event });
      expect((await account.ledger.read(addressFor({})))?.record).toEqual(edited);

      const held = await put(addressFor({}), { ...edited, write: 10 }, { etag, isByHolder: true });
      expect((await account.ledger.read(addressFor({})))?.record).toMatchObject({ write: 10, edit: edited.edit });

      await put(addressFor({}), { ...after, redrives: 8, write: 11 }, { etag: held });
      expect((await account.ledger.read(addressFor({})))?.record).toEqual({ ...after, redrives: 8, write: 11 });
    });

    it('given a suspect that runs alone, then the record says so until the holder, a claim or a redrive ends that', async () => {
      const running = { kind: 'running', leaseMs: 60_000 } as const;
      const alone = recordOf({ crashes: 6, state: { ...running, isAlone: true } });
      const read = async () => (await account.ledger.read(addressFor({})))?.record;
      const etag = await put(addressFor({}), recordOf(), { event });
      const claimed = await put(addressFor({}), alone, { etag });
      expect(await read()).toEqual(alone);

      const held = await put(
        addressFor({}),
        { ...alone, state: { ...running, isAlone: false } },
        { etag: claimed, isByHolder: true },
      );
      expect(await read()).toEqual({ ...alone, state: running });

      const again = await put(addressFor({}), alone, { etag: held });
      const claimedAnew = await put(addressFor({}), recordOf({ crashes: 7 }), { etag: again });
      expect(await read()).toEqual(recordOf({ crashes: 7 }));

      const twice = await put(addressFor({}), alone, { etag: claimedAnew });
      await put(addressFor({}), recordOf({ redrives: 1 }), { etag: twice });
      expect(await read()).toEqual(recordOf({ redrives: 1 }));
    });

    it.each([
      { by: 'a claim', isByHolder: false, kept: {} },
      {
        by: 'the holder',
        isByHolder: true,
        kept: { crashes: 1, crashesAlone: 0, redrives: 1, firstTryAt: before.firstTryAt },
      },
    ])('given a write of $by, then it changes all properties but $kept', async ({ isByHolder, kept }) => {
      const etag = await put(addressFor({}), before, { event });

      await put(addressFor({}), after, { etag, isByHolder });

      expect((await account.ledger.read(addressFor({})))?.record).toEqual({ ...after, ...kept });
    });

    it.each([true, false])('given counts of 0 (held: %p), then the record has 0', async (isByHolder) => {
      const full = { ...after, crashes: 0, crashesAlone: 0, redrives: 0, firstTryAt: before.firstTryAt };
      const etag = await put(addressFor({}), full, { event });
      const empty = { ...full, write: 10, tries: 0, errorCode: '', unknownSince: '' };

      await put(addressFor({}), empty, { etag, isByHolder });

      expect((await account.ledger.read(addressFor({})))?.record).toEqual(empty);
    });

    it.each([true, false])('given a property of a later version (held: %p), then it stays', async (isByHolder) => {
      const etag = await account.putRow(addressFor({}), { state: 'running', leaseMs: 1, later: 'kept' });

      await put(addressFor({}), recordOf({ state: COMPLETED }), { etag, isByHolder });

      expect(await account.rowAt(addressFor({}))).toMatchObject({ later: 'kept', state: 'settled' });
    });

    it.each([true, false])('given the event again (held: %p), then its fields stay', async (isByHolder) => {
      const etag = await put(addressFor({}), recordOf(), { event });

      await put(addressFor({}), recordOf({ write: 2 }), { etag, isByHolder, event: fhirEvent({ id: 'another' }) });

      expect(await account.rowAt(addressFor({}))).toMatchObject({ id: 'event-1', type: event.type });
    });
  });

  describe('a row as it is stored', () => {
    it('given a first claim, then it has no empty property', async () => {
      await put(addressFor({}), recordOf(), { event });

      const names = ['failing', 'firstTryAt', 'id', 'leaseMs', 'owner', 'source', 'state', 'time', 'type', 'write'];
      expect(Object.keys((await account.rowAt(addressFor({}))) ?? {}).sort()).toEqual(names);
    });

    it.each<Partial<JobRecord>>([
      { tries: 1 },
      { crashes: 1 },
      { redrives: 1 },
      { unknownSince: '2026-03-14T12:00:00.000Z' },
      { tries: 1, errorCode: 'timeout' },
      { redrives: 2, crashes: 1 },
    ])('given a first claim with %j, then the row has it', async (fields) => {
      await put(addressFor({}), recordOf(fields), { event });

      expect((await account.ledger.read(addressFor({})))?.record).toEqual(recordOf(fields));
    });

    it('given no property at all, then each reads as empty, and the state as unknown', async () => {
      await account.putRow(addressFor({}), {});

      expect((await account.ledger.read(addressFor({})))?.record).toEqual({
        state: { kind: 'unknown', name: 'undefined' },
        owner: '',
        write: 0,
        tries: 0,
        crashes: 0,
        crashesAlone: 0,
        redrives: 0,
        firstTryAt: '',
        errorCode: '',
        unknownSince: '',
      });
    });

    it.each<{ given: string; row: Row; state: JobState }>([
      { given: 'no `failing`', row: { state: 'running', leaseMs: 7 }, state: { kind: 'running', leaseMs: 7 } },
      { given: 'an empty `failing`', row: { state: 'running', leaseMs: 7, failing: '' }, state: STATES[0] as JobState },
      {
        given: 'a stage of a later version',
        row: { state: 'running', leaseMs: 7, failing: 'later' },
        state: unknown('running'),
      },
      { given: 'no lease', row: { state: 'running' }, state: unknown('running') },
      { given: 'no lease though failing', row: { state: 'running', failing: 'crash' }, state: unknown('running') },
      { given: 'a lease that is no number', row: { state: 'running', leaseMs: '7' }, state: unknown('running') },
      { given: 'no row to wait for', row: { state: 'waiting' }, state: unknown('waiting') },
      { given: 'a row to wait for that is no text', row: { state: 'waiting', due: 7 }, state: unknown('waiting') },
      { given: 'no result', row: { state: 'settled' }, state: unknown('settled') },
      { given: 'a result of a later version', row: { state: 'settled', result: 'skipped' }, state: unknown('settled') },
      { given: 'a state of a later version', row: { state: 'paused', leaseMs: 7, due: 'x' }, state: unknown('paused') },
    ])('given $given, then the state is $state', async ({ row, state }) => {
      await account.putRow(addressFor({}), row);

      const read = await account.ledger.read(addressFor({}));

      expect(read?.record.state).toEqual(state.kind === 'running' ? { ...state, leaseMs: 7 } : state);
    });

    it('given a result of a later version, then a write that keeps the state keeps the result', async () => {
      const etag = await account.putRow(addressFor({}), { state: 'settled', result: 'skipped' });

      await put(addressFor({}), recordOf({ state: unknown('settled') }), { etag });

      expect(await account.rowAt(addressFor({}))).toMatchObject({ state: 'settled', result: 'skipped' });
    });
  });

  describe('when the records of an event id are asked for', () => {
    it('given records in several tables, then all that have this id are found, and no others', async () => {
      const found = [
        addressFor({ workflow: 'one' }),
        addressFor({ workflow: 'two' }),
        addressFor({ content: 'other data' }),
        addressFor({ day: '20260401' }),
        addressFor({ day: 'undated' }),
      ];
      const others = [addressFor({ id: 'event-2' }), addressFor({ id: 'event-2', day: 'undated' })];
      await Promise.all([...found, ...others].map((address) => put(address, recordOf(), { event })));

      const records = await account.ledger.find(digest('event-1'));

      expect(records.map(({ identity, workflow }) => `${identity}.${workflow}`).sort()).toEqual(
        found.map(withoutDay).sort(),
      );
    });

    it('given ids whose digests differ in the last character, and a foreign table, then only the records of the id', async () => {
      const id = 'A'.repeat(22);
      const neighbours = ['-', '0', 'A', 'B', '_', 'z'].map((end) => id.slice(0, 21) + end);
      const addresses = neighbours.map((each) => `20260314.${each}.${digest('content')}.tally`);
      await Promise.all(addresses.map((address, tries) => put(address, recordOf({ tries }), { event })));
      await account.putRowAt('ledger20260314', ledgerPlaceOf(addresses[2] as Address).partition, `${id}0.x.tally`, {});

      const found = await Promise.all(neighbours.map((each) => account.ledger.find(each)));

      expect(found.map((records) => records.map(({ record }) => record.tries))).toEqual([[0], [1], [2], [3], [4], [5]]);
      expect(await account.ledger.find(id.slice(0, 21))).toEqual([]);
    });

    it('given a record, then its fields and its event are found', async () => {
      const record = recordOf({ tries: 2, state: { kind: 'settled', result: 'dead' }, errorCode: 'timeout' });
      await put(addressFor({ workflow: 'a-workflow' }), record, { event });

      expect(await account.ledger.find(digest('event-1'))).toEqual([
        {
          identity: `${digest('event-1')}.${digest('content')}`,
          address: addressFor({ workflow: 'a-workflow' }),
          workflow: 'a-workflow',
          record,
          writtenAt: expect.any(Date),
          event: { id: 'event-1', type: event.type, source: event.source, time: '2026-03-14T12:00:00.000Z' },
        },
      ]);
    });

    it('given an event without a time, or a row without an event, then these fields are empty', async () => {
      await put(addressFor({ day: 'undated' }), recordOf(), { event: { ...event, time: undefined } });
      await account.putRow(addressFor({ day: '20260314' }), {});

      const events = (await account.ledger.find(digest('event-1'))).map((found) => found.event);

      expect(events).toHaveLength(2);
      expect(events).toContainEqual({ id: 'event-1', type: event.type, source: event.source, time: '' });
      expect(events).toContainEqual({ id: digest('event-1'), type: '', source: '', time: '' });
    });

    it('given more tables than are searched at once, and more records than a page holds, then each record is found once', async () => {
      const days = Array.from({ length: 18 }, (_, day) => addressFor({ day: `202604${10 + day}` }));
      const many = Array.from({ length: 1_050 }, (_, n) => addressFor({ workflow: `workflow-${n}` }));
      await Promise.all([...days, ...many].map((address) => put(address, recordOf(), { event })));

      const found = await account.ledger.find(digest('event-1'));

      const jobs = found.map(({ identity, workflow }) => `${identity}.${workflow}`);
      expect(jobs.sort()).toEqual([...days, ...many].map(withoutDay).sort());
    });

    it('given no table, then no record is found', async () => {
      expect(await account.ledger.find(digest('event-1'))).toEqual([]);
    });
  });

  describe('when settled jobs expire', () => {
    /** Puts a record in the table of `day`, and says when storage wrote it. */
    async function putIn(day: string, fields: Partial<JobRecord> = { state: COMPLETED }, id = 'event-1') {
      await put(addressFor({ day, id }), recordOf(fields), { event });
      return account.modifiedAt(addressFor({ day, id }));
    }
    const later = (date: Date, ms: number) => new Date(date.getTime() + ms);

    it('given a day that is over, and only settled records older than the retention, then its table is dropped', async () => {
      await putIn('20150101');
      const writtenAt = await putIn('20150101', { state: { kind: 'settled', result: 'dead' } }, 'event-2');

      expect(await account.ledger.expire(later(writtenAt, 7 * DAY_MS + HOUR_MS), 7)).toEqual({
        tables: ['ledger20150101'],
        rows: 0,
      });

      expect(await account.tables.list('')).toEqual([]);
      expect(await account.ledger.read(addressFor({ day: '20150101' }))).toBeUndefined();
    });

    it('given a record that was written within the retention, then its table stays', async () => {
      const writtenAt = await putIn('20150101');

      expect(await account.ledger.expire(later(writtenAt, 7 * DAY_MS - HOUR_MS), 7)).toEqual({ tables: [], rows: 0 });
      expect(await account.ledger.expire(later(writtenAt, 8 * DAY_MS), 10)).toEqual({ tables: [], rows: 0 });

      expect(await account.tables.list('')).toEqual(['ledger20150101']);
    });

    it.each(STATES.filter(({ kind }) => kind !== 'settled'))(
      'given one record among many that is %j, then its table stays',
      async (state) => {
        for (const id of ['a', 'b', 'c', 'd']) await putIn('20150101', { state: COMPLETED }, id);
        const writtenAt = await putIn('20150101', { state }, 'open');
        for (const id of ['e', 'f', 'g', 'h']) await putIn('20150101', { state: COMPLETED }, id);

        expect(await account.ledger.expire(later(writtenAt, 400 * DAY_MS), 7)).toEqual({ tables: [], rows: 0 });

        expect(await account.tables.list('')).toEqual(['ledger20150101']);
      },
    );

    it.each([
      { day: '20900101', days: 7, last: '2090-01-10T23:59:59.999Z', first: '2090-01-11T00:00:00.000Z' },
      { day: '20900101', days: 30, last: '2090-02-02T23:59:59.999Z', first: '2090-02-03T00:00:00.000Z' },
      { day: '20900228', days: 7, last: '2090-03-09T23:59:59.999Z', first: '2090-03-10T00:00:00.000Z' },
      { day: '20901231', days: 7, last: '2091-01-09T23:59:59.999Z', first: '2091-01-10T00:00:00.000Z' },
      { day: '20920228', days: 7, last: '2092-03-08T23:59:59.999Z', first: '2092-03-09T00:00:00.000Z' },
    ])(
      'given $day and $days days of retention, then the table is dropped at $first',
      async ({ day, days, last, first }) => {
        await putIn(day);

        expect((await account.ledger.expire(new Date(last), days)).tables).toEqual([]);
        expect((await account.ledger.expire(new Date(first), days)).tables).toEqual([`ledger${day}`]);
      },
    );

    it('given several tables, then the expired ones are dropped in order, with an empty one', async () => {
      await account.tables.create('ledger20150103');
      await putIn('20150104', { state: { kind: 'waiting', due: 'a row' } });
      await putIn('20150102');
      await putIn('20990101');
      const writtenAt = await putIn('20150101');

      const { tables } = await account.ledger.expire(later(writtenAt, 8 * DAY_MS), 7);

      expect(tables).toEqual(['ledger20150101', 'ledger20150102', 'ledger20150103']);
      expect(await account.tables.list('')).toEqual(['ledger20150104', 'ledger20990101']);
    });

    it('given tables with other names, then they stay', async () => {
      const names = ['ledger', 'ledger2015', 'ledger201501011', 'ledger20150101x', 'ledgerbackup', 'ledgers20150101'];
      for (const name of [...names, 'myledger20150101', 'waiting']) await account.tables.create(name);

      expect(await account.ledger.expire(new Date('2099-01-01T00:00:00Z'), 7)).toEqual({ tables: [], rows: 0 });

      expect(await account.tables.list('')).toEqual([...names, 'myledger20150101', 'waiting'].sort());
    });

    it('given records without a day, then each settled one is deleted after the retention, and the table stays', async () => {
      await putIn('undated', { state: { kind: 'waiting', due: 'a row' } }, 'waits');
      await putIn('undated', { state: unknown('paused') }, 'later version');
      await putIn('undated', { state: { kind: 'running', leaseMs: 1 } }, 'runs');
      await putIn('undated', { state: COMPLETED }, 'completed');
      await putIn('undated', { state: { kind: 'settled', result: 'superseded' } }, 'superseded');
      const writtenAt = await putIn('undated', { state: { kind: 'settled', result: 'dead' } }, 'dead');

      const early = await account.ledger.expire(later(writtenAt, 7 * DAY_MS - HOUR_MS), 7);
      const late = await account.ledger.expire(later(writtenAt, 7 * DAY_MS + HOUR_MS), 7);

      expect([early, late]).toEqual([
        { tables: [], rows: 0 },
        { tables: [], rows: 3 },
      ]);
      expect(await account.tables.list('')).toEqual(['ledgerundated']);
      const left = ['waits', 'later version', 'runs', 'completed', 'superseded', 'dead'].map((id) =>
        account.ledger.read(addressFor({ day: 'undated', id })),
      );
      expect((await Promise.all(left)).map((read) => !!read)).toEqual([true, true, true, false, false, false]);
    });

    it('given a redrive that reopens a record without a day at that moment, then the record stays', async () => {
      const address = addressFor({ day: 'undated' });
      const dead = recordOf({ state: { kind: 'settled', result: 'dead' } });
      const etag = await put(address, dead, { event });
      await putIn('undated', { state: COMPLETED }, 'another');
      const reopened = recordOf({ owner: 'redrive', redrives: 1 });
      account.afterQuery(() => account.writeElsewhere(address, reopened, etag));

      const { rows } = await account.ledger.expire(new Date('2099-01-01T00:00:00Z'), 7);

      expect(rows).toBe(1);
      expect((await account.ledger.read(address))?.record).toEqual(reopened);
    });
  });
}

/** A ledger over `tables`, and what a test does behind its back. */
export function openLedger(tables: TableStore) {
  const faults: { fault: 'fail-before' | 'fail-after'; meanwhile: (() => Promise<unknown>) | undefined }[] = [];
  let commits = 0;
  let onQuery: (() => Promise<unknown>) | undefined;
  let isDown = false;
  const plan: Plan = ({ method }) => {
    if (isDown) return 'fail-before';
    if (method !== 'commit') return 'ok';
    commits += 1;
    return faults[0]?.fault ?? 'ok';
  };
  const faulty = faultyTables(tables, plan);
  const watched: TableStore = {
    ...faulty,
    async commit(...all) {
      try {
        return await faulty.commit(...all);
      } catch (error) {
        await faults.shift()?.meanwhile?.();
        throw error;
      }
    },
    async query(...all) {
      const page = await faulty.query(...all);
      const run = page.rows.length > 0 ? onQuery : undefined;
      if (run) onQuery = undefined;
      await run?.();
      return page;
    },
  };
  const ledger = createLedger({ tables: watched, commit: commitOver(watched) });
  const elsewhere = createLedger({ tables, commit: commitOver(tables) });

  async function putRowAt(table: string, partition: string, key: string, row: Row): Promise<string> {
    await tables.create(table);
    const commit = await tables.commit(table, partition, [{ kind: 'insert', key, row }]);
    return commit.kind === 'done' ? (commit.etags[0] ?? '') : '';
  }

  return {
    tables,
    ledger,
    putRowAt,
    write: (address: Address, record: JobRecord, how: Partial<LedgerCondition>) =>
      ledger.write(address, record, { untilMs: inTime(), ...how }),
    /** Writes in place of another process, without the faults of this one. */
    writeElsewhere: (address: Address, record: JobRecord, etag: string) =>
      elsewhere.write(address, record, { etag, untilMs: inTime() }),

    putRow(address: Address, row: Row): Promise<string> {
      const { table, partition, key } = ledgerPlaceOf(address);
      return putRowAt(table, partition, key, row);
    },
    async rowAt(address: Address): Promise<Row | undefined> {
      const { table, partition, key } = ledgerPlaceOf(address);
      return (await tables.read(table, partition, key)).stored?.row;
    },
    async modifiedAt(address: Address): Promise<Date> {
      const { table, partition, key } = ledgerPlaceOf(address);
      const { stored } = await tables.read(table, partition, key);
      if (!stored) throw new Error('expected a row');
      return stored.modifiedAt;
    },
    /** Makes the next commit end with this fault, after `meanwhile` has run. */
    onCommit(fault: 'fail-before' | 'fail-after', meanwhile?: () => Promise<unknown>): void {
      faults.push({ fault, meanwhile });
    },
    /** Makes every further call fail. */
    goDown(): void {
      isDown = true;
    },
    /** Calls `run` once: after the next query that finds rows, before its caller gets them. */
    afterQuery(run: () => Promise<unknown>): void {
      onQuery = run;
    },
    /** The number of transactions that were sent. */
    get commits() {
      return commits;
    },
  };
}

/** Returns the same tables under other names, so that each test has its own account within a shared one. */
export function ownTables(tables: TableStore): TableStore {
  const own = `t${crypto.randomUUID().replaceAll('-', '').slice(0, 15)}`;
  return {
    commit: (table, ...rest) => tables.commit(own + table, ...rest),
    read: (table, ...rest) => tables.read(own + table, ...rest),
    query: (table, ...rest) => tables.query(own + table, ...rest),
    create: (table, ...rest) => tables.create(own + table, ...rest),
    drop: (table, ...rest) => tables.drop(own + table, ...rest),
    list: async (prefix, ...rest) => (await tables.list(own + prefix, ...rest)).map((name) => name.slice(own.length)),
  };
}

/** Returns the same tables with short pages, and an empty page before each, as storage may answer at any time. */
export function withShortPages(tables: TableStore): TableStore {
  return {
    ...tables,
    async query(table, query, signal) {
      const { page = '' } = query;
      if (!page.startsWith('>')) return { ...(await tables.query(table, { limit: 1 })), rows: [], next: `>${page}` };
      const { page: _, ...rest } = query;
      const short = { ...rest, limit: Math.min(query.limit, 3), ...(page !== '>' && { page: page.slice(1) }) };
      return tables.query(table, short, signal);
    },
  };
}

/** A group commit that does not wait before it sends again. */
export function commitOver(tables: TableStore) {
  return createGroupCommit({ tables, clock: impatientClock, random: testRandom });
}

export const impatientClock: Clock = { ...systemClock, after: (_ms, run) => systemClock.after(0, run) };

export const testRandom: Random = {
  number: () => 0.5,
  token: () => crypto.randomUUID().replaceAll('-', '').slice(0, 16),
};

/** Returns a time after the end of any test. */
export function inTime(): number {
  return systemClock.monotonic() + 10 * 60_000;
}

export function recordOf(fields: Partial<JobRecord> = {}): JobRecord {
  return {
    state: { kind: 'running', leaseMs: 60_000 },
    owner: 'owner',
    write: 1,
    tries: 0,
    crashes: 0,
    crashesAlone: 0,
    redrives: 0,
    firstTryAt: '2026-03-14T12:00:00.000Z',
    errorCode: '',
    unknownSince: '',
    ...fields,
  };
}

export function addressFor(fields: { day?: string; id?: string; content?: string; workflow?: string }): Address {
  const { day = '20260314', id = 'event-1', content = 'content', workflow = 'tally' } = fields;
  return addressById({ day, id: digest(id), contentDigest: digest(content) }, workflow);
}

/** The address without its day: `<id>.<change>.<workflow>`. */
function withoutDay(address: Address): string {
  return ledgerPlaceOf(address).key;
}

function unknown(name: string): JobState {
  return { kind: 'unknown', name };
}
