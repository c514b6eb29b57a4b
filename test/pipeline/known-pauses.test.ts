import { KnownPauses } from '../../src/pipeline/known-pauses.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';

function start({ chance = 0 } = {}) {
  const clock = createFakeClock();
  const lines: unknown[] = [];
  const storage = { paused: ['w'], isDown: false, reads: 0 };
  const list = async () => {
    storage.reads += 1;
    if (storage.isDown) throw new StorageError('unreachable', 'down');
    return storage.paused.map((workflow) => ({ workflow, since: '', by: '', why: '' }));
  };
  const pauses = new KnownPauses({
    clock,
    random: { number: () => chance },
    stores: { pauses: { list } },
    telemetry: { log: (...line) => void lines.push(line) },
  });
  return { clock, pauses, storage, lines };
}

describe('when a process asks which workflows are paused', () => {
  it('given several jobs at once, then they share one read', async () => {
    const { pauses, storage } = start();

    await Promise.all([pauses.refreshed(), pauses.refreshed()]);
    await pauses.refreshed();

    expect(storage.reads).toBe(1);
    expect([pauses.waitMs('w'), pauses.waitMs('other')]).toEqual([30_000, undefined]);
  });

  it('given 10 s have passed, then the next job reads, and other jobs wait for its read', async () => {
    const { clock, pauses, storage } = start();
    await pauses.refreshed();
    storage.paused = ['other'];

    clock.advance(9999);
    expect(pauses.refreshed()).toBeUndefined();
    clock.advance(1);
    const first = pauses.refreshed();
    const second = pauses.refreshed();

    expect(second).toBe(first);
    await first;
    expect([pauses.waitMs('w'), pauses.waitMs('other')]).toEqual([undefined, 30_000]);
    expect(storage.reads).toBe(2);
  });

  it('given a read that fails, then the last known pauses hold for 10 s more, and a line says so', async () => {
    const { clock, pauses, storage, lines } = start();
    await pauses.refreshed();
    storage.isDown = true;
    storage.paused = [];

    clock.advance(10_000);
    await pauses.refreshed();
    await pauses.refreshed();

    expect(pauses.waitMs('w')).toBe(30_000);
    expect(storage.reads).toBe(2);
    expect(lines).toEqual([['warn', 'pauses-not-read', { errorCode: 'unreachable' }]]);
    storage.isDown = false;
    clock.advance(10_000);
    await pauses.refreshed();
    expect(pauses.waitMs('w')).toBeUndefined();
  });

  it('given the first read fails, then the error is thrown, and the next job reads at once', async () => {
    const { pauses, storage } = start();
    storage.isDown = true;

    await expect(pauses.refreshed()).rejects.toThrow('down');
    storage.isDown = false;
    await pauses.refreshed();

    expect([storage.reads, pauses.waitMs('w')]).toEqual([2, 30_000]);
  });
});

describe('when many jobs of a paused workflow wait', () => {
  const waits = async (count: number, chance: number) => {
    const { pauses } = start({ chance });
    await pauses.refreshed();
    return Array.from({ length: count }, () => pauses.waitMs('w') as number);
  };

  it.each([
    { chance: 0, first: 30_000 },
    { chance: 0.999, first: 89_940 },
  ])('given chance $chance, then the first waits $first ms', async ({ chance, first }) => {
    expect((await waits(1, chance))[0]).toBe(first);
  });

  it('given 10,000 jobs, then at most 50 come back in a second', async () => {
    const all = await waits(10_000, 0);

    const busiest = Math.max(...[30, 100, 229].map((s) => all.filter((ms) => Math.floor(ms / 1000) === s).length));
    expect(busiest).toBe(50);
    expect(Math.max(...all)).toBe(229_980);
  });

  it('given a million jobs, then none waits longer than 11 minutes', async () => {
    expect(Math.max(...(await waits(1_000_000, 0.999)).slice(-1000))).toBe(659_940);
  });
});
