import { createGroupCommit } from '../../src/storage/group-commit.js';
import type { Operation, TableStore } from '../../src/storage/table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import type { Fault, Plan } from './faults.js';
import {
  ANSWERS_WITHIN_MS,
  answers,
  endOfTurn,
  insert,
  keysOf,
  kindsOf,
  LONG_MS,
  MAX_CALLS,
  merge,
  once,
  outcomes,
  random,
  remove,
  rowOf,
  setUp,
  TABLE,
} from './group-commit-kit.js';

describe('writes of one partition', () => {
  it('given writes of one turn, when the turn ends, then they are sent in one transaction', async () => {
    const { write, commits, clock } = await setUp();

    const written = await answers(clock, [write(insert('a')), write(insert('b')), write(insert('c'))]);

    expect(written).toEqual([
      { kind: 'written', etag: 'W/"1"' },
      { kind: 'written', etag: 'W/"2"' },
      { kind: 'written', etag: 'W/"3"' },
    ]);
    expect(keysOf(commits)).toEqual([['a', 'b', 'c']]);
  });

  it('given a turn that has not ended, then nothing has been sent', async () => {
    const { write, commits, clock } = await setUp();

    const writing = write(insert('a'));
    await Promise.resolve();

    expect(commits).toEqual([]);
    await answers(clock, [writing]);
  });

  it('given a transaction under way and more writes in several turns, then they share the next transaction', async () => {
    const { write, commits, clock, gate } = await setUp();
    gate.close();

    const writing = [write(insert('a'))];
    await endOfTurn();
    for (const key of ['b', 'c', 'd']) {
      writing.push(write(insert(key)));
      await endOfTurn();
    }
    expect(keysOf(commits)).toEqual([['a']]);
    gate.open();
    await answers(clock, writing);

    expect(keysOf(commits)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('given a transaction of another partition under way, then the writes do not wait for it', async () => {
    const { write, clock, gate } = await setUp();
    gate.close('p');

    const waiting = write(insert('a'), 'p');
    const [written] = await answers(clock, [write(insert('a'), 'q')]);

    expect(written).toMatchObject({ kind: 'written' });
    gate.open();
    await answers(clock, [waiting]);
  });

  it('given a partition without writes for a while, then a later write is written, too', async () => {
    const { write, commits, clock } = await setUp();

    await answers(clock, [write(insert('a'))]);
    await endOfTurn();
    await answers(clock, [write(insert('b'))]);

    expect(keysOf(commits)).toEqual([['a'], ['b']]);
  });

  it('given 250 writes, then no transaction has more than 100, and they are sent in order', async () => {
    const { write, commits, clock } = await setUp();
    const keys = Array.from({ length: 250 }, (_, i) => `k${i}`);

    await answers(
      clock,
      keys.map((key) => write(insert(key))),
    );

    expect(commits.map(({ operations }) => operations.length)).toEqual([100, 100, 50]);
    expect(keysOf(commits).flat()).toEqual(keys);
  });

  it('given 60 writes of 90 kB, then no transaction has more than 3.5 MB', async () => {
    const { write, commits, clock } = await setUp();
    const long = '€'.repeat(30_000);

    const written = await answers(
      clock,
      Array.from({ length: 60 }, (_, i) => write(insert(`k${i}`, { long }))),
    );

    expect(written.every(({ kind }) => kind === 'written')).toBe(true);
    expect(commits.map(({ operations }) => operations.length)).toEqual([38, 22]);
  });

  it('given several writes of one row, then each has a transaction of its own, in order of arrival', async () => {
    const { write, commits, clock } = await setUp();

    const written = await answers(clock, [
      write(insert('a', { by: 'first' })),
      write(insert('b')),
      write(merge('a', 'W/"1"', { by: 'second' })),
      write(merge('a', 'W/"4"', { by: 'third' })),
      write(insert('c')),
    ]);

    expect(written.every(({ kind }) => kind === 'written')).toBe(true);
    expect(keysOf(commits)).toEqual([['a', 'b', 'c'], ['a'], ['a']]);
  });

  it('given a write that no longer fits into the transaction, then a shorter write of the same row does not overtake it', async () => {
    const { write, commits, clock } = await setUp();
    const long = '€'.repeat(30_000);

    const written = await answers(clock, [
      ...Array.from({ length: 39 }, (_, i) => write(insert(`k${i}`, { long }))),
      write(merge('k38', 'W/"39"')),
    ]);

    expect(written.every(({ kind }) => kind === 'written')).toBe(true);
    expect(keysOf(commits).slice(1)).toEqual([['k38'], ['k38']]);
  });

  it('given the same keys in two tables, then each write is in its own table', async () => {
    const { commit, memory, clock } = await setUp();
    await memory.create('others');

    await answers(clock, [commit.write(TABLE, 'p', insert('a')), commit.write('others', 'p', insert('a'))]);

    expect(memory.inspect(TABLE)).toHaveLength(1);
    expect(memory.inspect('others')).toHaveLength(1);
  });
});

describe('a transaction that is refused', () => {
  it('given one row that exists, then only its write is a conflict, with the row, and the rest is written', async () => {
    const { write, commits, clock, memory, calls } = await setUp({ rows: ['b'] });

    const written = await answers(clock, [write(insert('a')), write(insert('b')), write(insert('c'))]);

    expect(kindsOf(written)).toEqual(['written', 'conflict', 'written']);
    expect(written[1]).toMatchObject({ read: { stored: rowOf(memory, 'b') } });
    expect(keysOf(commits)).toEqual([
      ['a', 'b', 'c'],
      ['a', 'c'],
    ]);
    expect(calls).toEqual({ commit: 2, read: 1 });
  });

  it('given a second refusal, then the other rows are read first: many conflicts cost three transactions', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    const taken = keys.filter((_, i) => i % 2 === 0);
    const { write, commits, clock, calls } = await setUp({ rows: taken });

    const written = await answers(
      clock,
      keys.map((key) => write(insert(key))),
    );

    expect(kindsOf(written)).toEqual(keys.map((_, i) => (i % 2 === 0 ? 'conflict' : 'written')));
    expect(commits.map(({ operations }) => operations.length)).toEqual([100, 99, 50]);
    expect(calls).toEqual({ commit: 3, read: 100 });
  });

  it.each<{ given: string; operation: Operation; read: boolean }>([
    { given: 'an insert of a row that is there', operation: { kind: 'insert', key: 'k', row: {} }, read: true },
    { given: 'a merge of another version', operation: { kind: 'merge', key: 'k', row: {}, etag: 'W/"0"' }, read: true },
    { given: 'a merge of no row', operation: { kind: 'merge', key: 'none', row: {}, etag: 'W/"1"' }, read: false },
    {
      given: 'a replace of another version',
      operation: { kind: 'replace', key: 'k', row: {}, etag: 'W/"0"' },
      read: true,
    },
    { given: 'a delete of another version', operation: { kind: 'delete', key: 'k', etag: 'W/"0"' }, read: true },
  ])('given $given, then the write is a conflict', async ({ operation, read }) => {
    const { write, clock, commits } = await setUp({ rows: ['k'] });

    const [written] = await answers(clock, [write({ operation, isOwn: () => false, untilMs: LONG_MS })]);

    expect(written).toMatchObject({ kind: 'conflict', read: { stored: read ? { key: 'k' } : undefined } });
    expect(commits).toHaveLength(1);
  });

  it('given a row that cannot be read, then the write is sent again, and answered when the row can be read', async () => {
    const { write, clock, calls } = await setUp({
      rows: ['k'],
      plan: ({ method, number }) => (method === 'read' && number < 3 ? 'fail-before' : 'ok'),
    });

    const written = await answers(clock, [write(insert('k'))]);

    expect(kindsOf(written)).toEqual(['conflict']);
    expect(calls).toEqual({ commit: 2, read: 1 });
  });

  it('given a refusal that names none of its operations, then the transaction is sent again', async () => {
    const { memory, clock } = await setUp();
    const sizes: number[] = [];
    const tables: TableStore = {
      ...memory,
      async commit(table, partition, operations) {
        sizes.push(operations.length);
        if (sizes.length === 1) return { kind: 'refused', index: 2, why: 'exists' };
        return memory.commit(table, partition, operations);
      },
    };
    const commit = createGroupCommit({ tables, clock, random });

    const written = await answers(clock, [
      commit.write(TABLE, 'p', insert('a')),
      commit.write(TABLE, 'p', insert('b')),
    ]);

    expect(kindsOf(written)).toEqual(['written', 'written']);
    expect(sizes).toEqual([2, 2]);
  });
});

describe('a transaction whose outcome is unknown', () => {
  it.each<Fault>(['fail-after', 'never-after'])(
    'given %s, then the transaction is recognised as written, and not sent again',
    async (fault) => {
      const { write, clock, memory, calls } = await setUp({ plan: once('commit', fault) });

      const written = await answers(clock, [write(insert('a')), write(insert('b')), write(insert('c'))]);

      expect(written).toEqual(memory.inspect(TABLE).map(({ etag }) => ({ kind: 'written', etag })));
      expect(calls).toEqual({ commit: 1, read: 4 });
    },
  );

  it.each<Fault>(['fail-before', 'never'])('given %s, then the same transaction is sent again', async (fault) => {
    const { write, clock, sent, memory } = await setUp({ plan: once('commit', fault) });
    const writes = [insert('a'), insert('b')];

    const written = await answers(
      clock,
      writes.map((each) => write(each)),
    );

    expect(written).toEqual(memory.inspect(TABLE).map(({ etag }) => ({ kind: 'written', etag })));
    expect(sent).toEqual([writes.map(({ operation }) => operation), writes.map(({ operation }) => operation)]);
  });

  it('given a first sending that arrives after the second, then it changes nothing', async () => {
    const { write, clock, memory, effects, release } = await setUp({ rows: ['b'], plan: once('commit', 'late') });

    const written = await answers(clock, [write(insert('a')), write(merge('b', 'W/"1"'))]);
    const before = memory.inspect(TABLE);
    await release();

    expect(kindsOf(written)).toEqual(['written', 'written']);
    expect(memory.inspect(TABLE)).toEqual(before);
    expect(effects.map(({ operation }) => operation.key)).toEqual(['a', 'b']);
  });

  it('given a first sending that arrives between the read and the second, then the write is recognised as its own', async () => {
    const { write, clock, effects, release, commits } = await setUp({ plan: once('commit', 'late') });

    const writing = [write(insert('a')), write(insert('b'))];
    await endOfTurn();
    clock.advance(ANSWERS_WITHIN_MS); // looks, finds nothing, pauses
    await endOfTurn();
    await release();
    const written = await answers(clock, writing);

    expect(written).toEqual(effects.map(({ etag }) => ({ kind: 'written', etag })));
    expect(effects).toHaveLength(2);
    expect(commits.map(({ answer }) => answer.kind)).toEqual(['done', 'refused', 'refused']);
  });

  it('given no read succeeds either, then the refusal of the second sending is recognised as its own', async () => {
    const { write, clock, effects } = await setUp({
      plan: ({ number }) => (['fail-after', 'fail-before'] as const)[number - 1] ?? 'ok',
    });

    const written = await answers(clock, [write(insert('a')), write(insert('b'))]);

    expect(written).toEqual(effects.map(({ etag }) => ({ kind: 'written', etag })));
    expect(effects).toHaveLength(2);
  });

  it('given a row that another writer has changed meanwhile, then the write is a conflict, and the late sending changes nothing', async () => {
    const { write, clock, memory, release } = await setUp({ rows: ['b'], plan: once('commit', 'late') });

    const writing = [write(insert('a')), write(merge('b', 'W/"1"'))];
    await endOfTurn();
    await memory.commit(TABLE, 'p', [{ kind: 'merge', key: 'b', row: { by: 'another' }, etag: 'W/"1"' }]);
    const written = await answers(clock, writing);
    await release();

    expect(kindsOf(written)).toEqual(['written', 'conflict']);
    expect(rowOf(memory, 'b')?.row.by).toBe('another');
  });

  it('given a merge that was not made and a delete whose row is absent, then the merge is sent again', async () => {
    const { write, clock, memory } = await setUp({ rows: ['a', 'b'], plan: once('commit', 'never') });

    const writing = [write(remove('a')), write(merge('b', 'W/"2"', { by: 'me' }))];
    await endOfTurn();
    await memory.commit(TABLE, 'p', [{ kind: 'delete', key: 'a' }]);
    const written = await answers(clock, writing);

    expect(written).toEqual([
      { kind: 'written', etag: '' },
      { kind: 'written', etag: rowOf(memory, 'b')?.etag },
    ]);
    expect(rowOf(memory, 'b')?.row.by).toBe('me');
  });

  it('given storage that keeps failing, then the pauses grow to a second', async () => {
    const { write, clock, sentAtMs } = await setUp({ plan: () => 'fail-before' });

    const writing = write(insert('a', {}, 3000));
    await answers(clock, [writing.catch(() => undefined)], 25);

    // Random number 0.5: three quarters of 100, 200, 400, 800, 1000, 1000 ms.
    expect(sentAtMs).toEqual([0, 75, 225, 525, 1125, 1875, 2625]);
  });
});

describe('a transaction whose answer was lost, when others have changed its rows since', () => {
  it('given a row that was deleted since, then the write counts as written, and is not sent again', async () => {
    const { write, clock, memory, effects } = await setUp({ plan: once('commit', 'never-after') });
    const writing = [write(insert('a')), write(insert('b'))];
    await endOfTurn();
    await memory.commit(TABLE, 'p', [{ kind: 'delete', key: 'b' }]);

    const written = await answers(clock, writing);

    expect(written).toEqual([
      { kind: 'written', etag: rowOf(memory, 'a')?.etag },
      { kind: 'written', etag: '' },
    ]);
    expect(effects).toHaveLength(2);
    expect(rowOf(memory, 'b')).toBeUndefined();
  });

  it('given a row that was overwritten since, then the write is a conflict with the current row', async () => {
    const { write, clock, memory } = await setUp({ plan: once('commit', 'never-after') });
    const writing = [write(insert('a')), write(insert('b'))];
    await endOfTurn();
    await memory.commit(TABLE, 'p', [
      { kind: 'merge', key: 'b', row: { write: -1 }, etag: rowOf(memory, 'b')?.etag ?? '' },
    ]);

    const written = await answers(clock, writing);

    expect(written).toMatchObject([
      { kind: 'written' },
      { kind: 'conflict', read: { stored: { row: { write: -1 } } } },
    ]);
  });
});

describe('a refusal, when the row cannot be read', () => {
  it('then the write is sent again after pauses, not at once', async () => {
    const { write, clock, sentAtMs } = await setUp({
      rows: ['a'],
      plan: ({ method }) => (method === 'read' ? 'fail-before' : 'ok'),
    });

    await outcomes(clock, [write(insert('a', {}, 10_000))]);

    expect(sentAtMs.length).toBeLessThan(30);
    expect(sentAtMs.at(-1)).toBeGreaterThan(5000);
  });
});

describe('a delete', () => {
  it.each<{ given: string; plan: Plan; etag?: string }>([
    { given: 'a row that is there', plan: () => 'ok' },
    { given: 'the version that is there', plan: () => 'ok', etag: 'W/"1"' },
    { given: 'an answer that was lost', plan: once('commit', 'fail-after') },
    { given: 'a version, and an answer that was lost', plan: once('commit', 'fail-after'), etag: 'W/"1"' },
    { given: 'a failure', plan: once('commit', 'fail-before') },
    { given: 'no answer', plan: once('commit', 'never') },
  ])('given $given, then the delete is written, and the row is absent', async ({ plan, etag }) => {
    const { write, clock, memory, effects } = await setUp({ rows: ['k'], plan });

    const written = await answers(clock, [write(remove('k', etag))]);

    expect(written).toEqual([{ kind: 'written', etag: '' }]);
    expect(memory.inspect(TABLE)).toEqual([]);
    expect(effects).toHaveLength(1);
  });

  it('given an absent row, then the delete counts as written', async () => {
    const { write, clock, effects } = await setUp();

    expect(await answers(clock, [write(remove('k'))])).toEqual([{ kind: 'written', etag: '' }]);
    expect(effects).toEqual([]);
  });

  it('given a lost answer to several deletes, then each is written', async () => {
    const { write, clock, memory, calls } = await setUp({ rows: ['a', 'b', 'c'], plan: once('commit', 'fail-after') });

    const written = await answers(clock, [write(remove('a')), write(remove('b')), write(remove('c'))]);

    expect(kindsOf(written)).toEqual(['written', 'written', 'written']);
    expect(memory.inspect(TABLE)).toEqual([]);
    expect(calls).toEqual({ commit: 3, read: 3 });
  });
});

describe('a table', () => {
  it('given no table, then it is created, and all writes are written', async () => {
    const { commit, clock, memory, calls } = await setUp();

    const written = await answers(clock, [
      commit.write('fresh', 'p', insert('a')),
      commit.write('fresh', 'p', insert('b')),
    ]);

    expect(kindsOf(written)).toEqual(['written', 'written']);
    expect(memory.inspect('fresh')).toHaveLength(2);
    expect(calls).toEqual({ commit: 2, create: 1 });
    expect(clock.monotonic()).toBe(0);
  });

  it.each<Fault>(['fail-before', 'fail-after', 'never', 'never-after', 'late'])(
    'given no table, and its creation: %s, then all writes are written',
    async (fault) => {
      const { commit, clock, memory } = await setUp({ plan: once('create', fault) });

      const written = await answers(clock, [commit.write('fresh', 'p', insert('a'))]);

      expect(kindsOf(written)).toEqual(['written']);
      expect(memory.inspect('fresh')).toHaveLength(1);
    },
  );

  it('given a table that is being dropped, then all writes get table-busy at once', async () => {
    const { write, clock, memory, calls } = await setUp();
    await memory.drop(TABLE);

    const written = await answers(clock, [write(insert('a')), write(insert('b'))]);

    expect(written).toEqual([{ kind: 'table-busy' }, { kind: 'table-busy' }]);
    expect(calls).toEqual({ commit: 1 });
  });

  it('given a creation that finds the table being dropped, then all writes get table-busy', async () => {
    const { memory, clock } = await setUp();
    const tables: TableStore = { ...memory, commit: async () => ({ kind: 'no-table' }), create: async () => 'busy' };
    const commit = createGroupCommit({ tables, clock, random });

    expect(await answers(clock, [commit.write(TABLE, 'p', insert('a'))])).toEqual([{ kind: 'table-busy' }]);
  });

  it('given a created table that is still absent, then the write is sent again after pauses', async () => {
    const { memory, clock } = await setUp();
    const askedAtMs: number[] = [];
    const tables: TableStore = {
      ...memory,
      async commit() {
        askedAtMs.push(clock.monotonic());
        return askedAtMs.length > MAX_CALLS ? new Promise(() => undefined) : { kind: 'no-table' };
      },
    };
    const commit = createGroupCommit({ tables, clock, random });

    const writing = commit.write(TABLE, 'p', insert('a', {}, 1000));
    await answers(clock, [writing.catch(() => undefined)], 25);

    await expect(writing).rejects.toThrow('A write did not succeed in time (late)');
    expect(askedAtMs).toEqual([0, 0, 150, 450]);
  });
});

describe('a write that storage rejects', () => {
  const bad = () => insert('not/a/key');

  it("given no other write, then it fails with storage's error", async () => {
    const { write, clock, calls } = await setUp();

    const [outcome] = await outcomes(clock, [write(bad())]);

    expect(outcome).toMatchObject({ reason: { code: 'http-400', isRejected: true } });
    expect(calls).toEqual({ commit: 1 });
  });

  it('given other writes in its transaction, then only it fails, and they are written', async () => {
    const { write, clock, memory } = await setUp();

    const [first, rejected, last] = await outcomes(clock, [write(insert('a')), write(bad()), write(insert('b'))]);

    expect(first).toMatchObject({ value: { kind: 'written' } });
    expect(rejected).toMatchObject({ reason: { code: 'http-400', isRejected: true } });
    expect(last).toMatchObject({ value: { kind: 'written' } });
    expect(memory.inspect(TABLE).map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('given a write after it, then that write is written', async () => {
    const { write, clock } = await setUp();

    await outcomes(clock, [write(bad())]);

    expect(kindsOf(await answers(clock, [write(insert('a'))]))).toEqual(['written']);
  });
});

describe('a write whose time is over', () => {
  it('given failures, then the write fails with a StorageError without any part of the row, and is not sent again', async () => {
    const { write, clock, sentAtMs } = await setUp({
      plan: ({ method }) => (method === 'commit' ? 'fail-after' : 'never'),
    });

    const writing = write(insert('secret-key', { value: 'secret' }, 5000), 'secret-part');
    const [outcome] = await outcomes(clock, [writing]);

    const error = (outcome as PromiseRejectedResult).reason as StorageError;
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ code: 'fault', isRejected: false });
    expect(error.message).toBe('A write did not succeed in time (fault). It is unknown whether the write took effect.');
    expect(Math.max(...sentAtMs)).toBeLessThanOrEqual(5000);
  });

  it('given no answer at all, then the write ends with the call that was under way', async () => {
    const { write, clock } = await setUp({ plan: () => 'never' });

    const [outcome] = await outcomes(clock, [write(insert('a', {}, 5000))]);

    expect(outcome).toMatchObject({ reason: { name: 'StorageError', code: 'timeout' } });
    expect(clock.monotonic()).toBeLessThan(5000 + 2 * ANSWERS_WITHIN_MS);
  });

  it('given a write that waits longer than its time, then it is never sent', async () => {
    const { write, clock, commits, gate } = await setUp();
    gate.close();

    const first = write(insert('a'));
    await endOfTurn();
    const second = write(insert('b', {}, 1000));
    clock.advance(1001);
    gate.open();
    const [, outcome] = await outcomes(clock, [first, second]);

    expect(outcome).toMatchObject({ reason: { name: 'StorageError', code: 'late' } });
    expect(keysOf(commits)).toEqual([['a']]);
  });

  it('given other writes in its transaction that have more time, then they are still written', async () => {
    const failing: Plan = ({ method, number }) => (method === 'commit' && number < 8 ? 'fail-before' : 'ok');
    const { write, clock, commits } = await setUp({ plan: failing });

    const [short, long] = await outcomes(clock, [write(insert('a', {}, 100)), write(insert('b'))]);

    expect(short).toMatchObject({ reason: { code: 'fault' } });
    expect(long).toMatchObject({ value: { kind: 'written' } });
    expect(keysOf(commits)).toEqual([['b']]);
  });

  it('given a sending at the very end of its time, then the write is written', async () => {
    const { write, clock } = await setUp();
    clock.advance(1000);

    expect(kindsOf(await answers(clock, [write(insert('a', {}, 1000))]))).toEqual(['written']);
  });
});
