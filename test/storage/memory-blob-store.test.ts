import { systemClock } from '../../src/clock.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { blobStoreContract } from './blob-store.contract.js';

describe('a blob store in memory', () => blobStoreContract(() => createMemoryBlobStore({ clock: systemClock })));

describe('a blob store in memory, beyond the contract', () => {
  it('given blobs, then inspect shows them at once', async () => {
    const store = createMemoryBlobStore({ clock: systemClock });
    await store.create('a', '1');

    expect([...store.inspect()]).toEqual([['a', '1']]);
  });
});
