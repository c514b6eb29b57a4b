import type { StoredDeadLetter } from '../../src/dead-letters/store/dead-letter.js';
import { createAzureBlobStore } from '../../src/storage/azure-blob-store.js';
import { startProcess, type TestProcess, urlOf } from '../local/test-process.js';
import { useOwnAzurite } from './own-azurite.js';

// The embedded host runs over a real Azurite and receives deliveries in which all events are invalid.

const azurite = useOwnAzurite();
let app: TestProcess;
let url = '';

beforeAll(async () => {
  const env = { EventStorage: azurite.connectionString(), NIGHT_SERVER: 'http://127.0.0.1:1' };
  app = startProcess('src/local/host/main.ts', ['--app', 'test/processes/app', '--port', '0'], { env });
  url = await urlOf(app);
});

afterAll(() => app.kill());

async function deliver(events: readonly unknown[]): Promise<number> {
  const answer = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  return answer.status;
}

/** The number of events in each dead letter, by the name of its blob. */
async function eventCounts(): Promise<Map<string, number>> {
  const blobs = createAzureBlobStore(
    { kind: 'connection-string', connectionString: azurite.connectionString() },
    'dead-letters',
  );
  const counts = new Map<string, number>();
  for (const { name } of (await blobs.list('pending/invalid/', { limit: 1000 })).blobs) {
    const { event, causes } = JSON.parse((await blobs.read(name)) ?? '') as StoredDeadLetter;
    counts.set(name, causes ? (event as unknown[]).length : 1);
  }
  return counts;
}

describe('when all events of a delivery are invalid', () => {
  it('given 100,000 equal events, then the app acknowledges them and writes one dead letter', async () => {
    expect(await deliver(Array.from({ length: 100_000 }, () => ({})))).toBe(202);

    expect([...(await eventCounts()).values()]).toEqual([1]);
  });

  it('given 5,001 different events, then the app writes two dead letters, and a redelivery adds none', async () => {
    const before = await eventCounts();
    const events = Array.from({ length: 5001 }, (_, n) => ({ none: n }));

    expect(await deliver(events)).toBe(202);
    const counts = await eventCounts();
    expect(await deliver(events)).toBe(202);

    const added = [...counts].filter(([name]) => !before.has(name)).map(([, held]) => held);
    expect(added.sort((one, other) => one - other)).toEqual([1, 5000]);
    expect(await eventCounts()).toEqual(counts);
  });
});
