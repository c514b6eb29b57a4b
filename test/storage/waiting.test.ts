import { systemClock } from '../../src/clock.js';
import { digest } from '../../src/digest.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createWaiting } from '../../src/storage/waiting.js';
import { createFakeClock } from '../../src/testing/index.js';
import { testConnection } from '../azurite/connection.js';
import {
  addressFor,
  commitOver,
  impatientClock,
  inTime,
  ownTables,
  testRandom,
  withShortPages,
} from './ledger.contract.js';
import { inMs, openWaiting, rowOf, shardOfRow, waitingContract } from './waiting.contract.js';

const shard = shardOfRow(rowOf());

describe('waiting in memory', () => waitingContract(() => createMemoryTableStore({ clock: systemClock })));

describe('waiting in memory, where storage answers with short pages', () =>
  waitingContract(() => withShortPages(createMemoryTableStore({ clock: systemClock })), { hasShortPages: true }));

describe('waiting on Azurite', () =>
  waitingContract(() =>
    ownTables(createAzureTableStore({ kind: 'connection-string', connectionString: testConnection() })),
  ));

describe('pages of rows that are due', () => {
  async function pageSizes(rows: number): Promise<number[]> {
    const { waiting } = openWaiting(createMemoryTableStore({ clock: systemClock }));
    await Promise.all(Array.from({ length: rows }, (_, n) => waiting.add(rowOf({ dueAt: inMs(-n) }), inTime())));
    const sizes: number[] = [];
    let after: string | undefined;
    do {
      const page = await waiting.due(shard, inMs(1), after);
      sizes.push(page.rows.length);
      after = page.next;
    } while (after !== undefined && sizes.length < 10);
    return sizes;
  }

  it.each([
    { rows: 0, sizes: [0] },
    { rows: 999, sizes: [999] },
    { rows: 1_000, sizes: [1_000, 0] },
    { rows: 1_001, sizes: [1_000, 1] },
    { rows: 2_300, sizes: [1_000, 1_000, 300] },
  ])('given $rows rows, then the pages hold $sizes', async ({ rows, sizes }) => {
    expect(await pageSizes(rows)).toEqual(sizes);
  });
});

describe('a row of a later version of the app, whose name has no time in it', () => {
  it('given rows are counted, then this row counts, and is not the earliest', async () => {
    const tables = createMemoryTableStore({ clock: systemClock });
    const { waiting } = openWaiting(tables);
    await waiting.add(rowOf({ dueAt: inMs(1) }), inTime());
    await tables.commit('waiting', shard, [{ kind: 'insert', key: 'later', row: { kind: 'job', event: '{}' } }]);

    expect(await waiting.count(9)).toEqual({ rows: 2, isMore: false, earliestDueAt: inMs(1) });
  });
});

describe('a table of rows that is being dropped', () => {
  it('given a row to add, then adding throws; a delete is no error', async () => {
    const clock = createFakeClock();
    const tables = createMemoryTableStore({ clock });
    const { waiting } = openWaiting(tables);
    const name = await waiting.add(rowOf(), inTime());
    await tables.drop('waiting');

    const busy = waiting.add(rowOf(), inTime());

    await expect(busy).rejects.toMatchObject({ name: 'StorageError', code: 'waiting-busy' });
    await waiting.delete({ ...rowOf(), shard, name });
    expect(await waiting.due(shard, inMs(1))).toEqual({ rows: [], next: undefined });
    clock.advance(41_000);
    const again = await waiting.add(rowOf(), inTime());
    expect((await waiting.due(shard, inMs(1))).rows.map((row) => row.name)).toEqual([again]);
  });
});

describe('a token that comes twice', () => {
  it('given a row of that name exists, then it counts as added, because it is the same row', async () => {
    const tables = createMemoryTableStore({ clock: systemClock });
    const random = { ...testRandom, token: () => 'always-the-same-' };
    const waiting = createWaiting({ tables, commit: commitOver(tables), clock: impatientClock, random });

    const names = [await waiting.add(rowOf(), inTime()), await waiting.add(rowOf(), inTime())];

    expect(names[0]).toBe(names[1]);
    expect(tables.inspect('waiting')).toHaveLength(1);
  });
});

describe('when the rows of an event id are asked for, and there are very many', () => {
  it.each([
    { rows: 19_500, found: 19_500 },
    { rows: 20_500, found: 20_000 },
  ])('given $rows, then $found are found', async ({ rows, found }) => {
    const { waiting } = openWaiting(createMemoryTableStore({ clock: systemClock }));
    await Promise.all(
      Array.from({ length: rows }, (_, n) => waiting.add(rowOf({ dueAt: inMs(n), event: '' }), inTime())),
    );

    expect(await waiting.find(digest('event-1'))).toHaveLength(found);
  });
});

describe('a row of another version of the app', () => {
  it('given a row without these properties, then it is the job in its name, without a redrive', async () => {
    const tables = createMemoryTableStore({ clock: systemClock });
    const name = `2026-03-14T12:00:00.000Z.${addressFor({})}.0000000000000001`;
    await tables.create('waiting');
    await tables.commit('waiting', shard, [{ kind: 'insert', key: name, row: { kind: 'later' } }]);

    const { rows } = await openWaiting(tables).waiting.due(shard, inMs(1));

    expect(rows).toEqual([{ ...rowOf({ event: '' }), shard, name }]);
  });
});
