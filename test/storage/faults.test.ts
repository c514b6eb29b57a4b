import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { Operation } from '../../src/storage/table-store.js';
import { type CallInfo, type Fault, faultyBlobs, faultyQueue, faultyTables } from './faults.js';
import { createMemoryQueueStore } from './memory-queue-store.js';
import { createTestClock } from './test-clock.js';

const operations: Operation[] = [{ kind: 'insert', key: 'k', row: {} }];
const clock = createTestClock();

async function answerOf(call: Promise<unknown>): Promise<'answers' | 'throws' | 'nothing'> {
  const nothing = new Promise<'nothing'>((resolve) => setImmediate(() => resolve('nothing')));
  return Promise.race([call.then(() => 'answers' as const).catch(() => 'throws' as const), nothing]);
}

describe.each<{ fault: Fault; answer: string; effect: boolean; afterRelease: boolean }>([
  { fault: 'ok', answer: 'answers', effect: true, afterRelease: true },
  { fault: 'fail-before', answer: 'throws', effect: false, afterRelease: false },
  { fault: 'fail-after', answer: 'throws', effect: true, afterRelease: true },
  { fault: 'never', answer: 'nothing', effect: false, afterRelease: false },
  { fault: 'never-after', answer: 'nothing', effect: true, afterRelease: true },
  { fault: 'late', answer: 'nothing', effect: false, afterRelease: true },
])('a call planned as $fault', ({ fault, answer, effect, afterRelease }) => {
  it('given tables, then their calls fail as planned', async () => {
    const memory = createMemoryTableStore({ clock });
    await memory.create('rows');
    const tables = faultyTables(memory, () => fault);

    expect(await answerOf(tables.commit('rows', 'p', operations))).toBe(answer);
    expect(memory.inspect('rows')).toHaveLength(effect ? 1 : 0);
    await tables.release();
    expect(memory.inspect('rows')).toHaveLength(afterRelease ? 1 : 0);
  });

  it('given blobs, then their calls fail as planned', async () => {
    const memory = createMemoryBlobStore({ clock });
    const blobs = faultyBlobs(memory, () => fault);

    expect(await answerOf(blobs.create('b', '{}'))).toBe(answer);
    expect(memory.inspect().size).toBe(effect ? 1 : 0);
    await blobs.release();
    expect(memory.inspect().size).toBe(afterRelease ? 1 : 0);
  });

  it('given a queue, then its calls fail as planned', async () => {
    const memory = createMemoryQueueStore({ clock });
    const queue = faultyQueue(memory, () => fault);

    expect(await answerOf(queue.send('wake'))).toBe(answer);
    expect(memory.inspect()).toHaveLength(effect ? 1 : 0);
    await queue.release();
    expect(memory.inspect()).toHaveLength(afterRelease ? 1 : 0);
  });
});

describe('a plan', () => {
  it('given calls, then each is reported with its kind and its object', async () => {
    const calls: CallInfo[] = [];
    const tables = faultyTables(createMemoryTableStore({ clock }), (call) => {
      calls.push(call);
      return 'ok';
    });

    await tables.create('rows');
    await tables.commit('rows', 'p', operations);
    await tables.list('r');

    expect(calls).toEqual([
      { number: 1, method: 'create', on: 'rows' },
      { number: 2, method: 'commit', on: 'rows' },
      { number: 3, method: 'list', on: 'r' },
    ]);
  });
});
