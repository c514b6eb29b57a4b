import type { StoredDeadLetter } from '../../src/dead-letters/store/dead-letter.js';
import { createAzureBlobStore } from '../../src/storage/azure-blob-store.js';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';
import { startProcess, type TestProcess } from '../local/test-process.js';

// The embedded host over a real Azurite, and deliveries in which all events are invalid.

const shared = { storage: process.env.TEST_STORAGE, pid: process.env.TEST_AZURITE_PID };
let app: TestProcess;
let url = '';

beforeAll(async () => {
  await startAzurite({ rootDir: process.cwd() });
  const env = { EventStorage: process.env.TEST_STORAGE ?? '', NIGHT_SERVER: 'http://127.0.0.1:1' };
  app = startProcess('src/local/host/main.ts', ['--app', 'test/processes/app', '--port', '0'], { env });
  await app.printed('Listening on');
  url = `http://127.0.0.1:${/Listening on \S+:(\d+)/.exec(app.output())?.[1]}`;
});

afterAll(async () => {
  await app.kill();
  await stopAzurite();
  process.env.TEST_STORAGE = shared.storage;
  process.env.TEST_AZURITE_PID = shared.pid;
});

async function deliver(events: readonly unknown[]): Promise<number> {
  const answer = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  return answer.status;
}

/** Of each dead letter, how many events it holds. */
async function lettersByName(): Promise<Map<string, number>> {
  const blobs = createAzureBlobStore(
    { kind: 'connection-string', connectionString: process.env.TEST_STORAGE ?? '' },
    'dead-letters',
  );
  const letters = new Map<string, number>();
  for (const { name } of (await blobs.list('pending/invalid/', { limit: 1000 })).blobs) {
    const { event, causes } = JSON.parse((await blobs.read(name)) ?? '') as StoredDeadLetter;
    letters.set(name, causes ? (event as unknown[]).length : 1);
  }
  return letters;
}

describe('when all events of a delivery are invalid', () => {
  it('given 100,000 that are the same, then they are acknowledged with one dead letter', async () => {
    expect(await deliver(Array.from({ length: 100_000 }, () => ({})))).toBe(202);

    expect([...(await lettersByName()).values()]).toEqual([1]);
  });

  it('given 5,001, then they are acknowledged with two dead letters, and a redelivery adds none', async () => {
    const before = await lettersByName();
    const events = Array.from({ length: 5001 }, (_, n) => ({ none: n }));

    expect(await deliver(events)).toBe(202);
    const letters = await lettersByName();
    expect(await deliver(events)).toBe(202);

    const added = [...letters].filter(([name]) => !before.has(name)).map(([, held]) => held);
    expect(added.sort((one, other) => one - other)).toEqual([1, 5000]);
    expect(await lettersByName()).toEqual(letters);
  });
});
