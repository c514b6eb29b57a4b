import fc from 'fast-check';
import { systemClock } from '../../src/clock.js';
import { digest } from '../../src/digest.js';
import { type Address, ledgerPlaceOf, SHARD_NAMES, shardOfDigest } from '../../src/storage/address.js';
import type { TableStore } from '../../src/storage/table-store.js';
import {
  createWaiting,
  DUE_SHARD_NAMES,
  dueAtOf,
  type JobItem,
  LONG_SHARD_NAMES,
  type MultiJobRow,
  type NewRow,
  type WaitingRow,
} from '../../src/storage/waiting.js';
import { type Fault, faultyTables } from './faults.js';
import { addressFor, commitOver, impatientClock, inTime, testRandom } from './ledger.contract.js';

const DUE_AT = new Date('2026-03-14T12:00:00.000Z');
/** No test has so many rows. */
const MAX_PAGES = 1_000;
const EVENT = '{"id":"event-1","data":{"resourceFhirId":"Zoë 漢字 🫀"}}';

/**
 * The contract of `waiting`. `makeTables` returns an account without tables; every test has its own. If pages may be
 * short of rows, a shard without a due row may be reported to have one: a wake-up for nothing changes nothing.
 */
export function waitingContract(makeTables: () => TableStore, { hasShortPages = false } = {}): void {
  let account: ReturnType<typeof openWaiting>;

  beforeEach(() => {
    account = openWaiting(makeTables());
  });

  const add = (fields: Partial<NewRow> = {}) => account.waiting.add(rowOf(fields), inTime());

  /** The names of all rows of a shard that are due, or of those after `from`, page by page. */
  async function pages(shard: string, now: Date, from?: string): Promise<string[][]> {
    const all: string[][] = [];
    let after = from;
    do {
      const { rows, next } = await account.waiting.due(shard, now, after);
      all.push(rows.map(({ name }) => name));
      after = next;
      if (all.length > MAX_PAGES) throw new Error('The pages do not end.');
    } while (after !== undefined);
    return all;
  }

  async function dueIn(shard: string, now = inMs(1)): Promise<string[]> {
    return (await pages(shard, now)).flat();
  }

  describe('when a row is looked for', () => {
    it.each([{}, { isLong: true }, { of: { kind: 'delivery', eventIdDigest: digest('event-1') } } as const])(
      'given %j, then the row exists until it is deleted',
      async (fields) => {
        const row = rowOf(fields);
        const name = await add(fields);
        const other = await add(fields);

        expect(await account.waiting.isThere(row, name)).toBe(true);
        const { rows } = await account.waiting.due(shardOfRow(row), inMs(1));
        for (const found of rows) if (found.name === name) await account.waiting.delete(found);

        expect(await account.waiting.isThere(row, name)).toBe(false);
        expect(await account.waiting.isThere(row, other)).toBe(true);
      },
    );
  });

  describe('a row', () => {
    it.each<{ given: string; fields: Partial<NewRow> }>([
      { given: 'a job', fields: {} },
      { given: 'a long job', fields: { isLong: true } },
      { given: 'a redrive', fields: { item: { ...jobOf(addressFor({})), redrive: 3 } } },
      { given: 'a job without a day', fields: { item: jobOf(addressFor({ day: 'undated' })) } },
      {
        given: 'a redrive of a corrected payload',
        fields: {
          item: {
            ...jobOf(addressFor({})),
            redrive: 1,
            edit: digest('edit'),
            deadLetter: 'failed/undated/d.0.json',
          },
        },
      },
      {
        given: 'a delivery of a dead letter',
        fields: {
          item: { kind: 'delivery', eventIdDigest: digest('event-1'), deadLetter: 'invalid/undated/d.0.json' },
        },
      },
      { given: 'a delivery', fields: { item: { kind: 'delivery', eventIdDigest: digest('event-1') } } },
      {
        given: 'a long delivery',
        fields: { isLong: true, item: { kind: 'delivery', eventIdDigest: digest('event-1') } },
      },
      { given: 'an event of 32 KiB', fields: { event: 'x'.repeat(32 * 1024) } },
    ])('given $given, then the row reads as it was added', async ({ fields }) => {
      const row = rowOf(fields);

      const name = await account.waiting.add(row, inTime());

      const shard = shardOfRow(row);
      expect(await account.waiting.due(shard, inMs(1))).toEqual({ rows: [{ ...row, shard, name }], next: undefined });
      expect(await account.waiting.find(digest('event-1'))).toEqual([{ ...row, shard, name }]);
    });

    it('given any due time and any workflow, then both are read from the name of the row', async () => {
      const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/);
      const dueAt = fc.date({ min: new Date('2000-01-01Z'), max: new Date('2100-01-01Z'), noInvalidDate: true });

      await fc.assert(
        fc.asyncProperty(name, dueAt, fc.boolean(), async (workflow, at, isLong) => {
          const row = rowOf({ dueAt: at, isLong, item: jobOf(addressFor({ workflow })) });
          const added = await account.waiting.add(row, inTime());
          const { rows } = await account.waiting.due(shardOfRow(row), new Date(at.getTime() + 1));
          expect(dueAtOf(added)).toEqual(at);
          expect(rows).toEqual([{ ...row, shard: shardOfRow(row), name: added }]);
          await account.waiting.delete(rows[0] as WaitingRow);
        }),
        { numRuns: 30 },
      );
    });

    it('given the same row twice, then there are two rows, each with its own name', async () => {
      const names = await Promise.all([add(), add(), add()]);

      expect(new Set(names).size).toBe(3);
      expect(await dueIn(shardOfRow(rowOf()))).toEqual([...names].sort());
    });

    it('given events of many ids, then each row is in the shard of its record, long ones in a long shard', async () => {
      const ids = Array.from({ length: 40 }, (_, n) => `event-${n}`);
      const addresses = ids.map((id) => addressFor({ id }));
      for (const isLong of [false, true]) {
        await Promise.all(ids.map((id) => add({ isLong, item: jobOf(addressFor({ id }), id) })));
      }

      const rows = await account.rows();

      expect(rows).toHaveLength(80);
      for (const { partition, key } of rows) {
        const address = addresses.find((one) => key.includes(one)) ?? '';
        expect([ledgerPlaceOf(address).partition, `long-${ledgerPlaceOf(address).partition}`]).toContain(partition);
      }
      expect([...new Set(rows.map(({ partition }) => partition))].sort()).toEqual(
        [...SHARD_NAMES, ...LONG_SHARD_NAMES].sort(),
      );
    });

    it('given a lost answer, then the row exists once, under the name that was returned', async () => {
      await add({ item: jobOf(addressFor({ workflow: 'makes-the-table' })) });
      account.onCommit('fail-after');

      const name = await add();

      const names = await dueIn(shardOfRow(rowOf()));
      expect(names).toHaveLength(2);
      expect(names).toContain(name);
    });

    it('given storage failed before, then it is sent again', async () => {
      account.onCommit('fail-before');

      const name = await add();

      expect(await dueIn(shardOfRow(rowOf()))).toEqual([name]);
    });

    it('given its time is over, then adding throws, and there is no row', async () => {
      const late = account.waiting.add(rowOf(), systemClock.monotonic() - 1);

      await expect(late).rejects.toMatchObject({ name: 'StorageError' });
      expect(await dueIn(shardOfRow(rowOf()))).toEqual([]);
    });
  });

  describe('when rows that are due are asked for', () => {
    it('given no table, then no row is due', async () => {
      expect(await account.waiting.due('0', DUE_AT)).toEqual({ rows: [], next: undefined });
      expect(await account.waiting.firstDueAt('0')).toBeUndefined();
    });

    it('given due times in any order, then due rows come in order, without later ones', async () => {
      const added: string[] = [];
      for (const ms of [5000, -1, 3_600_000, -86_400_000, 1000, 0, 1001, 1]) added.push(await add({ dueAt: inMs(ms) }));
      const [at5000, before, hour, dayBefore, at1000, at0, at1001, at1] = added;
      const shard = shardOfRow(rowOf());

      expect(await dueIn(shard, inMs(1001))).toEqual([dayBefore, before, at0, at1, at1000]);
      expect(await dueIn(shard, inMs(86_400_000))).toEqual([
        ...[dayBefore, before, at0, at1, at1000],
        ...[at1001, at5000, hour],
      ]);
    });

    it.each([
      { isLong: false, of: jobOf(addressFor({})) } as const,
      { isLong: true, of: jobOf(addressFor({})) } as const,
      { isLong: false, of: { kind: 'delivery', eventIdDigest: digest('event-1') } } as const,
    ])('given one row ($isLong, $of.kind), then only its shard has a first due time', async (fields) => {
      await add(fields);
      const shards = [...DUE_SHARD_NAMES, ...LONG_SHARD_NAMES];

      const firsts = await Promise.all(shards.map((shard) => account.waiting.firstDueAt(shard)));

      const own = shardOfRow(rowOf(fields));
      expect(firsts).toEqual(shards.map((shard) => (shard === own ? rowOf(fields).dueAt : undefined)));
      expect(await dueIn(shardOfRow(rowOf({ ...fields, isLong: !fields.isLong })))).toEqual([]);
    });

    it('given the name of a row, then the next page begins after it', async () => {
      const names = [];
      for (const ms of [-3, -2, -1]) names.push(await add({ dueAt: inMs(ms) }));
      const shard = shardOfRow(rowOf());

      const rest = await account.waiting.due(shard, DUE_AT, names[0]);
      const none = await account.waiting.due(shard, DUE_AT, names[2]);

      expect(rest.rows.map(({ name }) => name)).toEqual(names.slice(1));
      expect(none).toEqual({ rows: [], next: undefined });
    });

    it('given 2,300 rows, then they come in pages, each row once, in order', async () => {
      const added = await Promise.all(
        Array.from({ length: 2_300 }, (_, n) => add({ dueAt: inMs(-((n * 7) % 2_300)) })),
      );
      const shard = shardOfRow(rowOf());
      await add({ dueAt: inMs(10_000) });

      const all = await pages(shard, inMs(1));

      expect(all.flat()).toEqual([...added].sort());
      expect(Math.max(...all.map((names) => names.length))).toBeLessThanOrEqual(1_000);
      if (!hasShortPages) expect(await account.waiting.find(digest('event-1'))).toHaveLength(2_301);
      expect(await account.waiting.count(10_000)).toMatchObject({ rows: 2_301, isMore: false });
    });

    it('given rows that are added and deleted between two pages, then each row that stays comes once, and so do later new rows', async () => {
      await Promise.all(Array.from({ length: 1_100 }, (_, n) => add({ dueAt: inMs(-n) })));
      const shard = shardOfRow(rowOf());
      const first = await account.waiting.due(shard, inMs(1));
      const done = first.rows.map(({ name }) => name);
      const rest = (await dueIn(shard)).filter((name) => !done.includes(name));

      for (const row of first.rows.slice(-5)) await account.waiting.delete(row);
      const earlier = await add({ dueAt: inMs(-100_000) });
      const later = await add({ dueAt: DUE_AT });
      const left = (await pages(shard, inMs(1), first.next)).flat();

      expect(left).toEqual([...rest, later].sort());
      expect((await dueIn(shard))[0]).toBe(earlier);
    });
  });

  describe('a row that is deleted', () => {
    it('given other rows of the same event, then only this row is deleted', async () => {
      const names = [await add(), await add({ isLong: true }), await add()];
      const [first] = await account.waiting.find(digest('event-1'));

      await account.waiting.delete(first as WaitingRow);

      const left = (await account.waiting.find(digest('event-1'))).map(({ name }) => name);
      expect(left.sort()).toEqual(names.filter((name) => name !== first?.name).sort());
    });

    it('given two deletes, also at once, then there is no error', async () => {
      const shard = shardOfRow(rowOf());
      const [one, other] = [await add(), await add()];

      await account.waiting.delete({ ...rowOf(), shard, name: one });
      await account.waiting.delete({ ...rowOf(), shard, name: one });
      await Promise.all([1, 2, 3].map(() => account.waiting.delete({ ...rowOf(), shard, name: other })));

      expect(await dueIn(shard)).toEqual([]);
    });

    it('given no table, then there is no error', async () => {
      await account.waiting.delete({ ...rowOf(), shard: '0', name: '2026-03-14T12:00:00.000Z.x.y' });

      expect(await account.rows()).toEqual([]);
    });

    it.each(['fail-before', 'fail-after'] as const)(
      'given its answer was lost (%s), then the row is absent',
      async (fault) => {
        const name = await add();
        account.onCommit(fault);

        await account.waiting.delete({ ...rowOf(), shard: shardOfRow(rowOf()), name });

        expect(await dueIn(shardOfRow(rowOf()))).toEqual([]);
      },
    );
  });

  it('given any rows that are added and deleted, then those that are left and due are returned, in order', async () => {
    const step = fc.record({ ms: fc.integer({ min: -20, max: 20 }), isLong: fc.boolean(), deletes: fc.boolean() });
    const now = inMs(1);

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        account = openWaiting(makeTables());
        const there: WaitingRow[] = [];
        for (const { ms, isLong, deletes } of steps) {
          if (deletes && there.length > 0) await account.waiting.delete(there.shift() as WaitingRow);
          else {
            const row = rowOf({ dueAt: inMs(ms), isLong });
            there.push({ ...row, shard: shardOfRow(row), name: await account.waiting.add(row, inTime()) });
          }
        }
        for (const isLong of [false, true]) {
          const due = there.filter((row) => row.isLong === isLong && row.dueAt < now);
          expect(await dueIn(shardOfRow(rowOf({ isLong })), now)).toEqual(due.map(({ name }) => name).sort());
        }
        expect(await account.waiting.find(digest('event-1'))).toHaveLength(there.length);
        expect((await account.waiting.count(1000)).rows).toBe(there.length);
      }),
      { numRuns: 15 },
    );
  });

  it('given storage fails, then the error is thrown, and does not count as no rows', async () => {
    await add();
    account.goDown();
    const { waiting } = account;
    const shard = shardOfRow(rowOf());

    const calls = [
      waiting.due(shard, DUE_AT),
      waiting.firstDueAt(shard),
      waiting.find(digest('event-1')),
      waiting.count(10),
    ];

    for (const call of calls) await expect(call).rejects.toMatchObject({ name: 'StorageError', code: 'fault' });
  });

  describe('when the rows of an event id are asked for', () => {
    it('given rows of others in the same shard, then only its own are found, in either shard, due or not', async () => {
      const shard = shardOfRow(rowOf());
      const neighbours = Array.from({ length: 200 }, (_, n) => `other-${n}`).filter(
        (id) => ledgerPlaceOf(addressFor({ id })).partition === shard,
      );
      await Promise.all(neighbours.map((id) => add({ item: jobOf(addressFor({ id }), id) })));
      const names = [
        await add(),
        await add({ isLong: true, dueAt: inMs(1_000_000) }),
        await add({ item: { kind: 'delivery', eventIdDigest: digest('event-1') } }),
        await add({ item: jobOf(addressFor({ workflow: 'other', day: 'undated' })) }),
      ];

      const found = await account.waiting.find(digest('event-1'));

      expect(neighbours.length).toBeGreaterThan(5);
      expect(found.map(({ name }) => name).sort()).toEqual([...names].sort());
      expect(await account.waiting.find(digest('nobody'))).toEqual([]);
    });
  });

  describe('when several jobs share a row', () => {
    const jobs = Array.from({ length: 3 }, (_, n) => {
      const id = `event-${n}`;
      return {
        address: addressFor({ id }),
        eventIdDigest: digest(id),
        json: `{"id":"${id}","text":"\\u00e9 \\"x\\""}`,
      };
    });
    const addJobs = (dueAt = DUE_AT) => account.waiting.addJobs(jobs, { dueAt, untilMs: inTime() });

    it('given a due row, then only its shard has it, with its jobs', async () => {
      await addJobs();

      expect(await account.waiting.dueJobs(DUE_AT)).toEqual({ rows: [], next: undefined });
      const { rows } = await account.waiting.dueJobs(inMs(1));
      expect(rows).toMatchObject([{ dueAt: DUE_AT, workflow: ledgerPlaceOf(addressFor({})).workflow }]);
      expect(rows[0]?.jobs.map(({ json, ...job }) => ({ ...job, json: JSON.parse(json) }))).toEqual(
        jobs.map(({ json, ...job }) => ({ ...job, json: JSON.parse(json) })),
      );
      expect(await account.waiting.firstDueAt('jobs')).toEqual(DUE_AT);
      expect((await Promise.all(SHARD_NAMES.map((shard) => dueIn(shard, inMs(1))))).flat()).toEqual([]);
    });

    it('given a search for one of its events, then only its job is found, and each job is counted', async () => {
      await addJobs();
      await add();

      const found = await account.waiting.find(digest('event-2'));

      expect(found).toMatchObject([{ item: { kind: 'job', address: jobs[2]?.address } }]);
      expect(JSON.parse(found[0]?.event ?? '')).toEqual(JSON.parse(jobs[2]?.json ?? ''));
      expect(await account.waiting.count(100)).toMatchObject({ rows: 4, earliestDueAt: DUE_AT });
    });

    it('given two processes that move it, then one succeeds, the row is due later, and counts as due since the first time', async () => {
      await addJobs();
      const [row] = (await account.waiting.dueJobs(inMs(1))).rows as [MultiJobRow];

      const moved = await account.waiting.moveJobs(row, inMs(60_000));
      const second = await account.waiting.moveJobs(row, inMs(70_000));

      expect([moved?.dueAt, second]).toEqual([inMs(60_000), undefined]);
      expect((await account.waiting.dueJobs(inMs(60_000))).rows).toEqual([]);
      const { rows } = await account.waiting.dueJobs(inMs(60_001));
      expect(rows).toEqual([moved]);
      const again = await account.waiting.moveJobs(moved as MultiJobRow, inMs(90_000));
      expect(again?.dueAt).toEqual(inMs(90_000));
      expect((await account.waiting.count(100)).earliestDueAt).toEqual(DUE_AT);
      await account.waiting.delete(again as MultiJobRow);
      expect(await account.rows()).toEqual([]);
    });
  });

  describe('when rows are counted', () => {
    it('given no row, then the count is 0, without an earliest due time', async () => {
      expect(await account.waiting.count(100)).toEqual({ rows: 0, isMore: false, earliestDueAt: undefined });
    });

    it('given rows in many shards, then all are counted, and the earliest due time is that of all', async () => {
      for (let n = 0; n < 20; n += 1) {
        const id = `event-${n}`;
        await add({ dueAt: inMs(1000 * ((n * 7) % 20)), isLong: n % 3 === 0, item: jobOf(addressFor({ id }), id) });
      }

      expect(await account.waiting.count(1000)).toEqual({ rows: 20, isMore: false, earliestDueAt: DUE_AT });
    });

    it.each([true, false])(
      'given the earliest row is alone in its shard (long: %p), then the count has its due time',
      async (isLong) => {
        await add({ isLong: !isLong, dueAt: inMs(2000) });
        await add({ isLong: !isLong, dueAt: inMs(1000) });
        await add({ isLong, dueAt: inMs(-5) });

        expect((await account.waiting.count(1000)).earliestDueAt).toEqual(inMs(-5));
      },
    );

    it('given as many as the limit, then isMore is true', async () => {
      for (const ms of [2, 1, 3]) await add({ dueAt: inMs(ms) });

      expect(await account.waiting.count(3)).toMatchObject({ isMore: true, earliestDueAt: inMs(1) });
      expect(await account.waiting.count(2)).toMatchObject({ isMore: true, earliestDueAt: inMs(1) });
      expect(await account.waiting.count(4)).toEqual({ rows: 3, isMore: false, earliestDueAt: inMs(1) });
    });

    it('given the earliest row is in a shard after the limit is reached, then the count has its due time', async () => {
      for (const ms of [2, 3]) await add({ dueAt: inMs(ms) });
      await add({ isLong: true, dueAt: inMs(1) });

      expect(await account.waiting.count(1)).toEqual({ rows: 1, isMore: true, earliestDueAt: inMs(1) });
    });
  });
}

