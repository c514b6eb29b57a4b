import { takeRow } from '../../src/reconcile/leased-row.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError, type TableStore } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';

const PLACE = { partition: 'p', key: 'k' };

function start() {
  const clock = createFakeClock();
  const tables = createMemoryTableStore({ clock });
  let tokens = 0;
  const random = {
    number: () => 0,
    token: () => {
      tokens += 1;
      return `process-${tokens}`;
    },
  };
  const take = async (store: TableStore = tables) => {
    const taken = await takeRow(PLACE, async () => ({ n: 0 }), { tables: store, random });
    return taken.kind === 'taken' ? taken.leased : taken.kind;
  };
  const taken = async (store?: TableStore) => {
    const leased = await take(store);
    if (typeof leased === 'string') throw new Error(leased);
    return leased;
  };
  return { clock, tables, random, take, taken, row: () => tables.inspect('reconcile')[0]?.row };
}

describe('when two processes take a row in Azurite', () => {
  it('given a lease, then the other process finds the row busy until the release, and then the saved row', async () => {
    const connectionString = process.env.TEST_STORAGE ?? '';
    const tables = createAzureTableStore({ kind: 'connection-string', connectionString });
    const place = { partition: 'leased-row', key: `row ${process.pid}` };
    const take = (token: string) =>
      takeRow(place, async () => ({ n: 0 }), { tables, random: { number: () => 0, token: () => token } });

    const first = await take('one');
    expect(await take('two')).toEqual({ kind: 'busy' });
    if (first.kind === 'taken') {
      await first.leased.save({ n: 1 });
      await first.leased.save({ n: 2 });
      await first.leased.release({ n: 3 });
    }

    expect(await take('two')).toMatchObject({ kind: 'taken', leased: { row: { n: 3 } } });
    if (first.kind === 'taken') await expect(first.leased.save({ n: 4 })).rejects.toMatchObject({ code: 'lease-lost' });
  });
});

describe('when a process takes a row', () => {
  it('given no row, then it is made, and others find it busy until it is released', async () => {
    const { take, taken, row } = start();
    const leased = await taken();

    expect(row()).toEqual({ n: 0, holder: 'process-1' });
    expect(await take()).toBe('busy');
    await leased.release({ n: 1 });

    expect((await taken()).row).toMatchObject({ n: 1 });
  });

  it('given no row and no content for a new one, then the row is absent', async () => {
    const { tables, random } = start();

    expect(await takeRow(PLACE, undefined, { tables, random })).toEqual({ kind: 'absent' });
  });

  it('given another row whose key begins with this key, then the row is absent', async () => {
    const { tables, random } = start();
    await tables.create('reconcile');
    await tables.commit('reconcile', 'p', [{ kind: 'insert', key: 'k2', row: {} }]);

    expect(await takeRow(PLACE, undefined, { tables, random })).toEqual({ kind: 'absent' });
  });

  it('given two processes at once, then one has the row', async () => {
    const { take, row } = start();

    const both = await Promise.all([take(), take()]);

    expect(both.filter((one) => one === 'busy')).toHaveLength(1);
    expect(row()).toMatchObject({ n: 0 });
  });

  it('given a save each 60 s, then the lease continues; given no save for 90 s, then another process takes the row', async () => {
    const { clock, take, taken } = start();
    const first = await taken();
    clock.advance(60_000);
    await first.save({ n: 1 });
    clock.advance(60_000);
    expect(await take()).toBe('busy');

    clock.advance(30_000);
    const second = await taken();

    expect(second.row).toMatchObject({ n: 1 });
    await expect(first.save({ n: 9 })).rejects.toMatchObject({ code: 'lease-lost', isRejected: true });
    await second.release({ n: 2 });
    expect((await taken()).row).toMatchObject({ n: 2 });
  });

  it('given a save of unknown outcome that took effect, then the same save again succeeds', async () => {
    const { tables, taken, row } = start();
    let failures = 0;
    const store: TableStore = {
      ...tables,
      async commit(...all) {
        const answer = await tables.commit(...all);
        const [operation] = all[2];
        if (operation?.kind === 'replace' && failures === 0) {
          failures += 1;
          throw new StorageError('late', 'No answer.');
        }
        return answer;
      },
    };
    const leased = await taken(store);

    await expect(leased.save({ n: 1 })).rejects.toMatchObject({ code: 'late' });
    await leased.save({ n: 1 });
    await leased.release({ n: 2 });

    expect(row()).toEqual({ n: 2, holder: '' });
  });
});
