import { systemClock } from '../../src/clock.js';
import type { KnownVersion } from '../../src/events/order.js';
import type { Row, TableStore } from '../../src/storage/table-store.js';
import { createWatermarks, type Watermark, type WatermarkKey } from '../../src/storage/watermarks.js';
import { type Fault, faultyTables } from './faults.js';
import { commitOver, inTime } from './ledger.contract.js';

export const RESOURCE: WatermarkKey = { workflow: 'tally', resource: '["host","Patient","secret-id"]' };
const APPLIED: KnownVersion = {
  version: 3,
  time: '2026-03-14T12:00:00.000Z',
  eventKey: 'id.rest',
  createdAt: '2026-03-14T11:00:00.000Z',
};
/** The stored names of the columns of APPLIED. */
const COLUMNS = {
  version: 3,
  time: '2026-03-14T12:00:00.000Z',
  eventKey: 'id.rest',
  bornAt: '2026-03-14T11:00:00.000Z',
};
const STARTED: KnownVersion = { ...APPLIED, version: 4, eventKey: 'next.rest' };

/** The contract of the watermarks. `makeTables` returns an account without tables; every test has its own. */
export function watermarksContract(makeTables: () => TableStore): void {
  let account: ReturnType<typeof openWatermarks>;

  beforeEach(() => {
    account = openWatermarks(makeTables());
  });

  const read = () => account.watermarks.read(RESOURCE);

  async function put(mark: Watermark, etag?: string, by = mark.owner, key = RESOURCE): Promise<string> {
    const written = await account.write(key, mark, by, etag);
    if (written.kind !== 'written') throw new Error(`expected to be written: ${JSON.stringify(written)}`);
    return written.etag;
  }

  describe('a watermark', () => {
    it('given no write, then there is no watermark and no table', async () => {
      expect(await read()).toBeUndefined();
      expect(await account.tables.list('')).toEqual([]);
    });

    it.each<Partial<Watermark>>([
      {},
      { applied: APPLIED },
      { applied: { ...APPLIED, createdAt: undefined } },
      { applied: { ...APPLIED, time: undefined, createdAt: undefined } },
      { applied: { ...APPLIED, version: 0 } },
      { applied: { ...APPLIED, version: 2 ** 40 } },
      { owner: '', applied: APPLIED },
      { started: STARTED },
      { applied: APPLIED, started: STARTED },
      { started: { ...STARTED, time: undefined, createdAt: undefined, version: 0 } },
      { fence: 2 ** 33, write: 12 },
    ])('given %j, then it reads as written, by insert and by merge', async (fields) => {
      const inserted = await put(markOf(fields), undefined, 'by');
      const first = await read();
      const other = markOf({ applied: { ...APPLIED, version: 99, createdAt: undefined }, owner: 'other', write: 5 });
      const between = await put(other, inserted);
      const merged = await put(markOf(fields), between, 'by');

      expect(first).toEqual({ mark: markOf(fields), etag: inserted, ageMs: expect.any(Number) });
      expect(await read()).toEqual({ mark: markOf(fields), etag: merged, ageMs: expect.any(Number) });
      expect(await account.tables.list('')).toEqual(['watermarks']);
    });

    it('given a resource taken, applied and taken again, then the applied version stays', async () => {
      const taken = await put(markOf({ owner: 'me', fence: 1, write: 1 }));
      const freed = await put(markOf({ owner: '', fence: 1, write: 2, applied: APPLIED }), taken, 'me');
      const again = markOf({ owner: 'other', fence: 2, write: 3, applied: APPLIED });
      await put(again, freed);

      expect((await read())?.mark).toEqual(again);
    });

    it('given a second insert, then it conflicts with the first, which stays', async () => {
      const etag = await put(markOf({ owner: 'first' }));

      const second = await account.write(RESOURCE, markOf({ owner: 'second' }), 'second');

      const current = { mark: markOf({ owner: 'first' }), etag, ageMs: expect.any(Number) };
      expect(second).toEqual({ kind: 'conflict', current });
      expect(await read()).toEqual(current);
    });

    it('given a stale etag, then the write conflicts with the current watermark, which stays', async () => {
      const stale = await put(markOf({ owner: 'me' }));
      const taken = markOf({ owner: 'other', fence: 2, write: 2 });
      const etag = await put(taken, stale);

      const late = await account.write(RESOURCE, markOf({ owner: '', write: 2, applied: APPLIED }), 'me', stale);

      expect(late).toEqual({ kind: 'conflict', current: { mark: taken, etag, ageMs: expect.any(Number) } });
      expect((await read())?.mark).toEqual(taken);
    });

    it('given an etag but no row, then the write conflicts with an absent watermark', async () => {
      await put(markOf(), undefined, 'me', { ...RESOURCE, workflow: 'makes-the-table' });

      const late = await account.write(RESOURCE, markOf(), 'me', `W/"datetime'2020-01-01T00%3A00%3A00.0000000Z'"`);

      expect(late).toEqual({ kind: 'conflict', current: undefined });
    });

    it('given other workflows and resources, then each has its own', async () => {
      const all: WatermarkKey[] = [
        RESOURCE,
        { ...RESOURCE, workflow: 'other' },
        ...Array.from({ length: 20 }, (_, n) => ({ ...RESOURCE, resource: `["host","Patient","${n}"]` })),
      ];
      await Promise.all(all.map((key, fence) => put(markOf({ fence }), undefined, 'me', key)));

      const marks = await Promise.all(all.map((key) => account.watermarks.read(key)));

      expect(marks.map((found) => found?.mark.fence)).toEqual(all.map((_, fence) => fence));
    });

    it('given a resource, then its keys reveal nothing of the resource', async () => {
      await put(markOf());

      const { rows } = await account.tables.query('watermarks', { limit: 10 });

      expect(rows.map(({ partition, key }) => partition + key).join()).toMatch(/^tally\.\d+[\w-]{22}$/);
    });
  });

  describe('a write whose answer was lost', () => {
    it.each([
      { what: 'the first acquisition', isFirst: true, owner: 'me' },
      { what: 'a later acquisition', isFirst: false, owner: 'me' },
      { what: 'the write that frees', isFirst: false, owner: '' },
    ])('given $what, then its writer recognises it, also at the next write', async ({ isFirst, owner }) => {
      await put(markOf(), undefined, 'me', { ...RESOURCE, workflow: 'makes-the-table' });
      const etag = isFirst ? undefined : await put(markOf({ owner: 'before' }));
      account.onCommit('fail-after');
      const before = account.commits();

      const lost = await put(markOf({ owner, write: 2 }), etag, 'me');

      expect(account.commits() - before).toBe(1);
      expect(await put(markOf({ owner: 'other', write: 3 }), lost)).not.toBe(lost);
    });

    it.each([
      { given: 'another with the same number', by: 'other', write: 2 },
      { given: 'the same one with another number', by: 'me', write: 3 },
    ])('given $given was first, then the write is a conflict', async ({ by, write }) => {
      const etag = await put(markOf({ owner: 'before' }));
      await put(markOf({ owner: '', write }), etag, by);
      account.onCommit('fail-before');

      const lost = await account.write(RESOURCE, markOf({ owner: '', write: 2 }), 'me', etag);

      expect(lost).toMatchObject({ kind: 'conflict', current: { mark: { write } } });
    });

    it('given storage failed before, then it is sent again', async () => {
      const etag = await put(markOf({ owner: 'before' }));
      account.onCommit('fail-before');

      await put(markOf({ owner: 'me', write: 2 }), etag);

      expect((await read())?.mark.owner).toBe('me');
    });

    it('given its time is over, then the error is thrown', async () => {
      const late = account.watermarks.write(RESOURCE, markOf(), { by: 'me', untilMs: systemClock.monotonic() - 1 });

      await expect(late).rejects.toMatchObject({ name: 'StorageError' });
    });
  });

  describe('a row as it is stored', () => {
    it('given a property of a later version, then it stays', async () => {
      const etag = await put(markOf());
      const place = await account.onlyRow();
      const merged = await account.tables.commit('watermarks', place.partition, [
        { kind: 'merge', key: place.key, row: { later: 'kept' }, etag },
      ]);

      await put(markOf({ owner: '', applied: APPLIED }), merged.kind === 'done' ? merged.etags[0] : '', 'me');

      expect((await account.onlyRow()).row).toMatchObject({ later: 'kept', version: 3 });
    });

    it.each<{ given: string; row: Row; mark: Watermark }>([
      {
        given: 'only a version',
        row: { version: 4 },
        mark: {
          applied: { version: 4, time: undefined, eventKey: '', createdAt: undefined },
          started: undefined,
          fence: 0,
          owner: '',
          write: 0,
          leaseMs: 0,
        },
      },
      {
        given: 'nothing applied, and no lease',
        row: { version: -1, fence: 7 },
        mark: { applied: undefined, started: undefined, fence: 7, owner: '', write: 0, leaseMs: 0 },
      },
      {
        given: 'an earlier release of the app has written it, which knows of no version that has started',
        row: { ...COLUMNS, fence: 7, owner: '', write: 9, leaseMs: 60_000, by: 'by' },
        mark: { applied: APPLIED, started: undefined, fence: 7, owner: '', write: 9, leaseMs: 60_000 },
      },
    ])('given $given, then the other properties read as empty', async ({ row, mark }) => {
      const etag = await put(markOf());
      const { partition, key } = await account.onlyRow();
      await account.tables.commit('watermarks', partition, [{ kind: 'replace', key, row, etag }]);

      expect((await read())?.mark).toEqual(mark);
    });
  });
}

/** The watermarks over `tables`, and what a test does behind their back. */
export function openWatermarks(tables: TableStore) {
  const faults: Fault[] = [];
  let commits = 0;
  const faulty = faultyTables(tables, ({ method }) => {
    if (method !== 'commit') return 'ok';
    commits += 1;
    return faults.shift() ?? 'ok';
  });
  const watermarks = createWatermarks({ tables, commit: commitOver(faulty) });
  return {
    tables,
    watermarks,
    write: (key: WatermarkKey, mark: Watermark, by: string, etag?: string) =>
      watermarks.write(key, mark, { by, untilMs: inTime(), ...(etag === undefined ? {} : { etag }) }),
    onCommit: (fault: Fault) => void faults.push(fault),
    commits: () => commits,
    async onlyRow() {
      const { rows } = await tables.query('watermarks', { limit: 2 });
      const [row] = rows;
      if (!row || rows.length > 1) throw new Error(`expected one row, there are ${rows.length}`);
      return row;
    },
  };
}

export function markOf(fields: Partial<Watermark> = {}): Watermark {
  return { applied: undefined, started: undefined, fence: 1, owner: 'owner', write: 1, leaseMs: 60_000, ...fields };
}
