import { systemClock as clock } from '../../clock.js';
import { namesStorage, readConfig } from '../../config.js';
import type { DeadLetterStores } from '../../dead-letters/stores.js';
import { composeApp } from '../../functions/compose.js';
import { systemRandom } from '../../functions/random.js';
import { withLocalSettings } from '../local-settings.js';
import { provideStorage } from '../provide-storage.js';
import { accountOf } from '../storage-account.js';
import type { Values } from './options.js';

/** A person waits, maybe on a slow connection. */
const STORAGE_CALL_MS = 30_000;

/** Connects to storage; called once the options are valid. */
export type Open = () => Promise<DeadLetterStores>;

/** The stores of a verb. `close` ends an Azurite that no other process uses. */
export type Connected = { readonly stores: DeadLetterStores; close(): Promise<void> };

/** Connects to the storage that the options name, or to that of `npm start`; runs no part of the app. */
export async function connect(values: Values): Promise<Connected> {
  const account = accountOf(values, 'account');
  const appRoot = process.cwd();
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
  return { stores: composeApp(found, parts).deadLetterStores, close: async () => azurite?.release() };
}

function accountEnv(account: string, values: Values): Record<string, string> {
  const undelivered = accountOf(values, 'undelivered-account');
  return { EventStorage__accountName: account, ...(undelivered && { UndeliveredStorage__accountName: undelivered }) };
}
