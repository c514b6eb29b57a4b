import { registerHealth } from '../../src/functions/health.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const clock = createFakeClock();
const refuse = async () => Promise.reject(new StorageError('forbidden', 'Of https://account/secret.'));
const neverAnswer = () => new Promise<never>(() => {});
const othersHaveAnswered = () => new Promise<void>(clock.endOfTurn);

function start(stores: NonNullable<Parameters<typeof composeMemoryApp>[0]>['stores'] = {}) {
  const functions = createFakeFunctions();
  const { app, clock } = composeMemoryApp({ stores });
  registerHealth(functions.app, app);
  return { functions, clock };
}

describe('when somebody asks whether the app is ready', () => {
  it('given storage that answers, then 200', async () => {
    const { functions } = start();

    expect(await functions.get('healthReady')).toEqual({
      status: 200,
      jsonBody: { ready: true, storage: { tables: 'ok', blobs: 'ok', queues: 'ok' } },
    });
  });

  it.each([
    { part: 'tables', stores: { tables: { ...createMemoryTableStore({ clock }), query: refuse } } },
    { part: 'workflow-tables', stores: { workflowTables: { ...createMemoryTableStore({ clock }), query: refuse } } },
    { part: 'blobs', stores: { deadLetters: { ...createMemoryBlobStore({ clock }), list: refuse } } },
    { part: 'queues', stores: { due: { ...createMemoryQueueStore({ clock }), length: refuse } } },
    { part: 'queues', stores: { dueLong: { ...createMemoryQueueStore({ clock }), length: refuse } } },
  ])('given $part that refuse, then 503 with their code and nothing else of the error', async ({ part, stores }) => {
    const { functions } = start(stores as object);

    const { status, jsonBody } = await functions.get('healthReady');

    expect(status).toBe(503);
    expect(jsonBody).toMatchObject({ ready: false, storage: { [part]: 'forbidden' } });
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });

  it.each([
    { part: 'tables', stores: { tables: { ...createMemoryTableStore({ clock }), query: neverAnswer } } },
    {
      part: 'workflow-tables',
      stores: { workflowTables: { ...createMemoryTableStore({ clock }), query: neverAnswer } },
    },
    { part: 'blobs', stores: { deadLetters: { ...createMemoryBlobStore({ clock }), list: neverAnswer } } },
    { part: 'queues', stores: { due: { ...createMemoryQueueStore({ clock }), length: neverAnswer } } },
    { part: 'queues', stores: { dueLong: { ...createMemoryQueueStore({ clock }), length: neverAnswer } } },
  ])('given $part that never answer, then 503 after 3 s', async ({ part, stores }) => {
    const { functions, clock } = start(stores as object);
    const parts = { tables: 'ok', blobs: 'ok', queues: 'ok' };

    const answer = functions.get('healthReady');
    await othersHaveAnswered();
    clock.advance(3000);

    expect(await answer).toEqual({
      status: 503,
      jsonBody: { ready: false, storage: { ...parts, [part]: 'timeout' } },
    });
  });
});

describe('when somebody asks whether the process lives', () => {
  it('given any storage, then 200, without a key', async () => {
    const { functions } = start({ deadLetters: { ...createMemoryBlobStore({ clock }), list: neverAnswer } });

    expect(await functions.get('healthLive')).toEqual({ jsonBody: { live: true } });
    expect(functions.optionsOf('healthLive')?.authLevel).toBe('anonymous');
  });
});
