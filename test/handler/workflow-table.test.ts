import { createTestKit } from '../../src/testing/index.js';
import type { WorkflowTable } from '../../src/workflow.js';
import { fencedTables } from '../pipeline/fenced-tables.js';
import { createAccount } from '../pipeline/memory-app.js';

const keyOf = (n: number) => String(n).padStart(4, '0');

/** Table `things` with this many rows in partition `p`. */
async function tableOf(count: number) {
  const kit = createTestKit();
  const table = kit.tables('things');
  await Promise.all(
    Array.from({ length: count }, (_, n) => table.change('p', keyOf(n), () => ({ n }), { expect: 'absent' })),
  );
  return table;
}

describe('when a workflow lists rows', () => {
  it('given no limit, then the first 1,000 rows are listed in order of their keys', async () => {
    const table = await tableOf(1100);

    const keys = (await table.list('p')).map(({ key }) => key);

    expect(keys).toEqual(Array.from({ length: 1000 }, (_, n) => keyOf(n)));
  });

  it.each([
    { range: { limit: 1050 }, first: 0, count: 1050 },
    { range: { limit: 2000 }, first: 0, count: 1100 },
    { range: { from: keyOf(3), to: keyOf(5) }, first: 3, count: 2 },
    { range: { from: keyOf(1098) }, first: 1098, count: 2 },
    { range: { to: keyOf(2), limit: 1 }, first: 0, count: 1 },
  ])('given $range, then $count rows are listed, from number $first', async ({ range, first, count }) => {
    const table = await tableOf(1100);

    const rows = (await table.list('p', range)).map(({ row }) => row.n);

    expect(rows).toEqual(Array.from({ length: count }, (_, n) => first + n));
  });

  it('given rows that were removed under a fence, then they are neither listed nor counted', async () => {
    const account = createAccount();
    const table = fencedTables(account, 1)('things');
    for (const key of ['a', 'b', 'c']) await table.change('p', key, () => ({ key }));
    await table.change('p', 'a', () => 'remove');

    expect((await table.list('p', { limit: 2 })).map(({ key }) => key)).toEqual(['b', 'c']);
  });
});

describe('when a handler reads a row, then changes it', () => {
  /** The tables of one handler, of another one, and the reads so far of either. */
  async function twoHandlers() {
    const account = createAccount();
    const reads: string[] = [];
    const { read } = account.tables;
    const tables = {
      ...account.tables,
      read(...place: Parameters<typeof read>) {
        reads.push(place[2]);
        return read(...place);
      },
    };
    const [own, other] = ['own', 'other'].map((resource) =>
      fencedTables({ ...account, tables }, 1, resource)('things'),
    );
    await other?.change('p', 'k', () => ({ n: 1 }), { expect: 'absent' });
    return { own: own as WorkflowTable, other: other as WorkflowTable, reads };
  }

  it('given no other writer, then the row is read once, also for a second change', async () => {
    const { own, reads } = await twoHandlers();

    await own.get('p', 'k');
    await own.change('p', 'k', (row) => ({ n: Number(row?.n) + 1 }));
    await own.change('p', 'k', (row) => ({ n: Number(row?.n) + 1 }));

    expect(reads).toEqual(['k']);
    expect(await own.get('p', 'k')).toEqual({ n: 3 });
  });

  it('given another writer in between, then the change starts again from the current row', async () => {
    const { own, other } = await twoHandlers();
    const decided: unknown[] = [];

    await own.get('p', 'k');
    await other.change('p', 'k', () => ({ n: 5 }));
    await own.change('p', 'k', (row) => {
      decided.push(row);
      return { n: Number(row?.n) + 1 };
    });

    expect(decided).toEqual([{ n: 1 }, { n: 5 }]);
    expect(await own.get('p', 'k')).toEqual({ n: 6 });
  });

  it('given the change keeps the row, then the row is read again first', async () => {
    const { own, other } = await twoHandlers();

    await own.get('p', 'k');
    await other.change('p', 'k', () => ({ n: 5 }));
    await own.change('p', 'k', (row) => (row?.n === 1 ? 'keep' : { n: 0 }));

    expect(await own.get('p', 'k')).toEqual({ n: 0 });
  });

  it('given no row, and another writer who inserts it, then the change starts again', async () => {
    const { own, other } = await twoHandlers();

    await own.get('p', 'new');
    await other.change('p', 'new', () => ({ n: 5 }));
    await own.change('p', 'new', (row) => ({ n: Number(row?.n ?? 0) + 1 }));

    expect(await own.get('p', 'new')).toEqual({ n: 6 });
  });
});
