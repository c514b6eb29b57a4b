import { importAllUndelivered } from '../dead-letters/import-undelivered.js';
import { errorCodeOf } from '../errors.js';
import { asStorageError } from '../storage/table-store.js';
import type { App } from './compose.js';
import type { FunctionApp } from './serve.js';

const EVERY_MINUTE = '30 * * * * *';
/** While this number of rows waits, no blob is imported. */
const MAX_WAITING = 10_000;

type Deps = Pick<App, 'deadLetterStores' | 'config' | 'storageChecks' | 'waiting' | 'telemetry'>;

/** Registers the timer that imports Event Grid's own dead letters while storage works and few rows wait. */
export function registerRedriveUndelivered(functions: FunctionApp, deps: Deps): void {
  if (!deps.config.redriveUndelivered) return;
  functions.timer('redriveUndelivered', { schedule: EVERY_MINUTE, handler: () => importWhileHealthy(deps) });
}

/** Imports blobs until none is left, storage fails or too many rows wait. The next minute imports the rest. */
async function importWhileHealthy(deps: Deps): Promise<void> {
  const { deadLetterStores, telemetry } = deps;
  try {
    const { unreadable, failed, ...numbers } = await importAllUndelivered(deadLetterStores, () => isHealthy(deps));
    if (numbers.blobs > 0) telemetry.log('info', 'undelivered-taken-up', { numbers });
    if (unreadable > 0) telemetry.log('error', 'undelivered-unreadable', { count: unreadable });
    if (failed > 0) telemetry.log('error', 'undelivered-left', { count: failed });
  } catch (error) {
    telemetry.log('error', 'undelivered-failed', { errorCode: errorCodeOf(asStorageError(error)) });
  }
}

/** Returns whether all of storage answers and fewer than MAX_WAITING rows wait. */
async function isHealthy({ storageChecks, waiting }: Deps): Promise<boolean> {
  const answers = await Promise.allSettled(storageChecks.map(({ check }) => check()));
  if (answers.some(({ status }) => status === 'rejected')) return false;
  return !(await waiting.count(MAX_WAITING)).isMore;
}
