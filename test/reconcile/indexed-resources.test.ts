import { BEGINNING, indexedPages, type Place, withFewerRows } from '../../src/reconcile/indexed-resources.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { memoryTables, TABLE_STORES } from '../storage/table-stores.js';

const TABLE = 'resources';

describe.each(TABLE_STORES)('when a search goes on from the place of an earlier one, on $on', ({ create }) => {
  const host = `host-${process.pid}.fhir.azurehealthcareapis.com`;

  /** Reads `count` pages; rows of these tests are too new to compare, so each page counts them as recent. */
  async function read(tables: TableStore, from: Place, count: number) {
    const pages = [];
    for await (const { recent, next } of indexedPages({ host }, from, { tables, retry: (act) => act() })) {
      pages.push({ recent, next });
      if (pages.length === count) break;
    }
    return pages;
  }

  it('given 12 rows and a first page of 1, then pages grow, and another process reads the rest', async () => {
    const tables = create();
    await tables.create(TABLE);
    for (let n = 0; n < 12; n += 1) {
      const row = {
        service: 'fhir',
        host,
        change: 'created',
        resourceType: 'Patient',
        resourceId: `p${n}`,
        version: 1,
      };
      await tables.commit(TABLE, String(n % 3), [{ kind: 'upsert', key: `${host} ${n}`, row }]);
    }

    const first = await read(tables, { limit: 1 }, 2);
    const place = JSON.parse(JSON.stringify(first.at(-1)?.next)) as Place;
    const rest = await read(create === memoryTables ? tables : create(), place, 9);

    expect(first).toMatchObject([{ recent: 1 }, { recent: 2, next: { limit: 4 } }]);
    expect(rest.reduce((sum, { recent }) => sum + recent, 0)).toBe(9);
    expect(rest.at(-1)?.next).toBeUndefined();
  });
});

describe('the place of a page that a run could not finish', () => {
  it('given the same page, then a quarter of its rows, at least one', () => {
    expect(withFewerRows(BEGINNING)).toEqual({ limit: 250 });
    expect(withFewerRows({ page: 'p', limit: 3 })).toEqual({ page: 'p', limit: 1 });
  });
});
