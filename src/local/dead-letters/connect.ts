import { systemClock as clock } from '../../clock.js';
import { namesStorage, readConfig } from '../../config.js';
import { composeApp } from '../../functions/compose.js';
import { systemRandom } from '../../functions/random.js';
import { readApp } from '../app-client.js';
import { withLocalSettings } from '../local-settings.js';
import { accountOf } from '../options.js';
import { provideStorage } from '../provide-storage.js';
import { appSource } from './app-source.js';
import type { Values } from './options.js';
import { type Source, storageSource } from './source.js';

/** A person waits, maybe on a slow connection. */
const STORAGE_CALL_MS = 30_000;

/** Connects to the dead letters; called once the options are valid. */
export type Open = () => Promise<Source>;

/** The dead letters of a verb. `close` ends an Azurite that no other process uses. */
export type Connected = { readonly source: Source; close(): Promise<void> };

/** Connects to the app or to the storage that the options name, or to the storage of `npm start`; runs no part of the app. */
export async function connect(values: Values): Promise<Connected> {
  const appRoot = process.cwd();
  const app = readApp(values, { env: withLocalSettings(appRoot, process.env) });
  if (app) return { source: appSource(app, values), close: async () => {} };
  const account = accountOf(values, 'account');
  const env = account === undefined ? withLocalSettings(appRoot, process.env) : accountEnv(account, values);
  const isNamed = namesStorage(env);
  const config = readConfig(isNamed ? env : { ...env, AzureWebJobsStorage: 'UseDevelopmentStorage=true' });
  const azurite =
    account === undefined ? await provideStorage(appRoot, isNamed ? config.storage : undefined, clock) : undefined;
  const found = azurite ? readConfig({ ...env, [config.storageConnection]: azurite.connectionString }) : config;
  const parts = {
    workflows: [],
    clock,
    random: systemRandom,
    telemetryWrite: () => {},
    storageCallMs: STORAGE_CALL_MS,
  };
  return {
    source: storageSource(composeApp(found, parts).deadLetterStores),
    close: async () => azurite?.release(),
  };
}

function accountEnv(account: string, values: Values): Record<string, string> {
  const undelivered = accountOf(values, 'undelivered-account');
  return { EventStorage__accountName: account, ...(undelivered && { UndeliveredStorage__accountName: undelivered }) };
}
