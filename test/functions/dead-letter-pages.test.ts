import { listQuery } from '../../src/api/dead-letter-requests.js';
import type { App } from '../../src/functions/compose.js';
import { countPage, takePage } from '../../src/functions/dead-letters.js';
import type { ListedBlob } from '../../src/storage/blob-store.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createFakeClock } from '../../src/testing/index.js';

const COUNT = 25_000;
const EVERY = 500;
const PAGE = 1000;

/** A container with 25,000 dead letters, of which each 500th has the reason `rare`; and one of Event Grid's. */
function openStores(undelivered = 0) {
  let listed = 0;
  const blobAt = (index: number): ListedBlob => ({
    name: `pending/failed/2026-01-01/${String(index).padStart(22, '0')}.${index % 2}.json`,
    createdAt: new Date(`2026-01-01T12:00:${String(index % 60).padStart(2, '0')}.000Z`),
    metadata: { reason: index % EVERY === 0 ? 'rare' : 'usual' },
  });
  const blobs = {
    ...createMemoryBlobStore({ clock: createFakeClock() }),
    async list(prefix: string, { page = '0' }: { page?: string }) {
      if (!prefix.startsWith('pending/failed/')) return { blobs: [], next: undefined };
      listed += 1;
      const from = Number(page);
      const next = from + PAGE < COUNT ? String(from + PAGE) : undefined;
      return { blobs: Array.from({ length: PAGE }, (_, index) => blobAt(from + index)), next };
    },
  };
  const clock = createFakeClock();
  const ofEventGrid = {
    ...createMemoryBlobStore({ clock: createFakeClock() }),
    async list() {
      const names = Array.from({ length: undelivered }, (_, index) => `A/${String(index).padStart(6, '0')}.json`);
      return { blobs: names.map((name) => ({ name, createdAt: new Date(0) })), next: undefined };
    },
    readText: async () => ({ kind: 'text' as const, text: '[{"deadLetterReason":"TimeToLiveExceeded"}]' }),
  };
  const stores = { blobs, undelivered: ofEventGrid, clock } as unknown as App['deadLetterStores'];
  return { stores, clock, listed: () => listed };
}

const afterOf = (next: string) => listQuery.parse({ after: next }).after;

describe('when few among many dead letters are asked for', () => {
  it('given a filter, then a request looks at 11,000 names, and the pages together have each match once', async () => {
    const { stores, listed } = openStores();
    const pages: number[] = [];
    const ids = new Set<string>();
    let next: string | null = null;
    do {
      const before = listed();
      const page: Awaited<ReturnType<typeof takePage>> = await takePage(
        { filter: { reason: 'rare' }, limit: 100, after: next ? afterOf(next) : undefined },
        stores,
      );
      expect(listed() - before).toBeLessThanOrEqual(11);
      for (const { id } of page.letters) ids.add(id);
      pages.push(page.letters.length);
      ({ next } = page);
    } while (next);

    expect(pages).toEqual([22, 22, 6]);
    expect(ids.size).toBe(COUNT / EVERY);
  });

  it('given a time in which no dead letter was written, then a request ends early, too', async () => {
    const { stores, listed } = openStores();

    const { letters, next } = await takePage({ filter: { from: new Date('2027-01-01') }, limit: 100 }, stores);

    expect([letters, typeof next, listed()]).toEqual([[], 'string', 11]);
  });

  it('given storage is slow, then a request looks at one page, and the next one at the next', async () => {
    const { stores, clock, listed } = openStores();
    const list: typeof stores.blobs.list = (...of) => {
      clock.advance(6000);
      return stores.blobs.list(...of);
    };
    const from = { filter: { reason: 'rare' }, limit: 100 };

    const first = await takePage(from, { ...stores, blobs: { ...stores.blobs, list } });
    const second = await takePage({ ...from, after: afterOf(first.next ?? '') }, stores);

    expect([first.letters.length, second.letters[0]?.id, listed()]).toEqual([
      2,
      'failed.2026-01-01.0000000000000000001000.0',
      12,
    ]);
  });

  it('given blobs of Event Grid, which must be read, then a request reads 1,100 of them', async () => {
    const { stores } = openStores(1500);
    const filter = { stage: 'undelivered', reason: 'another' } as const;

    const first = await takePage({ filter, limit: 100 }, stores);
    const second = await takePage({ filter, limit: 100, after: afterOf(first.next ?? '') }, stores);

    expect([first.letters, first.next, second]).toEqual([[], expect.any(String), { letters: [], next: null }]);
  });
});

