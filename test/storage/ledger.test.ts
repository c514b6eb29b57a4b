import { systemClock } from '../../src/clock.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { createFakeClock, fhirEvent } from '../../src/testing/index.js';
import { testConnection } from '../azurite/connection.js';
import { incarnationsContract } from './incarnations.contract.js';
import { addressFor, ledgerContract, openLedger, ownTables, recordOf, withShortPages } from './ledger.contract.js';

const event = fhirEvent();
const DAY_MS = 24 * 3_600_000;

const makeTables: Record<string, () => TableStore> = {
  'in memory': () => createMemoryTableStore({ clock: systemClock }),
  'in memory, where storage answers with short pages': () =>
    withShortPages(createMemoryTableStore({ clock: systemClock })),
  'on Azurite': () =>
    ownTables(createAzureTableStore({ kind: 'connection-string', connectionString: testConnection() })),
};

describe.each(Object.entries(makeTables))('a ledger %s', (_, make) => {
  ledgerContract(make);
  describe('given changes with several records', () => incarnationsContract(make));
});

describe('a ledger in memory, as time passes', () => {
  function open() {
    const clock = createFakeClock('2026-03-14T12:00:00.700Z');
    const account = openLedger(createMemoryTableStore({ clock }));
    return { clock, ...account };
  }

  it('given a record, then its age is counted from its last write, by the clock of storage', async () => {
    const { clock, ledger, write } = open();
    const written = await write(addressFor({}), recordOf(), { event });

    clock.advance(30_000);
    const before = await ledger.read(addressFor({}));
    await write(addressFor({}), recordOf({ write: 2 }), { etag: written.kind === 'written' ? written.etag : '' });
    clock.advance(62_300);
    const conflict = await write(addressFor({}), recordOf({ owner: 'other' }), { event });

    // Storage dates answers in full seconds, and rows more finely.
    expect(before?.ageMs).toBe(29_300);
    expect((await ledger.read(addressFor({})))?.ageMs).toBe(62_300);
    expect(conflict).toMatchObject({ kind: 'conflict', current: { ageMs: 62_300 } });
  });

  it.each(['20150101', 'undated'])(
    'given a table that is being dropped (%s), then writes are busy until it can be made again',
    async (day) => {
      const { clock, ledger, tables, write } = open();
      const address = addressFor({ day });
      const first = await write(address, recordOf({ owner: 'first' }), { event });
      await tables.drop(`ledger${day}`);

      const insert = await write(address, recordOf(), { event });
      const merge = await write(address, recordOf(), { etag: first.kind === 'written' ? first.etag : '' });
      const read = await ledger.read(address);
      const found = await ledger.find(address.slice(day.length + 1, day.length + 23));
      clock.advance(41_000);
      const again = await write(address, recordOf({ owner: 'again' }), { event });

      expect([insert, merge]).toEqual([{ kind: 'table-busy' }, { kind: 'table-busy' }]);
      expect([read, found]).toEqual([undefined, []]);
      expect(again.kind).toBe('written');
      expect((await ledger.read(address))?.record.owner).toBe('again');
    },
  );

  it('given records of different ages, then a table is dropped when the youngest is older than the retention', async () => {
    const { clock, ledger, tables, write } = open();
    const state = { kind: 'settled', result: 'completed' } as const;
    await write(addressFor({ id: 'a', day: '20260301' }), recordOf({ state }), { event });
    clock.advance(20 * DAY_MS);
    await write(addressFor({ id: 'b', day: '20260301' }), recordOf({ state }), { event });

    clock.advance(7 * DAY_MS);
    const early = await ledger.expire(clock.now(), 7);
    clock.advance(1);
    const late = await ledger.expire(clock.now(), 7);

    expect(early).toEqual({ tables: [], rows: 0 });
    expect(late).toEqual({ tables: ['ledger20260301'], rows: 0 });
    expect(await tables.list('')).toEqual([]);
  });

  it('given records without a day of different ages, then those older than the retention are deleted', async () => {
    const { clock, ledger, write } = open();
    const state = { kind: 'settled', result: 'completed' } as const;
    const ids = ['a', 'b', 'c'];
    for (const id of ids) {
      await write(addressFor({ id, day: 'undated' }), recordOf({ state }), { event });
      clock.advance(DAY_MS);
    }

    // Written 7, 6 and 5 days ago: exactly the retention is not over it.
    clock.advance(4 * DAY_MS);
    const none = await ledger.expire(clock.now(), 7);
    clock.advance(DAY_MS);
    const one = await ledger.expire(clock.now(), 7);

    const left = await Promise.all(ids.map((id) => ledger.read(addressFor({ id, day: 'undated' }))));
    expect([none.rows, one.rows]).toEqual([0, 1]);
    expect(left.map((read) => read !== undefined)).toEqual([false, true, true]);
  });

  it('given more records without a day than a page holds, then all expired ones are deleted', async () => {
    const { clock, ledger, write, tables } = open();
    const addresses = Array.from({ length: 2_100 }, (_, n) => addressFor({ id: `${n}`, day: 'undated' }));
    const state = { kind: 'settled', result: 'completed' } as const;
    await Promise.all(addresses.map((address) => write(address, recordOf({ state }), { event })));
    clock.advance(8 * DAY_MS);

    expect(await ledger.expire(clock.now(), 7)).toEqual({ tables: [], rows: 2_100 });

    expect((await tables.query('ledgerundated', { limit: 1 })).rows).toEqual([]);
  });
});
