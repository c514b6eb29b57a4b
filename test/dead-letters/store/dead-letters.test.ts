import { DeadLetters } from '../../../src/dead-letters/store/dead-letters.js';
import { createMemoryBlobStore } from '../../../src/storage/memory-blob-store.js';
import { createFakeClock } from '../../../src/testing/index.js';
import { letterOf } from './dead-letters.contract.js';

const ADDRESS = `20260314.${'i'.repeat(22)}.${'r'.repeat(22)}.tally`;
const STAGES = ['failed', 'crash', 'unknown-workflow'] as const;

const letter = (redrives: number) => letterOf({ origin: { kind: 'job', address: ADDRESS, redrives } });

function createContainer() {
  const blobs = createMemoryBlobStore({ clock: createFakeClock() });
  return { blobs, deadLetters: new DeadLetters({ blobs }), names: () => [...blobs.inspect().keys()].sort() };
}

describe('a dead letter', () => {
  it('given it is written twice, then one exists, as written first', async () => {
    const { blobs, deadLetters, names } = createContainer();

    await deadLetters.write(letter(0));
    const [first] = blobs.inspect().values();
    await deadLetters.write({ ...letter(0), reason: 'gave-up' });

    expect(names()).toEqual([expect.stringMatching(/^pending\/failed\/2026-03-14\/[\w-]{22}\.0\.json$/)]);
    expect([...blobs.inspect().values()]).toEqual([first]);
  });

  it('given a later redrive, then the earlier ones move, and the last stays', async () => {
    const { deadLetters, names } = createContainer();
    for (const redrives of [0, 1, 2]) await deadLetters.write(letter(redrives));

    await deadLetters.resolve({ address: ADDRESS, stages: STAGES }, 2);
    await deadLetters.resolve({ address: ADDRESS, stages: STAGES }, 2);

    expect(names().map((name) => name.replace(/[\w-]{22}/, ''))).toEqual([
      'pending/failed/2026-03-14/.2.json',
      'resolved/failed/2026-03-14/.0.json',
      'resolved/failed/2026-03-14/.1.json',
    ]);
  });

  it('given a former holder that writes it after it was moved, then it counts as resolved', async () => {
    const { deadLetters } = createContainer();
    await deadLetters.write(letter(0));
    await deadLetters.resolve({ address: ADDRESS, stages: STAGES }, 1);
    await deadLetters.write(letter(0));
    await deadLetters.write(letter(1));

    expect(await deadLetters.count(1000)).toMatchObject({ byStage: { failed: 1, invalid: 0 }, isMore: false });
  });

  it('given more than the limit, then the count says that there are more', async () => {
    const { deadLetters } = createContainer();
    for (const redrives of [0, 1, 2]) await deadLetters.write(letter(redrives));

    expect(await deadLetters.count(2)).toMatchObject({ byStage: { failed: 2 }, isMore: true });
  });

  it('given the time for counting is over, then no further page is read, and the count says whether there are more', async () => {
    const { deadLetters } = createContainer();
    await deadLetters.write({ ...letter(0), stage: 'invalid', origin: { kind: 'event', day: 'undated' } });
    const one = await deadLetters.count(1000, () => true);
    await deadLetters.write(letter(0));

    expect(one).toMatchObject({ byStage: { invalid: 1, failed: 0 }, isMore: false });
    expect(await deadLetters.count(1000, () => true)).toMatchObject({
      byStage: { invalid: 1, failed: 0 },
      isMore: true,
    });
  });

  it('given an invalid event, then its name follows from its payload and its day', async () => {
    const { deadLetters, names } = createContainer();
    const origin = { kind: 'event' as const, day: 'undated' };

    await deadLetters.write({ ...letter(0), stage: 'invalid', origin, event: { id: 'one' } });
    await deadLetters.write({
      ...letter(0),
      stage: 'invalid',
      origin: { kind: 'event', day: '20260401' },
      event: { id: 'two' },
    });

    expect(names()).toEqual([
      expect.stringMatching(/^pending\/invalid\/2026-04-01\/[\w-]{22}\.0\.json$/),
      expect.stringMatching(/^pending\/invalid\/undated\/[\w-]{22}\.0\.json$/),
    ]);
  });
});
