import { systemClock } from '../../src/clock.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { testConnection } from '../azurite/connection.js';
import { ownTables } from './ledger.contract.js';
import { markOf, openWatermarks, RESOURCE, watermarksContract } from './watermarks.contract.js';

describe('watermarks in memory', () => watermarksContract(() => createMemoryTableStore({ clock: systemClock })));

describe('watermarks on Azurite', () =>
  watermarksContract(() =>
    ownTables(createAzureTableStore({ kind: 'connection-string', connectionString: testConnection() })),
  ));

describe('watermarks in memory, as time passes', () => {
  function open() {
    const clock = createFakeClock('2026-03-14T12:00:00.700Z');
    return { clock, ...openWatermarks(createMemoryTableStore({ clock })) };
  }

  it('given a renewal, then the age counts from the renewal, by the clock of storage', async () => {
    const { clock, watermarks, write } = open();
    const first = await write(RESOURCE, markOf(), 'me');
    clock.advance(30_000);

    await write(RESOURCE, markOf({ write: 2 }), 'me', first.kind === 'written' ? first.etag : '');
    clock.advance(20_300);

    expect((await watermarks.read(RESOURCE))?.ageMs).toBe(20_300);
    expect(await write(RESOURCE, markOf({ owner: 'other' }), 'other')).toMatchObject({
      kind: 'conflict',
      current: { ageMs: 20_300 },
    });
  });

  it('given a table that is being dropped, then writes are busy until it can be created again', async () => {
    const { clock, tables, watermarks, write } = open();
    await write(RESOURCE, markOf(), 'me');
    await tables.drop('watermarks');

    expect(await write(RESOURCE, markOf(), 'me')).toEqual({ kind: 'table-busy' });
    expect(await watermarks.read(RESOURCE)).toBeUndefined();
    clock.advance(41_000);
    expect(await write(RESOURCE, markOf({ fence: 9 }), 'me')).toMatchObject({ kind: 'written' });
    expect((await watermarks.read(RESOURCE))?.mark.fence).toBe(9);
  });
});
