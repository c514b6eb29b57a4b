import { expireResolved } from '../dead-letters/expire.js';
import { errorCodeOf } from '../errors.js';
import { asStorageError } from '../storage/table-store.js';
import type { App } from './compose.js';
import type { FunctionApp } from './serve.js';

const NIGHTLY = '0 30 2 * * *';
const DAY_MS = 24 * 3_600_000;

type Deps = Pick<App, 'ledger' | 'deadLetterStores' | 'actions' | 'config' | 'telemetry'>;

/**
 * Registers the timer that each night deletes what is older than its retention: tables of the ledger, resolved dead letters
 * with corrected payloads, and actions of people.
 */
export function registerExpireLedger(functions: FunctionApp, deps: Deps): void {
  functions.timer('expireLedger', { schedule: NIGHTLY, handler: () => expireAll(deps) });
}

/** If storage fails in one part, the other still runs, and the next night repeats both. */
async function expireAll({ ledger, deadLetterStores, actions, config, telemetry }: Deps): Promise<void> {
  await expire('ledger-expiry-failed', async () => {
    const { tables, rows } = await ledger.expire(await deadLetterStores.storageNow(), config.ledgerRetentionDays);
    telemetry.log('info', 'ledger-expired', { numbers: { tables: tables.length, rows } });
  });
  await expire('letters-expiry-failed', async () => {
    const count = await expireResolved(deadLetterStores, config.resolvedRetentionDays);
    telemetry.log('info', 'letters-expired', { count });
    // The actions of people are kept as long as resolved dead letters are.
    const now = await deadLetterStores.storageNow();
    await actions.expire(new Date(now.getTime() - config.resolvedRetentionDays * DAY_MS));
  });

  async function expire(failure: 'ledger-expiry-failed' | 'letters-expiry-failed', work: () => Promise<void>) {
    try {
      await work();
    } catch (error) {
      telemetry.log('error', failure, { errorCode: errorCodeOf(asStorageError(error)) });
    }
  }
}
