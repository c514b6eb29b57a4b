import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { type Azurite, useAzurite } from './azurite.js';
import { StartError } from './host/start-error.js';

const USUAL_PORTS = [10_000, 10_001, 10_002];
const DEVELOPMENT_STORAGE = 'UseDevelopmentStorage=true';
const ANSWER_MS = 5000;

/**
 * Sees to it that there is a storage: an Azurite of our own where the settings name none, the one on the usual ports
 * for UseDevelopmentStorage=true, started where none answers, and any other as it is.
 * @returns the Azurite to release in the end, if it is one.
 * @throws StartError where `.local` cannot be written, or storage does not answer.
 */
export async function provideStorage(
  appRoot: string,
  storage: Config['storage'] | undefined,
  clock: Clock,
): Promise<Azurite | undefined> {
  if (storage === undefined) return startAzurite(makeFolder(appRoot), clock);
  const isDevelopment = storage.kind === 'connection-string' && storage.connectionString === DEVELOPMENT_STORAGE;
  if (isDevelopment && (await areUsualPortsFree())) {
    return useAzurite({ folder: makeFolder(appRoot), ports: USUAL_PORTS }, clock);
  }
  await Promise.all(endpointsOf(storage).map(checkAnswers));
  return undefined;
}

/** On the usual ports, or on others where those are taken, also where that happens just now. */
async function startAzurite(folder: string, clock: Clock): Promise<Azurite> {
  if (await areUsualPortsFree()) {
    try {
      return await useAzurite({ folder, ports: USUAL_PORTS }, clock);
    } catch (error) {
      if (!(error instanceof StartError)) throw error; // trouble of another kind is met again, and told, with other ports
    }
  }
  return useAzurite({ folder, ports: [0, 0, 0] }, clock);
}

async function areUsualPortsFree(): Promise<boolean> {
  return (await Promise.all(USUAL_PORTS.map(isFree))).every(Boolean);
}

function makeFolder(appRoot: string): string {
  const folder = join(appRoot, '.local', 'azurite');
  const probe = join(folder, 'probe');
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(probe, '');
    rmSync(probe);
    return folder;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new StartError(`${folder} cannot be written (${code}). Azurite keeps its data there: make it writable.`);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function endpointsOf(storage: Config['storage']): string[] {
  if (storage.kind === 'identity') return [storage.tableServiceUri, storage.blobServiceUri, storage.queueServiceUri];
  const { connectionString } = storage;
  return [
    TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true }).url,
    BlobServiceClient.fromConnectionString(connectionString).url,
    QueueServiceClient.fromConnectionString(connectionString).url,
  ];
}

/** Any answer will do: whether we may is for the app to find out. */
async function checkAnswers(endpoint: string): Promise<void> {
  const { origin } = new URL(endpoint); // A shared access signature may follow it.
  try {
    await fetch(origin, { signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    const { cause } = error as Error;
    const why = cause instanceof Error && 'code' in cause ? cause.code : (error as Error).name;
    throw new StartError(
      `Storage does not answer at ${origin} (${why}). Start it, or take its connection out of the settings: then npm start brings an Azurite of its own.`,
    );
  }
}
