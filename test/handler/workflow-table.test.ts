import { createTestKit } from '../../src/testing/index.js';
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
  it('given no limit, then the first 1,000 in order of their keys', async () => {
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
  ])('given $range, then $count rows from number $first', async ({ range, first, count }) => {
    const table = await tableOf(1100);

    const rows = (await table.list('p', range)).map(({ row }) => row.n);

    expect(rows).toEqual(Array.from({ length: count }, (_, n) => first + n));
  });

  it('given rows that were removed under a fence, then these are not listed, nor counted', async () => {
    const account = createAccount();
    const table = fencedTables(account, 1)('things');
    for (const key of ['a', 'b', 'c']) await table.change('p', key, () => ({ key }));
    await table.change('p', 'a', () => 'remove');

    expect((await table.list('p', { limit: 2 })).map(({ key }) => key)).toEqual(['b', 'c']);
  });
});
