import { systemClock } from '../../../src/clock.js';
import { DeadLetters } from '../../../src/dead-letters/store/dead-letters.js';
import { createAzureBlobStore } from '../../../src/storage/azure-blob-store.js';
import { createMemoryBlobStore } from '../../../src/storage/memory-blob-store.js';
import { createFakeClock } from '../../../src/testing/index.js';
import { testConnection } from '../../azurite/connection.js';
import { addressFor } from '../../storage/ledger.contract.js';
import { deadLettersContract, letterOf } from './dead-letters.contract.js';

describe('dead letters in memory', () => deadLettersContract(() => createMemoryBlobStore({ clock: systemClock })));

describe('dead letters on Azurite', () =>
  deadLettersContract(() =>
    createAzureBlobStore({ kind: 'connection-string', connectionString: testConnection() }, crypto.randomUUID()),
  ));

describe('dead letters in memory, beyond the contract', () => {
  it('given dead letters of several days, then the count has the time of the oldest pending one', async () => {
    const clock = createFakeClock('2026-03-14T12:00:00.000Z');
    const deadLetters = new DeadLetters({ blobs: createMemoryBlobStore({ clock }) });
    const address = addressFor({ id: 'resolved' });
    await deadLetters.write(letterOf({ origin: { kind: 'job', address, redrives: 0 } }));
    for (const stage of ['unknown-workflow', 'failed', 'crash'] as const) {
      clock.advance(60_000);
      await deadLetters.write(letterOf({ stage }));
    }
    await deadLetters.resolve({ address, stages: ['failed'] }, 1);

    expect((await deadLetters.count(1000)).oldestAt).toEqual(new Date('2026-03-14T12:01:00.000Z'));
  });

  it('given more than a page of each kind, then each is counted once', async () => {
    const blobs = createMemoryBlobStore({ clock: systemClock });
    const deadLetters = new DeadLetters({ blobs });
    const name = (n: number) => `failed/2026-03-14/${String(n).padStart(22, '0')}.0.json`;
    for (let n = 0; n < 3_500; n += 1) await blobs.create(`pending/${name(n)}`, '{}');
    for (let n = 0; n < 3_500; n += 3) await blobs.create(`resolved/${name(n)}`, '{}');

    expect(await deadLetters.count(10_000)).toMatchObject({ byStage: { failed: 2_333 }, isMore: false });
  });
});
