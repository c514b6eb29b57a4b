import { systemClock } from '../../src/clock.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { tableStoreContract } from './table-store.contract.js';
import { createTestClock } from './test-clock.js';

describe('a table store in memory', () => tableStoreContract(() => createMemoryTableStore({ clock: systemClock })));

describe('a table store in memory, beyond the contract', () => {
  it('given its clock, then ages follow the clock, and answers are dated in full seconds', async () => {
    const clock = createTestClock('2026-03-01T12:00:00.700Z');
    const store = createMemoryTableStore({ clock });
    await store.create('rows');
    await store.commit('rows', 'p', [{ kind: 'insert', key: 'k', row: {} }]);

    clock.advance(1_500);

    expect(await store.read('rows', 'p', 'k')).toMatchObject({
      stored: { modifiedAt: new Date('2026-03-01T12:00:00.700Z') },
      now: new Date('2026-03-01T12:00:02.000Z'),
    });
  });

  it('given a table was dropped, then its name is busy for 40 seconds', async () => {
    const clock = createTestClock();
    const store = createMemoryTableStore({ clock });
    await store.create('rows');
    await store.drop('rows');

    clock.advance(39_999);
    const busy = [await store.create('rows'), await store.commit('rows', 'p', [{ kind: 'delete', key: 'k' }])];
    clock.advance(1);

    expect(busy).toEqual(['busy', { kind: 'table-busy' }]);
    expect(await store.commit('rows', 'p', [{ kind: 'delete', key: 'k' }])).toEqual({ kind: 'no-table' });
    expect(await store.create('rows')).toBe('ready');
  });

  it('given rows, then inspect shows them all, at once and in order', async () => {
    const store = createMemoryTableStore({ clock: createTestClock() });
    await store.create('rows');
    for (const partition of ['q', 'p']) {
      await store.commit('rows', partition, [
        { kind: 'insert', key: '2', row: { n: 2 } },
        { kind: 'insert', key: '1', row: { n: 1 } },
      ]);
    }

    const rows = store.inspect('rows').map(({ partition, key, row }) => [partition, key, row.n]);

    expect(rows).toEqual([
      ['p', '1', 1],
      ['p', '2', 2],
      ['q', '1', 1],
      ['q', '2', 2],
    ]);
    expect(store.inspect('others')).toEqual([]);
  });
});
