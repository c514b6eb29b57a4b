import type { DeadLetter } from '../../../src/dead-letters/store/dead-letter.js';
import { DeadLetters } from '../../../src/dead-letters/store/dead-letters.js';
import { STAGES } from '../../../src/dead-letters/store/names.js';
import type { BlobStore } from '../../../src/storage/blob-store.js';
import { addressFor } from '../../storage/ledger.contract.js';

const JOB_STAGES = ['failed', 'crash', 'unknown-workflow'] as const;
const DIGEST = /[\w-]{22}/;

/** The contract of dead letters. `makeBlobs` returns a container that does not exist yet; every test has its own. */
export function deadLettersContract(makeBlobs: () => BlobStore): void {
  let blobs: BlobStore;
  let deadLetters: DeadLetters;

  beforeEach(() => {
    blobs = makeBlobs();
    deadLetters = new DeadLetters({ blobs });
  });

  async function names(prefix = ''): Promise<string[]> {
    const all: string[] = [];
    for (let page: string | undefined, first = true; first || page; first = false) {
      const answer = await blobs.list(prefix, { limit: 1000, ...(page ? { page } : {}) });
      all.push(...answer.blobs.map(({ name }) => name));
      page = answer.next;
    }
    return all;
  }

  /** Returns the blobs' names without digests. */
  const shortNames = async () => (await names()).map((name) => name.replace(DIGEST, '…')).sort();

  describe('a dead letter', () => {
    it('given a job, then it holds what happened and the event as received, under a name made from the job', async () => {
      const letter = letterOf({
        event: { id: 'e', data: { text: 'Zoë 漢字 🫀' } },
        problems: [{ path: 'data', code: 'x' }],
      });

      await deadLetters.write(letter);

      const [name = ''] = await names();
      const { origin: _, ...rest } = letter;
      expect(name).toMatch(/^pending\/failed\/2026-03-14\/[\w-]{22}\.0\.json$/);
      expect(JSON.parse((await blobs.read(name)) ?? '')).toEqual({ ...rest, address: addressFor({}), redrives: 0 });
    });

    it('given several writers, at once and later, then one dead letter exists, as written first', async () => {
      await Promise.all([1, 2, 3].map(() => deadLetters.write(letterOf({ reason: 'first' }))));
      await deadLetters.write(letterOf({ reason: 'later' }));

      const [name = '', ...others] = await names();

      expect(others).toEqual([]);
      expect(JSON.parse((await blobs.read(name)) ?? '')).toMatchObject({ reason: 'first' });
    });

    it('given other jobs, stages, redrives and events, then each has its own dead letter, on its own day', async () => {
      for (const stage of JOB_STAGES) await deadLetters.write(letterOf({ stage }));
      for (const fields of [{ workflow: 'other' }, { id: 'other' }, { day: '20260401' }, { day: 'undated' }]) {
        await deadLetters.write(letterOf({ origin: { kind: 'job', address: addressFor(fields), redrives: 0 } }));
      }
      await deadLetters.write(letterOf({ origin: { kind: 'job', address: addressFor({}), redrives: 12 } }));
      for (const event of [{ id: 'e' }, { id: 'f' }, 'text', null]) {
        await deadLetters.write(letterOf({ stage: 'invalid', origin: { kind: 'event', day: '20260402' }, event }));
      }
      await deadLetters.write(letterOf({ stage: 'invalid', origin: { kind: 'event', day: 'undated' } }));

      expect(new Set(await names()).size).toBe(13);
      expect(await shortNames()).toEqual([
        'pending/crash/2026-03-14/….0.json',
        'pending/failed/2026-03-14/….0.json',
        'pending/failed/2026-03-14/….0.json',
        'pending/failed/2026-03-14/….0.json',
        'pending/failed/2026-03-14/….12.json',
        'pending/failed/2026-04-01/….0.json',
        'pending/failed/undated/….0.json',
        'pending/invalid/2026-04-02/….0.json',
        'pending/invalid/2026-04-02/….0.json',
        'pending/invalid/2026-04-02/….0.json',
        'pending/invalid/2026-04-02/….0.json',
        'pending/invalid/undated/….0.json',
        'pending/unknown-workflow/2026-03-14/….0.json',
      ]);
    });
  });

  describe('when a job is over', () => {
    it('given dead letters of several redrives and stages, then the earlier ones move with their content', async () => {
      const originOf = (redrives: number) => ({ kind: 'job', address: addressFor({}), redrives }) as const;
      await deadLetters.write(letterOf({ stage: 'failed', origin: originOf(0) }));
      await deadLetters.write(letterOf({ stage: 'crash', origin: originOf(1) }));
      await deadLetters.write(letterOf({ stage: 'failed', origin: originOf(2) }));
      await deadLetters.write(letterOf({ origin: { kind: 'job', address: addressFor({ id: 'other' }), redrives: 0 } }));
      const [crash = ''] = await names('pending/crash/');
      const content = await blobs.read(crash);

      await deadLetters.resolve({ address: addressFor({}), stages: JOB_STAGES }, 2);

      expect(await shortNames()).toEqual([
        'pending/failed/2026-03-14/….0.json',
        'pending/failed/2026-03-14/….2.json',
        'resolved/crash/2026-03-14/….1.json',
        'resolved/failed/2026-03-14/….0.json',
      ]);
      expect(await blobs.read(crash.replace('pending', 'resolved'))).toBe(content);
    });

    it('given only some stages, then dead letters of others stay', async () => {
      for (const stage of JOB_STAGES) await deadLetters.write(letterOf({ stage }));

      await deadLetters.resolve({ address: addressFor({}), stages: ['crash'] }, 1);

      expect(await shortNames()).toEqual([
        'pending/failed/2026-03-14/….0.json',
        'pending/unknown-workflow/2026-03-14/….0.json',
        'resolved/crash/2026-03-14/….0.json',
      ]);
    });

    it('given the move is repeated, or there is nothing to move, then nothing changes', async () => {
      await deadLetters.resolve({ address: addressFor({}), stages: JOB_STAGES }, 3);
      await deadLetters.write(letterOf({ reason: 'first' }));
      const all = () => deadLetters.resolve({ address: addressFor({}), stages: JOB_STAGES }, 3);

      await all();
      await all();

      expect(await shortNames()).toEqual(['resolved/failed/2026-03-14/….0.json']);
    });

    it('given a move that died half-way, then the next one completes it, and resolved dead letters stay unchanged', async () => {
      await deadLetters.write(letterOf({ reason: 'first' }));
      const [name = ''] = await names();
      await blobs.create(name.replace('pending', 'resolved'), '{"reason":"copied"}');

      await deadLetters.resolve({ address: addressFor({}), stages: JOB_STAGES }, 1);

      expect(await shortNames()).toEqual(['resolved/failed/2026-03-14/….0.json']);
      expect(await blobs.read(name.replace('pending', 'resolved'))).toBe('{"reason":"copied"}');
    });
  });

  describe('when pending dead letters are counted', () => {
    it('given none, then the count is 0', async () => {
      expect(await deadLetters.count(10)).toEqual({
        byStage: { invalid: 0, failed: 0, crash: 0, 'unknown-workflow': 0 },
        byReason: {},
        isMore: false,
        oldestAt: undefined,
      });
    });

    it('given dead letters of every stage, some resolved and some in both places, then only those that are just pending count', async () => {
      for (const stage of STAGES) {
        for (let n = 0; n < 6; n += 1) {
          const origin =
            stage === 'invalid'
              ? ({ kind: 'event', day: '20260314' } as const)
              : ({ kind: 'job', address: addressFor({ id: `event-${n}` }), redrives: 0 } as const);
          await deadLetters.write(letterOf({ stage, origin, event: { n }, reason: n < 2 ? 'gave-up' : 'tries-spent' }));
        }
      }
      const failed = await names('pending/failed/');
      for (const name of failed.filter((_, index) => index % 2 === 0)) {
        await blobs.create(name.replace('pending', 'resolved'), '{}');
      }
      await blobs.create('resolved/failed/0000-00-00/first.0.json', '{}');
      await blobs.create('resolved/failed/9999-99-99/last.0.json', '{}');

      expect(await deadLetters.count(1000)).toEqual({
        byStage: { invalid: 6, failed: 3, crash: 6, 'unknown-workflow': 6 },
        byReason: { 'gave-up': expect.any(Number), 'tries-spent': expect.any(Number) },
        isMore: false,
        oldestAt: expect.any(Date),
      });
    });

    it('given as many as the limit, then the count says that there may be more', async () => {
      for (const redrives of [0, 1, 2]) {
        await deadLetters.write(letterOf({ origin: { kind: 'job', address: addressFor({}), redrives } }));
      }

      expect(await deadLetters.count(4)).toMatchObject({ byStage: { failed: 3 }, isMore: false });
      expect(await deadLetters.count(3)).toMatchObject({ byStage: { failed: 3 }, isMore: false });
      expect(await deadLetters.count(2)).toMatchObject({ byStage: { failed: 2 }, isMore: true });
    });
  });
}

export function letterOf(fields: Partial<DeadLetter> = {}): DeadLetter {
  return {
    stage: 'failed',
    origin: { kind: 'job', address: addressFor({}), redrives: 0 },
    reason: 'tries-spent',
    workflow: 'tally',
    error: { name: 'Error', code: 'error', message: '' },
    tries: 8,
    deadLetteredAt: '2026-03-14T12:00:00.000Z',
    event: { id: 'e' },
    ...fields,
  };
}
