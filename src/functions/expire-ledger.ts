import { expireResolved } from '../dead-letters/expire.js';
import { errorCodeOf } from '../errors.js';
import { StorageError } from '../storage/table-store.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

const NIGHTLY = '0 30 2 * * *';

type Deps = Pick<App, 'ledger' | 'deadLetterStores' | 'config' | 'telemetry'>;

export function registerExpireLedger(functions: FunctionApp, deps: Deps): void {
  functions.timer('expireLedger', { schedule: NIGHTLY, handler: () => expireAll(deps) });
}

async function expireAll(deps: Deps): Promise<void> {
  await expireLedger(deps);
  await expireDeadLetters(deps);
}

/** Drops old tables of the ledger. Where storage fails, the next night continues. */
async function expireLedger({ ledger, deadLetterStores, config, telemetry }: Deps): Promise<void> {
  try {
    const { tables, rows } = await ledger.expire(await deadLetterStores.storageNow(), config.ledgerRetentionDays);
    telemetry.log('info', 'ledger-expired', { numbers: { tables: tables.length, rows } });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    telemetry.log('error', 'ledger-expiry-failed', { errorCode: errorCodeOf(error) });
  }
}

async function expireDeadLetters({ deadLetterStores, config, telemetry }: Deps): Promise<void> {
  try {
    const count = await expireResolved(deadLetterStores, config.resolvedRetentionDays);
    telemetry.log('info', 'letters-expired', { count });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    telemetry.log('error', 'letters-expiry-failed', { errorCode: errorCodeOf(error) });
  }
}
