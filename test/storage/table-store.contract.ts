import fc from 'fast-check';
import type { Operation, Page, Query, Row, TableStore } from '../../src/storage/table-store.js';

/** Storage gives times in whole seconds. */
const SECOND_MS = 1000;
const insert = (key: string, row: Row = {}): Operation => ({ kind: 'insert', key, row });
const STALE = `W/"datetime'2020-01-01T00%3A00%3A00.0000000Z'"`;

/** The contract of a TableStore. `make` is called once; every test has a table of its own. */
export function tableStoreContract(make: () => TableStore): void {
  const store = make();
  let table = '';

  beforeEach(async () => {
    table = freshName();
    await store.create(table);
  });

  async function put(partition: string, ...operations: Operation[]): Promise<string[]> {
    const commit = await store.commit(table, partition, operations);
    if (commit.kind !== 'done') throw new Error(`expected to be done: ${JSON.stringify(commit)}`);
    return commit.etags;
  }

  async function rowOf(partition: string, key: string): Promise<Row | undefined> {
    return (await store.read(table, partition, key)).stored?.row;
  }

  async function pages(query: Query): Promise<Page[]> {
    const all: Page[] = [];
    let next: string | undefined;
    do {
      const page: Page = await store.query(table, { ...query, ...(next !== undefined && { page: next }) });
      all.push(page);
      next = page.next;
    } while (next !== undefined && all.length < 100);
    return all;
  }

  async function keysOf(query: Omit<Query, 'limit'>): Promise<string[]> {
    return (await pages({ limit: 1000, ...query })).flatMap(({ rows }) => rows.map(({ key }) => key));
  }

  describe('a commit that is done', () => {
    it.each([1, 2, 100])('given %i operations, then the answer has the time of storage', async (count) => {
      const done = await store.commit(
        table,
        'p',
        Array.from({ length: count }, (_, n) => insert(String(n))),
      );

      const { now } = await store.read(table, 'p', '0');
      const at = done.kind === 'done' ? done.now : undefined;
      expect((at?.getTime() ?? 1) % 1000).toBe(0);
      expect(Math.abs((at?.getTime() ?? 0) - now.getTime())).toBeLessThan(60_000);
    });
  });

  describe('a row that was written', () => {
    it('given an insert, then the row reads as written, with its etag and the time of storage', async () => {
      const before = Date.now();
      const [etag] = await put('p', insert('k', { text: 'a', count: 1, isSet: true }));

      const { stored, now } = await store.read(table, 'p', 'k');

      expect(stored).toMatchObject({ partition: 'p', key: 'k', row: { text: 'a', count: 1, isSet: true }, etag });
      expect(etag).toBeTruthy();
      expect(now.getTime() % 1000).toBe(0);
      for (const at of [stored?.modifiedAt, now]) {
        expect(at?.getTime()).toBeGreaterThan(before - SECOND_MS);
        expect(at?.getTime()).toBeLessThan(Date.now() + SECOND_MS);
      }
    });

    it.each([
      '',
      'plain',
      "it's 'quoted'",
      '2026-03-01T12:00:00.000Z',
      'null',
      '12',
      'tab\tand\r\nlines',
      '{"json": ["\\"", "\\u0000"]}',
      'Zoë 漢字 🫀',
      'a'.repeat(32 * 1024),
      0,
      -1,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      -(2 ** 31) - 1,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      1.5,
      -0.1,
      1e300,
      5e-7,
      true,
      false,
    ])('given the value %p, then it reads as the same value', async (value) => {
      await put('p', insert('k', { value }));

      expect(await rowOf('p', 'k')).toEqual({ value });
    });

    it('given any row, then it reads as the same row, alone or in a transaction', async () => {
      const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }));
      // Azurite, not Azure, ends a line of a transaction at these.
      const text = fc.string({ unit: 'grapheme' }).filter((text) => !/[\u2028\u2029]/.test(text));
      const value = fc.oneof(text, number.map(withoutMinusZero), fc.boolean());
      const name = fc
        .stringMatching(/^[a-z][A-Za-z0-9_]{0,20}$/)
        .filter((name) => !/^(odata|timestamp$|etag$)/i.test(name));
      const row = fc.dictionary(name, value, { maxKeys: 10 });

      await fc.assert(
        fc.asyncProperty(row, row, row, async (one, two, three) => {
          const partition = freshName();
          await put(partition, insert('1', one));
          await put(partition, insert('2', two), insert('3', three));
          const { rows } = await store.query(table, { partition, limit: 10 });
          expect(rows.map((stored) => ({ ...stored.row }))).toEqual([{ ...one }, { ...two }, { ...three }]);
        }),
        { numRuns: 30 },
      );
    });

    it.each([
      "it's",
      'a b',
      '100%',
      '%41',
      'a+b',
      'a&b=c',
      'a;b,c',
      '(1)',
      '{x}',
      'é漢🫀',
      '~!@$^*|"<>`',
      'k'.repeat(512),
    ])('given the key %p, then it is found by read and by query, and can be changed and deleted', async (key) => {
      await put(key, insert(key, { n: 1 }), insert('other'));

      const { stored } = await store.read(table, key, key);
      await put(key, { kind: 'merge', key, row: { n: 2 }, etag: stored?.etag ?? '' });
      const { rows } = await store.query(table, { partition: key, from: key, to: `${key}~`, limit: 10 });
      await put(key, { kind: 'delete', key });

      expect(stored).toMatchObject({ partition: key, key, row: { n: 1 } });
      expect(rows).toMatchObject([{ partition: key, key, row: { n: 2 } }]);
      expect(await rowOf(key, key)).toBeUndefined();
    });

    it('given the written object is changed afterwards, then the row stays as it was written', async () => {
      const row = { n: 1 };
      await put('p', insert('k', row));

      row.n = 2;

      expect(await rowOf('p', 'k')).toEqual({ n: 1 });
    });
  });

  describe.each([
    { how: 'alone', rest: [] },
    { how: 'in a transaction', rest: [insert('z1'), insert('z2')] },
  ])('an operation $how', ({ rest }) => {
    const commit = (operation: Operation) => store.commit(table, 'p', [operation, ...rest]);

    it('given a merge, then properties that it does not name stay, and the etag changes', async () => {
      const [etag = ''] = await put('p', insert('k', { a: 1, b: 2 }));

      const merged = await commit({ kind: 'merge', key: 'k', row: { b: 3, c: 4 }, etag });

      const { stored } = await store.read(table, 'p', 'k');
      expect(stored?.row).toEqual({ a: 1, b: 3, c: 4 });
      expect(merged).toMatchObject({ kind: 'done', etags: [stored?.etag, ...rest.map(() => expect.any(String))] });
      expect(stored?.etag).not.toBe(etag);
    });

    it('given a replace, then only its properties are left, and the etag changes', async () => {
      const [etag = ''] = await put('p', insert('k', { a: 1, b: 2 }));

      const replaced = await commit({ kind: 'replace', key: 'k', row: { c: 4 }, etag });

      const { stored } = await store.read(table, 'p', 'k');
      expect(stored?.row).toEqual({ c: 4 });
      expect(replaced).toMatchObject({ kind: 'done', etags: [stored?.etag, ...rest.map(() => expect.any(String))] });
      expect(stored?.etag).not.toBe(etag);
    });

    it.each(['its etag', 'no etag'])('given a delete with %s, then the row is gone', async (condition) => {
      const [etag = ''] = await put('p', insert('k'));

      const deleted = await commit({ kind: 'delete', key: 'k', ...(condition === 'its etag' && { etag }) });

      expect(deleted).toMatchObject({ kind: 'done', etags: ['', ...rest.map(() => expect.any(String))] });
      expect(await rowOf('p', 'k')).toBeUndefined();
    });

    it.each<{ operation: Operation; why: string }>([
      { operation: insert('there', { n: 2 }), why: 'exists' },
      { operation: { kind: 'merge', key: 'there', row: { n: 2 }, etag: STALE }, why: 'changed' },
      { operation: { kind: 'replace', key: 'there', row: { n: 2 }, etag: STALE }, why: 'changed' },
      { operation: { kind: 'delete', key: 'there', etag: STALE }, why: 'changed' },
      { operation: { kind: 'merge', key: 'not there', row: { n: 2 }, etag: STALE }, why: 'absent' },
      { operation: { kind: 'replace', key: 'not there', row: { n: 2 }, etag: STALE }, why: 'absent' },
      { operation: { kind: 'delete', key: 'not there', etag: STALE }, why: 'absent' },
      { operation: { kind: 'delete', key: 'not there' }, why: 'absent' },
    ])(
      'given $operation.kind of a row that is $operation.key, then the transaction is refused: $why',
      async ({ operation, why }) => {
        await put('p', insert('there', { n: 1 }));

        const refused = await commit(operation);

        expect(refused).toEqual({ kind: 'refused', index: 0, why });
        expect(await keysOf({ partition: 'p' })).toEqual(['there']);
        expect(await rowOf('p', 'there')).toEqual({ n: 1 });
      },
    );

    it('given a table that does not exist, then the answer is no-table', async () => {
      table = freshName();

      expect(await commit(insert('k'))).toEqual({ kind: 'no-table' });
      expect(await commit({ kind: 'merge', key: 'k', row: {}, etag: STALE })).toEqual({ kind: 'no-table' });
      expect(await commit({ kind: 'delete', key: 'k' })).toEqual({ kind: 'no-table' });
    });
  });

  describe('a transaction', () => {
    it('given operations of every kind, then all are done, each with its etag, in their order', async () => {
      const [forMerge = '', forReplace = '', , forDelete = ''] = await put(
        'p',
        ...['a', 'b', 'c', 'd'].map((key) => insert(key, { n: 1 })),
      );

      const etags = await put(
        'p',
        { kind: 'delete', key: 'd', etag: forDelete },
        insert('e', { n: 2 }),
        { kind: 'merge', key: 'a', row: { m: 2 }, etag: forMerge },
        { kind: 'delete', key: 'c' },
        { kind: 'replace', key: 'b', row: { m: 2 }, etag: forReplace },
        insert('f', { n: 2 }),
      );

      const { rows } = await store.query(table, { partition: 'p', limit: 10 });
      expect(rows.map(({ key, row, etag }) => ({ key, row, etag }))).toEqual([
        { key: 'a', row: { n: 1, m: 2 }, etag: etags[2] },
        { key: 'b', row: { m: 2 }, etag: etags[4] },
        { key: 'e', row: { n: 2 }, etag: etags[1] },
        { key: 'f', row: { n: 2 }, etag: etags[5] },
      ]);
      expect([etags[0], etags[3]]).toEqual(['', '']);
    });

    it.each<{ operation: Operation; why: string }>([
      { operation: insert('there'), why: 'exists' },
      { operation: { kind: 'merge', key: 'there', row: {}, etag: STALE }, why: 'changed' },
      { operation: { kind: 'replace', key: 'there', row: {}, etag: STALE }, why: 'changed' },
      { operation: { kind: 'delete', key: 'there', etag: STALE }, why: 'changed' },
      { operation: { kind: 'merge', key: 'not there', row: {}, etag: STALE }, why: 'absent' },
      { operation: { kind: 'delete', key: 'not there' }, why: 'absent' },
    ])(
      'given an operation that fails as $why ($operation.kind), then the answer names it, and nothing is written',
      async ({ operation, why }) => {
        const [etag = ''] = await put('p', insert('first'), insert('second'), insert('there'));

        for (const index of [0, 1, 12]) {
          const others: Operation[] = [
            { kind: 'delete', key: 'first', etag },
            { kind: 'delete', key: 'second' },
            ...Array.from({ length: 12 }, (_, i) => insert(`new${i}`)),
          ];
          const refused = await store.commit(table, 'p', others.toSpliced(index, 0, operation));
          expect(refused).toEqual({ kind: 'refused', index, why });
        }

        expect(await keysOf({ partition: 'p' })).toEqual(['first', 'second', 'there']);
      },
    );

    it('given 100 operations, then all are done', async () => {
      const keys = Array.from({ length: 100 }, (_, i) => `${100 + i}`);

      const etags = await put('p', ...keys.map((key) => insert(key)));

      const { rows } = await store.query(table, { partition: 'p', limit: 1000 });
      expect(rows.map(({ key, etag }) => ({ key, etag }))).toEqual(keys.map((key, i) => ({ key, etag: etags[i] })));
    });

    it('given many transactions at once, then each writes its own rows', async () => {
      const lots = Array.from({ length: 20 }, (_, lot) =>
        Array.from({ length: 5 + lot }, (_, i) => insert(`${lot}.${i}`, { lot, i })),
      );

      const commits = await Promise.all(lots.map((operations, lot) => store.commit(table, `p${lot}`, operations)));

      expect(commits.map((commit) => commit.kind === 'done' && commit.etags.length)).toEqual(
        lots.map((lot) => lot.length),
      );
      for (const [lot, operations] of lots.entries()) {
        const { rows } = await store.query(table, { partition: `p${lot}`, limit: 1000 });
        expect(rows.map(({ key }) => key).sort()).toEqual(operations.map(({ key }) => key).sort());
        expect(rows.every(({ row }) => row.lot === lot)).toBe(true);
      }
    });

    it('given two transactions that insert the same row at once, then one of them is refused', async () => {
      const commits = await Promise.all(
        [1, 2].map((n) => store.commit(table, 'p', [insert(`own${n}`), insert('k', { n })])),
      );

      expect(commits.map(({ kind }) => kind).sort()).toEqual(['done', 'refused']);
      expect(await keysOf({ partition: 'p' })).toHaveLength(2);
    });
  });

  describe('a request that breaks a rule of storage', () => {
    const long = 'x'.repeat(32 * 1024);
    const wide = (values: number) => Object.fromEntries(Array.from({ length: values }, (_, i) => [`p${i}`, long]));

    it.each<{ rule: string; operations: Operation[]; partition?: string }>([
      { rule: 'no operation', operations: [] },
      { rule: '101 operations', operations: Array.from({ length: 101 }, (_, i) => insert(`${i}`)) },
      { rule: 'a row twice', operations: [insert('k'), insert('k')] },
      { rule: 'a slash in the key', operations: [insert('a/b')] },
      { rule: 'a backslash in the key', operations: [insert('a\\b')] },
      { rule: 'a hash in the key', operations: [insert('a#b')] },
      { rule: 'a question mark in the key', operations: [insert('a?b')] },
      { rule: 'a line feed in the key', operations: [insert('a\nb')] },
      { rule: 'a control character in the key', operations: [insert('a\u0085b')] },
      { rule: 'half a character in the key', operations: [insert('a\ud800b')] },
      { rule: 'a key of 513 characters', operations: [insert('k'.repeat(513))] },
      { rule: 'a slash in the partition', operations: [insert('k')], partition: 'a/b' },
      { rule: 'a partition of 513 characters', operations: [insert('k')], partition: 'p'.repeat(513) },
      { rule: 'a property of more than 64 KiB', operations: [insert('k', { long: `${long}x` })] },
      { rule: 'a row of more than 1 MiB', operations: [insert('k', wide(17))] },
      {
        rule: 'a transaction of more than 4 MiB',
        operations: Array.from({ length: 10 }, (_, i) => insert(`${i}`, wide(15))),
      },
      {
        rule: '253 properties',
        operations: [insert('k', Object.fromEntries(Array.from({ length: 253 }, (_, i) => [`p${i}`, i])))],
      },
      { rule: 'a property named timestamp', operations: [insert('k', { timestamp: 'x' })] },
      { rule: 'a property named Timestamp', operations: [insert('k', { Timestamp: 'x' })] },
      { rule: 'a property named etag', operations: [insert('k', { etag: 'x' })] },
      { rule: 'a property named RowKey', operations: [insert('k', { RowKey: 'x' })] },
      { rule: "a property named as odata's", operations: [insert('k', { 'odata.type': 'x' })] },
      { rule: 'a hyphen in the name of a property', operations: [insert('k', { 'a-b': 'x' })] },
      { rule: 'a number that is none', operations: [insert('k', { n: Number.NaN })] },
      { rule: 'a number without end', operations: [insert('k', { n: Number.POSITIVE_INFINITY })] },
    ])('given $rule, then the request is rejected, and nothing is written', async ({ operations, partition = 'p' }) => {
      await expect(store.commit(table, partition, operations)).rejects.toMatchObject({
        name: 'StorageError',
        isRejected: true,
      });

      expect(await keysOf({})).toEqual([]);
    });

    it.each(['ab', '1abc', 'a-b-c', 'a'.repeat(64), 'täbelle', "x'y"])(
      'given a table named %p, then it is rejected',
      async (name) => {
        const rejected = { name: 'StorageError', isRejected: true };

        await expect(store.create(name)).rejects.toMatchObject(rejected);
        await expect(store.commit(name, 'p', [insert('k')])).rejects.toMatchObject(rejected);
        await expect(store.read(name, 'p', 'k')).rejects.toMatchObject(rejected);
        await expect(store.query(name, { limit: 1 })).rejects.toMatchObject(rejected);
        await expect(store.drop(name)).rejects.toMatchObject(rejected);
      },
    );

    it('given names that were accepted for properties and for tables, then each still breaks the rule of the other', async () => {
      await store.create('odata');
      await put('p', insert('k', { ab: 1 }));

      await expect(store.create('ab')).rejects.toMatchObject({ name: 'StorageError', isRejected: true });
      await expect(put('p', insert('l', { odata: 1 }))).rejects.toMatchObject({ isRejected: true });
      await store.drop('odata');
    });

    it.each<Query>([
      { limit: 0 },
      { limit: 1001 },
      { limit: 1.5 },
      { limit: 10, from: 'a' },
      { limit: 10, anyOf: [] },
      { limit: 10, anyOf: [{ property: "x eq 1 or 'a'", is: 'eq', value: 'a' }] },
    ])('given the query %j, then it is rejected', async (query) => {
      await expect(store.query(table, query)).rejects.toMatchObject({ name: 'StorageError', isRejected: true });
    });

    it('given a row near to its limits, then it is written', async () => {
      const row = { ...wide(15), ...Object.fromEntries(Array.from({ length: 235 }, (_, i) => [`n${i}`, i])) };

      await put('p', insert('k', row));

      expect(await rowOf('p', 'k')).toEqual(row);
    });

    it('given a transaction near to its limit, then it is written', async () => {
      await put('p', ...Array.from({ length: 8 }, (_, i) => insert(`${i}`, wide(15))));

      expect(await keysOf({ partition: 'p' })).toHaveLength(8);
    });
  });

  describe('a query', () => {
    it('given rows in several partitions, then they come in order of partition, then key', async () => {
      for (const partition of ['b', 'a', 'B']) await put(partition, insert('2'), insert('10'), insert('1'));

      const [page] = await pages({ limit: 100 });

      expect(page?.rows.map(({ partition, key }) => partition + key)).toEqual([
        'B1',
        'B10',
        'B2',
        'a1',
        'a10',
        'a2',
        'b1',
        'b10',
        'b2',
      ]);
    });

    it.each<{ query: Omit<Query, 'limit'>; keys: string[] }>([
      { query: {}, keys: ['a', 'b', "b'c", 'c', 'd'] },
      { query: { from: 'b' }, keys: ['b', "b'c", 'c', 'd'] },
      { query: { from: 'bb' }, keys: ['c', 'd'] },
      { query: { after: 'b' }, keys: ["b'c", 'c', 'd'] },
      { query: { to: 'c' }, keys: ['a', 'b', "b'c"] },
      { query: { from: 'b', to: 'd' }, keys: ['b', "b'c", 'c'] },
      { query: { from: 'a', after: "b'c", to: 'z' }, keys: ['c', 'd'] },
      { query: { from: 'x' }, keys: [] },
      { query: { from: 'c', to: 'c' }, keys: [] },
    ])('given the range $query, then the keys are $keys', async ({ query, keys }) => {
      await put('p', ...['d', 'b', "b'c", 'a', 'c'].map((key) => insert(key)));
      await put('q', insert('b'));

      expect(await keysOf({ partition: 'p', ...query })).toEqual(keys);
    });

    it.each<{ anyOf: NonNullable<Query['anyOf']>; keys: string[] }>([
      { anyOf: [{ property: 'state', is: 'eq', value: 'open' }], keys: ['1', '2'] },
      { anyOf: [{ property: 'state', is: 'ne', value: 'open' }], keys: ['3', '4'] },
      { anyOf: [{ property: 'state', is: 'eq', value: "o'pen' or 'a' eq 'a" }], keys: [] },
      { anyOf: [{ property: 'n', is: 'eq', value: 1 }], keys: ['1'] },
      { anyOf: [{ property: 'n', is: 'ne', value: 1 }], keys: ['2', '3', '4'] },
      { anyOf: [{ property: 'n', is: 'eq', value: 5_000_000_000 }], keys: ['3'] },
      { anyOf: [{ property: 'n', is: 'eq', value: 1.5 }], keys: ['2'] },
      { anyOf: [{ property: 'isLong', is: 'eq', value: true }], keys: ['2'] },
      { anyOf: [{ property: 'isLong', is: 'ne', value: true }], keys: ['1', '3', '4'] },
      {
        anyOf: [
          { property: 'n', is: 'eq', value: 1 },
          { property: 'state', is: 'eq', value: 'settled' },
        ],
        keys: ['1', '3'],
      },
      { anyOf: [{ property: 'timestamp', is: 'ge', value: new Date(0) }], keys: ['1', '2', '3', '4'] },
      { anyOf: [{ property: 'timestamp', is: 'ge', value: new Date('2100-01-01T00:00:00Z') }], keys: [] },
    ])('given the conditions $anyOf, then the keys are $keys', async ({ anyOf, keys }) => {
      await put(
        'p',
        insert('1', { state: 'open', n: 1 }),
        insert('2', { state: 'open', n: 1.5, isLong: true }),
        insert('3', { state: 'settled', n: 5_000_000_000, isLong: false }),
        insert('4', {}),
      );

      expect(await keysOf({ anyOf })).toEqual(keys);
      expect(await keysOf({ partition: 'p', from: '2', anyOf })).toEqual(keys.filter((key) => key >= '2'));
    });

    it('given the time of a row, then rows from that time on are those that were written after it', async () => {
      await put('p', insert('k'));
      const { stored } = await store.read(table, 'p', 'k');
      const atMs = stored?.modifiedAt.getTime() ?? 0;
      const since = (ms: number) => keysOf({ anyOf: [{ property: 'timestamp', is: 'ge', value: new Date(ms) }] });

      expect(await since(atMs)).toEqual(['k']);
      expect(await since(atMs + 1)).toEqual([]);
    });

    it.each([1, 3, 4, 100])('given pages of %i, then every row comes once, in order', async (limit) => {
      const keys = Array.from({ length: 12 }, (_, i) => `${String.fromCharCode(97 + i)}'${i}`);
      await put('p', ...keys.map((key, i) => insert(key, { isEven: i % 2 === 0 })));
      await put('q', insert('x', { isEven: true }));
      const anyOf = [{ property: 'isEven', is: 'eq', value: true }] as const;

      const all = await pages({ limit });
      const even = await pages({ limit, partition: 'p', after: keys[1] ?? '', anyOf });

      expect(all.flatMap(({ rows }) => rows.map(({ key }) => key))).toEqual([...keys, 'x']);
      expect(even.flatMap(({ rows }) => rows.map(({ key }) => key))).toEqual(["c'2", "e'4", "g'6", "i'8", "k'10"]);
      expect(Math.max(...all.map(({ rows }) => rows.length))).toBeLessThanOrEqual(limit);
    });

    it('given rows that are inserted and deleted between the pages, then each row that stays comes once', async () => {
      await put('p', ...['b', 'd', 'f', 'h'].map((key) => insert(key)));
      const first = await store.query(table, { partition: 'p', limit: 2 });

      await put('p', insert('a'), insert('e'), { kind: 'delete', key: 'd' }, { kind: 'delete', key: 'h' });
      const second = await store.query(table, { partition: 'p', limit: 10, page: first.next ?? '' });

      expect(first.rows.map(({ key }) => key)).toEqual(['b', 'd']);
      expect(second.rows.map(({ key }) => key).filter((key) => key !== 'e')).toEqual(['f']);
    });

    it('given a row that was deleted and inserted again, then it comes once', async () => {
      await put('p', insert('a'), insert('b'));
      expect(await keysOf({ partition: 'p' })).toEqual(['a', 'b']);

      await put('p', { kind: 'delete', key: 'a' });
      expect(await keysOf({ partition: 'p' })).toEqual(['b']);
      await put('p', insert('a'));

      expect(await keysOf({ partition: 'p' })).toEqual(['a', 'b']);
    });
  });

  describe('a table', () => {
    it('given two creations, then the table exists and keeps its rows', async () => {
      await put('p', insert('k'));

      expect(await store.create(table)).toBe('ready');

      expect(await keysOf({})).toEqual(['k']);
    });

    it('given no table, then reads find no row, and a drop does nothing', async () => {
      table = freshName();

      const read = await store.read(table, 'p', 'k');
      const page = await store.query(table, { limit: 10 });

      expect(read).toEqual({ stored: undefined, now: expect.any(Date) });
      expect(page).toEqual({ rows: [], next: undefined, now: expect.any(Date) });
      expect(await store.drop(table)).toBeUndefined();
    });

    it('given it was dropped, then the table is not listed, and reads find no row', async () => {
      await put('p', insert('k'));

      await store.drop(table);

      expect(await store.list(table)).toEqual([]);
      expect(await keysOf({})).toEqual([]);
      expect(['no-table', 'table-busy']).toContain((await store.commit(table, 'p', [insert('k')])).kind);
    });

    it('given a prefix, then the tables that begin with it are listed in order', async () => {
      const names = ['b20260302', 'b20260301', 'bundated', 'B'].map((end) => table + end);
      for (const name of names) await store.create(name);

      expect(await store.list(`${table}b2`)).toEqual([`${table}b20260301`, `${table}b20260302`]);
      expect(await store.list(`${table}b`)).toEqual([`${table}b20260301`, `${table}b20260302`, `${table}bundated`]);
      expect(await store.list('')).toEqual(expect.arrayContaining([table, ...names.slice(0, 3)]));
    });
  });
}

function freshName(): string {
  return `t${crypto.randomUUID().replaceAll('-', '')}`;
}

function withoutMinusZero(value: number): number {
  return value === 0 ? 0 : value;
}
