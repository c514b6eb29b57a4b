import { EventIndex } from '../../src/storage/event-index.js';
import type { Write, Written } from '../../src/storage/group-commit.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';

const KEY = { day: '20260314', id: 'i'.repeat(22), contentDigest: 'c'.repeat(22) };
const wanted = (untilMs = 1000) => ({ untilMs, isWanted: () => true });

/** An index whose writes are ended by the test. */
function open() {
  const writes: (Write & { end: (written: Written) => void; fail: () => void })[] = [];
  const index = new EventIndex({
    tables: createMemoryTableStore({ clock: createFakeClock() }),
    commit: {
      write: (_table, _partition, write) =>
        new Promise((end, fail) => void writes.push({ ...write, end, fail: () => fail(new Error('late')) })),
    },
  });
  return { index, writes };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the entry of an event', () => {
  it('given the jobs of several workflows, also later ones, then the entry is written once', async () => {
    const { index, writes } = open();
    for (let job = 0; job < 3; job += 1) index.addEntry(KEY, wanted());
    writes[0]?.end({ kind: 'written', etag: '' });
    await turn();

    index.addEntry(KEY, wanted());

    expect(writes.map(({ operation }) => operation.key)).toEqual([`!${KEY.id}.${KEY.contentDigest}`]);
  });

  it('given a job whose write conflicts and is repeated before its entry is dropped, then the entry is written', async () => {
    const { index, writes } = open();
    let isNew = true;
    index.addEntry(KEY, { untilMs: 1000, isWanted: () => isNew });
    isNew = false;
    index.addEntry(KEY, wanted());

    expect(writes).toHaveLength(1);
    expect(writes[0]?.isWanted?.()).toBe(true);
  });

  it('given no job waits for the entry, then it is dropped, and the next job writes it', async () => {
    const { index, writes } = open();
    index.addEntry(KEY, { untilMs: 1000, isWanted: () => false });
    expect(writes[0]?.isWanted?.()).toBe(false);
    writes[0]?.fail();
    await turn();

    index.addEntry(KEY, wanted());

    expect(writes).toHaveLength(2);
  });

  it('given its time is over, then the entry is written again only for a job that has more time', async () => {
    const { index, writes } = open();
    for (const caller of [wanted(), wanted(), wanted(5000)]) index.addEntry(KEY, caller);
    writes[0]?.fail();
    await turn();
    writes[1]?.fail();
    await turn();

    expect(writes.map(({ untilMs }) => untilMs)).toEqual([1000, 5000]);
  });

  it('given its table is being dropped, then the next job writes the entry', async () => {
    const { index, writes } = open();
    index.addEntry(KEY, wanted());
    writes[0]?.end({ kind: 'table-busy' });
    await turn();

    index.addEntry(KEY, wanted());

    expect(writes).toHaveLength(2);
  });
});
