import { systemClock as clock } from '../../clock.js';
import { readConfig } from '../../config.js';
import { composeApp } from '../../functions/compose.js';
import { systemRandom } from '../../functions/random.js';
import { readApp } from '../app-client.js';
import { withLocalSettings } from '../local-settings.js';
import { accountOf, type Values } from '../options.js';
import { readWithStorage } from '../provide-storage.js';
import { appSource } from './app-source.js';
import { type Source, storageSource } from './source.js';

/** A person waits, maybe on a slow connection. */
const STORAGE_CALL_MS = 30_000;

/** Connects to the dead letters. A verb first checks its options, then calls this function. */
export type Open = () => Promise<Source>;

/**
 * Connects to the app or to the storage that the options name, or to the storage of `npm start`; runs no part of the app.
 * `close` ends an Azurite that no other process uses.
 */
export async function connect(values: Values): Promise<{ readonly source: Source; close(): Promise<void> }> {
  const appRoot = process.cwd();
  const local = withLocalSettings(appRoot, process.env);
  const app = readApp(values, { env: local });
  if (app) return { source: appSource(app, values), close: async () => {} };
  const account = accountOf(values, 'account');
  const { config, azurite } = await readWithStorage(account === undefined ? local : accountEnv(account, values), {
    read: (env) => ({ config: readConfig(env) }),
    appRoot,
    clock,
    isRemote: account !== undefined,
  });
  const parts = {
    workflows: [],
    clock,
    random: systemRandom,
    telemetryWrite: () => {},
    storageCallMs: STORAGE_CALL_MS,
  };
  return {
    source: storageSource(composeApp(config, parts).deadLetterStores),
    close: async () => azurite?.release(),
  };
}

function accountEnv(account: string, values: Values): Record<string, string> {
  const undelivered = accountOf(values, 'undelivered-account');
  return { EventStorage__accountName: account, ...(undelivered && { UndeliveredStorage__accountName: undelivered }) };
}