/** `waiting` over `tables`, and what a test does behind its back. */
export function openWaiting(tables: TableStore) {
  const faults: Fault[] = [];
  let isDown = false;
  const faulty = faultyTables(tables, ({ method }) => {
    if (isDown) return 'fail-before';
    return (method === 'commit' && faults.shift()) || 'ok';
  });
  const waiting = createWaiting({
    tables: faulty,
    commit: commitOver(faulty),
    clock: impatientClock,
    random: testRandom,
  });
  return {
    waiting,
    /** The next commit goes wrong like this. */
    onCommit: (fault: Fault) => void faults.push(fault),
    /** Makes every further call fail. */
    goDown(): void {
      isDown = true;
    },
    async rows() {
      const rows = [];
      for (let page: string | undefined, first = true; first || page; first = false) {
        const answer = await tables.query('waiting', { limit: 1000, ...(page ? { page } : {}) });
        rows.push(...answer.rows);
        page = answer.next;
      }
      return rows;
    },
  };
}

export function rowOf(fields: Partial<NewRow> = {}): NewRow {
  return { dueAt: DUE_AT, isLong: false, event: EVENT, item: jobOf(addressFor({})), ...fields };
}

function jobOf(address: Address, id = 'event-1'): JobItem {
  return { kind: 'job', address, eventIdDigest: digest(id) };
}

export function shardOfRow({ isLong, item }: NewRow): string {
  return (isLong ? 'long-' : '') + shardOfDigest(item.eventIdDigest);
}

export function inMs(ms: number): Date {
  return new Date(DUE_AT.getTime() + ms);
}