describe('when many dead letters are counted', () => {
  it('given more dead letters than a request reads, then `next` is where the next request continues, and the counts add up', async () => {
    const { stores } = openStores();
    const counts: number[] = [];
    const redriven: number[] = [];
    let next: string | null = null;
    do {
      const count: Awaited<ReturnType<typeof countPage>> = await countPage(
        { filter: {}, by: ['reason'], after: next ? afterOf(next) : undefined },
        stores,
      );
      expect(count.isMore).toBe(count.next !== null);
      counts.push(count.letters);
      redriven.push(...count.groups.map((group) => group.redriven));
      ({ next } = count);
    } while (next);

    expect(counts).toEqual([11_000, 11_000, 3000]);
    expect(redriven).toEqual([5500, 0, 5500, 0, 1500, 0]);
  });

  it('given a cause, then the answer names its oldest and its newest dead letter', async () => {
    const { stores } = openStores();

    const { groups } = await countPage({ filter: { reason: 'rare' }, by: ['reason'] }, stores);

    expect(groups).toMatchObject([
      {
        ...{ letters: 22, oldestAt: '2026-01-01T12:00:00.000Z', newestAt: '2026-01-01T12:00:40.000Z' },
        example: 'failed.2026-01-01.0000000000000000000000.0',
        newest: 'failed.2026-01-01.0000000000000000001000.0',
      },
    ]);
  });
});

describe('when dead letters come and go after their cause was counted', () => {
  const EACH = 100;
  const nameOf = (index: number, sign = 'a') =>
    `pending/failed/2026-01-01/${String(index).padStart(21, '0')}${sign}.0.json`;
  const idOf = (index: number) => `failed.2026-01-01.${String(index).padStart(21, '0')}a.0`;

  /** 3,000 dead letters, of which each hundredth has the reason `rare`: those from 700 to 2,600. */
  async function openCounted() {
    const clock = createFakeClock();
    const blobs = createMemoryBlobStore({ clock });
    const write = (name: string, reason: string) => blobs.create(name, '{}', { metadata: { reason } });
    for (let index = 0; index < 3000; index += 1) {
      await write(nameOf(index), index % EACH === 0 && index >= 700 && index <= 2600 ? 'rare' : 'usual');
    }
    const undelivered = createMemoryBlobStore({ clock });
    const stores = { blobs, undelivered, clock } as unknown as App['deadLetterStores'];
    const { groups } = await countPage({ filter: {}, by: ['reason'] }, stores);
    const rare = groups.find(({ by }) => by.reason === 'rare');
    clock.advance(1000);
    return {
      blobs,
      stores,
      write,
      part: listQuery.parse({ after: rare?.after, until: rare?.until, to: rare?.newestAt }),
    };
  }

  it.each([7, 14])(
    'given pages of %i, then the part of the cause has each that was counted and is pending, once',
    async (limit) => {
      const { blobs, stores, write, part } = await openCounted();
      for (const index of [0, 699, 701, 1550, 2599, 2600, 2601, 2999]) await write(nameOf(index, 'b'), 'rare');
      for (const index of [700, 1500, 2600]) await blobs.delete(nameOf(index));
      await write(nameOf(1600).replace('pending', 'resolved'), 'rare');
      const { after, until, to } = part;
      const ids: string[] = [];

      for (let from = after; ; ) {
        const page = await takePage({ filter: { reason: 'rare', to }, after: from, until, limit }, stores);
        ids.push(...page.letters.map(({ id }) => id));
        if (page.next === null) break;
        from = afterOf(page.next);
      }

      expect(ids).toEqual(
        Array.from({ length: 20 }, (_, index) => 700 + index * EACH)
          .filter((index) => ![700, 1500, 1600, 2600].includes(index))
          .map(idOf),
      );
    },
  );

  it('given dead letters of the same second, then the part has those that were counted, and no others', async () => {
    const { stores, write, part } = await openCounted();
    for (const index of [0, 698, 701, 1550, 2599, 2600, 2999]) await write(nameOf(index, 'b'), 'rare');
    const { after, until } = part;

    const { letters } = await takePage({ filter: { reason: 'rare' }, after, until, limit: 1000 }, stores);

    expect(letters.length).toBe(20 + 3);
  });

  it('given the part of a cause, then no name after it is read', async () => {
    const { blobs, stores, part } = await openCounted();
    const seen: string[] = [];
    const list: typeof blobs.list = async (...of) => {
      const page = await blobs.list(...of);
      if (of[0] === 'pending/failed/') seen.push(...page.blobs.map(({ name }) => name));
      return page;
    };

    await takePage(
      {
        filter: { reason: 'rare' },
        after: part.after,
        until: { ...part.until, stage: 'failed', name: nameOf(700).slice(8) },
        limit: 1000,
      },
      { ...stores, blobs: { ...blobs, list } },
    );

    expect(seen.length).toBe(1000);
  });
});
