import type { HttpResponseInit } from '@azure/functions';
import { errorCodeOf } from '../errors.js';
import type { App, StorageCheck } from './compose.js';
import { type FunctionApp, serve } from './serve.js';

/**
 * Registers `health/live`: 200 if the process answers, without a check of storage, because a restart does not repair storage.
 * Also registers `health/ready`: 200 if each part of storage answers, else 503 with the error code of each part.
 */
export function registerHealth(functions: FunctionApp, { storageChecks }: Pick<App, 'storageChecks'>): void {
  serve(functions, 'healthLive', () => ({ jsonBody: { live: true } }));
  serve(functions, 'healthReady', () => checkStorage(storageChecks));
}

async function checkStorage(storageChecks: readonly StorageCheck[]): Promise<HttpResponseInit> {
  const answers = await Promise.all(storageChecks.map(answerOf));
  const ready = answers.every(([, answer]) => answer === 'ok');
  return { status: ready ? 200 : 503, jsonBody: { ready, storage: Object.fromEntries(answers) } };
}

async function answerOf({ part, check }: StorageCheck): Promise<[part: string, answer: string]> {
  try {
    await check();
    return [part, 'ok'];
  } catch (error) {
    return [part, errorCodeOf(error)];
  }
}
