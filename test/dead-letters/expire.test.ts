import { expireResolved } from '../../src/dead-letters/expire.js';
import { openApp } from './open-app.js';

const DAY_MS = 24 * 3_600_000;
const OURS = `failed/2026-01-01/${'d'.repeat(22)}.0.json`;

describe('when resolved dead letters expire', () => {
  it('given old and new dead letters of every kind, then the old ones are deleted', async () => {
    const { deadLetterStores, app, clock, names } = openApp();
    const { deadLetters, undelivered } = app.stores;
    await deadLetters.create(`resolved/${OURS}`, '{}');
    await deadLetters.create('edited/2026-01-01/old.json', '{}');
    await deadLetters.create('pending/failed/2026-01-01/old.0.json', '{}');
    await undelivered.create('resolved/A/old.json', '[]');
    await undelivered.create('A/waits.json', '[]');
    clock.advance(30 * DAY_MS);
    await deadLetters.create('resolved/failed/2026-01-01/new.0.json', '{}');
    await undelivered.create('resolved/A/new.json', '[]');
    clock.advance(1000);

    expect(await expireResolved(deadLetterStores, 30)).toBe(3);

    expect(await names()).toEqual(['pending/failed/2026-01-01/old.0.json', 'resolved/failed/2026-01-01/new.0.json']);
    expect(await names('undelivered')).toEqual(['A/waits.json', 'resolved/A/new.json']);
  });

  it('given a dead letter that is also in pending/, then it does not become pending again', async () => {
    const { deadLetterStores, app, clock, letters } = openApp();
    const { deadLetters, undelivered } = app.stores;
    await deadLetters.create(`resolved/${OURS}`, '{}');
    await deadLetters.create(`pending/${OURS}`, '{}');
    await undelivered.create('resolved/A/x.json', '[]');
    await undelivered.create('A/x.json', '[]');
    clock.advance(31 * DAY_MS);
    const deleted: string[] = [];
    const watched = {
      ...deadLetterStores,
      blobs: {
        ...deadLetterStores.blobs,
        async delete(name: string) {
          deleted.push(name);
          await deadLetterStores.blobs.delete(name);
        },
      },
    };

    await expireResolved(watched, 30);

    expect(deleted).toEqual([`pending/${OURS}`, `resolved/${OURS}`]);
    expect(await letters()).toEqual([]);
  });
});
