import type { BlobPage, BlobStore } from '../../src/storage/blob-store.js';

/** Storage gives times in whole seconds. */
const SECOND_MS = 1000;

/** The contract of a BlobStore. `make` returns a store whose container does not exist yet. */
export function blobStoreContract(make: () => BlobStore): void {
  let store = make();

  beforeEach(() => {
    store = make();
  });

  async function pages(prefix: string, limit: number): Promise<BlobPage[]> {
    const all: BlobPage[] = [];
    let next: string | undefined;
    do {
      const page = await store.list(prefix, { limit, ...(next !== undefined && { page: next }) });
      all.push(page);
      next = page.next;
    } while (next !== undefined && all.length < 100);
    return all;
  }

  describe('a container that does not exist yet', () => {
    it('given two preparations, then the container exists, and is empty', async () => {
      await store.prepare();
      await store.prepare();

      expect(await store.list('', { limit: 10 })).toEqual({ blobs: [], next: undefined });
    });

    it('given a read, a list or a delete, then the container counts as empty', async () => {
      expect(await store.read('a')).toBeUndefined();
      expect(await store.readText('a', 10)).toBeUndefined();
      expect(await store.copy('a', 'b')).toBe('absent');
      expect(await store.delete('a')).toBeUndefined();
      expect(await store.list('', { limit: 10 })).toEqual({ blobs: [], next: undefined });
    });

    it('given several blobs at once, then the container is created, and all blobs are written', async () => {
      const names = ['a', 'b', 'c', 'd'];

      const created = await Promise.all(names.map((name) => store.create(name, name)));

      expect(created).toEqual(['created', 'created', 'created', 'created']);
      expect(await Promise.all(names.map((name) => store.read(name)))).toEqual(names);
    });
  });

  describe('a blob', () => {
    it.each(['{"a": 1}', '', 'Zoë 漢字 🫀 \u2028', 'x'.repeat(1_000_000)])(
      'given its content, then it reads as written (case %#)',
      async (content) => {
        await store.create('a', content);

        expect(await store.read('a')).toBe(content);
      },
    );

    it('given a blob of its name, then nothing is written', async () => {
      await store.create('a', 'first');

      expect(await store.create('a', 'second')).toBe('exists');

      expect(await store.read('a')).toBe('first');
    });

    it('given two writers at the same time, then one creates it', async () => {
      await store.create('other', '');

      const answers = await Promise.all(['1', '2', '3'].map((content) => store.create('a', content)));

      expect(answers.sort()).toEqual(['created', 'exists', 'exists']);
    });

    it('given it is deleted, then the blob is absent, and can be created again', async () => {
      await store.create('a', 'first');

      await store.delete('a');
      await store.delete('a');

      expect(await store.read('a')).toBeUndefined();
      expect(await store.create('a', 'second')).toBe('created');
      expect(await store.read('a')).toBe('second');
    });

    it('given a name with slashes and signs, then the name finds it', async () => {
      const name = "pending/failed/2026-03-01/a%20b 'c' #?+é.0.json";
      await store.create(name, '{}');

      expect(await store.read(name)).toBe('{}');
      expect((await store.list('pending/', { limit: 10 })).blobs).toEqual([{ name, createdAt: expect.any(Date) }]);
    });
  });

  describe('a blob that another writer has written', () => {
    it.each([
      { given: 'text', content: 'Zoë 🫀', maxBytes: 9, then: { kind: 'text', text: 'Zoë 🫀' } },
      { given: 'no byte', content: '', maxBytes: 9, then: { kind: 'text', text: '' } },
      {
        given: 'too many bytes',
        content: 'Zoë',
        maxBytes: 3,
        then: { kind: 'not-text', why: 'too-large', text: 'Zo\uFFFD' },
      },
      {
        given: 'what is not UTF-8',
        content: Uint8Array.of(0x5a, 0xff, 0x6f),
        maxBytes: 9,
        then: { kind: 'not-text', why: 'not-utf8', text: 'Z\uFFFDo' },
      },
    ])('given $given, then the read returns its text, or why it is not text', async ({ content, maxBytes, then }) => {
      await store.create('a', content);

      expect(await store.readText('a', maxBytes)).toEqual(then);
    });

    it.each([[[]], [[0x5a, 0xff]], [Array(5_000_000).fill(7)]])(
      'given it is copied, then the copy has its bytes (case %#)',
      async (bytes) => {
        await store.create('a/x', Uint8Array.from(bytes as number[]));

        expect(await store.copy('a/x', 'b/a/x', { metadata: { by: 'Zoë' } })).toBe('created');

        const text = new TextDecoder().decode(Uint8Array.from(bytes as number[]));
        expect((await store.readText('b/a/x', 10_000_000))?.text === text).toBe(true);
        expect((await store.list('b/', { limit: 10 })).blobs).toMatchObject([
          { name: 'b/a/x', metadata: { by: 'Zoë' } },
        ]);
        expect(await store.readText('a/x', 10_000_000)).toBeDefined();
      },
    );

    it('given an earlier copy, then it stays unchanged; given two copies at once, then one is written', async () => {
      for (const name of ['a', 'b']) await store.create(name, name);

      expect(await store.copy('a', 'b')).toBe('exists');
      expect((await Promise.all(['a', 'b'].map((from) => store.copy(from, 'c')))).sort()).toEqual([
        'created',
        'exists',
      ]);

      expect(await store.read('b')).toBe('b');
    });
  });

  describe('a list', () => {
    it('given a prefix, then the list has the matching blobs in order, with the time of their creation', async () => {
      const before = Date.now();
      for (const name of ['p/b', 'p/a/2', 'q/a', 'p/a/1', 'p']) await store.create(name, '{}');

      const { blobs, next } = await store.list('p/', { limit: 10 });

      expect(blobs.map(({ name }) => name)).toEqual(['p/a/1', 'p/a/2', 'p/b']);
      expect(next).toBeUndefined();
      for (const { createdAt } of blobs) {
        expect(createdAt.getTime()).toBeGreaterThan(before - SECOND_MS);
        expect(createdAt.getTime()).toBeLessThan(Date.now() + SECOND_MS);
        expect(createdAt.getTime() % 1000).toBe(0);
      }
    });

    it('given metadata of a blob, then a list has them with its name, whatever they contain; empty texts are left out', async () => {
      const metadata = { reason: 'tries-spent', workflow: 'Zoë 漢字 100%', type: '' };
      await store.create('p/a', '{}', { metadata });
      await store.create('p/b', '{}', { metadata: { type: '' } });

      expect((await store.list('p/', { limit: 10 })).blobs).toEqual([
        { name: 'p/a', createdAt: expect.any(Date), metadata: { reason: 'tries-spent', workflow: 'Zoë 漢字 100%' } },
        { name: 'p/b', createdAt: expect.any(Date) },
      ]);
    });

    it.each([1, 2, 7, 100])('given pages of %i, then each blob is listed once, in order', async (limit) => {
      const names = Array.from({ length: 7 }, (_, i) => `p/${i}`);
      await Promise.all([...names, 'o', 'q'].map((name) => store.create(name, '')));

      const all = await pages('p/', limit);

      expect(all.flatMap(({ blobs }) => blobs.map(({ name }) => name))).toEqual(names);
      expect(Math.max(...all.map(({ blobs }) => blobs.length))).toBeLessThanOrEqual(limit);
    });
  });
}
