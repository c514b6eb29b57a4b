import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { Clock } from '../clock.js';
import { type Config, namesStorage } from '../config.js';
import type { Env } from '../config-reader.js';
import { accountOf } from '../storage/storage-connection.js';
import { type Azurite, useAzurite } from './azurite.js';
import { StartError } from './host/start-error.js';

const USUAL_PORTS = [10_000, 10_001, 10_002];
const DEVELOPMENT_STORAGE = 'UseDevelopmentStorage=true';
/** Azurite takes seconds to answer while other programs use the whole machine. */
const ANSWER_MS = 15_000;

type WithStorage<R> = {
  /** Reads and checks settings. */
  readonly read: (env: Env) => R;
  readonly appRoot: string;
  readonly clock: Clock;
  /** True for an app in Azure, whose storage is not provided here. */
  readonly isRemote?: boolean;
};

/**
 * Reads settings, and provides the storage that they name. Returns the result of `read`; in `env` the settings, which
 * name the provided storage; and the Azurite to release at the end, if there is one.
 * @throws StartError as `provideStorage`, and what `read` throws
 */
export async function readWithStorage<R extends { readonly config: Config }>(
  env: Env,
  { read, appRoot, clock, isRemote = false }: WithStorage<R>,
): Promise<R & { readonly env: Env; readonly azurite: Azurite | undefined }> {
  const isNamed = namesStorage(env);
  const first = read(isNamed ? env : { ...env, AzureWebJobsStorage: DEVELOPMENT_STORAGE });
  const { storage, storageConnection } = first.config;
  const azurite = isRemote ? undefined : await provideStorage(appRoot, isNamed ? storage : undefined, clock);
  if (!azurite) return { ...first, env, azurite };
  const connected = { ...env, [storageConnection]: azurite.connectionString };
  return { ...read(connected), env: connected, azurite };
}

/**
 * Provides storage. Returns the Azurite to release at the end, if there is one.
 * - The settings name no storage: starts the project's own Azurite.
 * - They name UseDevelopmentStorage=true: uses the Azurite on the usual ports, or starts the project's own there.
 * - They name another storage: only checks that it answers.
 * @throws StartError when `.local` cannot be written, or storage does not answer.
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

/** Starts Azurite on the usual ports, or on other ports where another program has or takes them. */
async function startAzurite(folder: string, clock: Clock): Promise<Azurite> {
  if (await areUsualPortsFree()) {
    try {
      return await useAzurite({ folder, ports: USUAL_PORTS }, clock);
    } catch (error) {
      if (!(error instanceof StartError)) throw error; // a problem that is not the ports' is reported by the second start
    }
  }
  return useAzurite({ folder, ports: [0, 0, 0] }, clock);
}

async function areUsualPortsFree(): Promise<boolean> {
  return (await Promise.all(USUAL_PORTS.map(isFree))).every(Boolean);
}

function makeFolder(appRoot: string): string {
  const folder = join(appRoot, '.local', 'azurite');
  const testFile = join(folder, 'probe');
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(testFile, '');
    rmSync(testFile);
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
    accountOf(connectionString, 'table').url,
    BlobServiceClient.fromConnectionString(connectionString).url,
    QueueServiceClient.fromConnectionString(connectionString).url,
  ];
}

/** Checks that storage answers. A refusal counts as an answer, because the app itself reports it. */
async function checkAnswers(endpoint: string): Promise<void> {
  const { origin } = new URL(endpoint); // without the shared access signature that can follow
  try {
    await fetch(origin, { signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    const { cause } = error as Error;
    const why = cause instanceof Error && 'code' in cause ? cause.code : (error as Error).name;
    throw new StartError(
      `Storage does not answer at ${origin} (${why}). Start it, or remove its connection from the settings: npm start then starts its own Azurite.`,
    );
  }
}
