import type { HttpResponseInit } from '@azure/functions';
import { errorCodeOf } from '../errors.js';
import type { App, Probe } from './compose.js';
import type { FunctionApp } from './function-app.js';

/**
 * Registers `health/live`: the process answers. It does not check storage, because a restart would not bring storage back.
 * And `health/ready`: 200 when each part of storage answers, else 503 with the error code of each part.
 */
export function registerHealth(functions: FunctionApp, { probes }: Pick<App, 'probes'>): void {
  functions.http('healthLive', {
    methods: ['GET'],
    route: 'health/live',
    authLevel: 'anonymous',
    handler: () => ({ jsonBody: { live: true } }),
  });
  functions.http('healthReady', {
    methods: ['GET'],
    route: 'health/ready',
    authLevel: 'function',
    handler: () => checkStorage(probes),
  });
}

async function checkStorage(probes: readonly Probe[]): Promise<HttpResponseInit> {
  const answers = await Promise.all(probes.map(ask));
  const ready = answers.every(([, answer]) => answer === 'ok');
  return { status: ready ? 200 : 503, jsonBody: { ready, storage: Object.fromEntries(answers) } };
}

async function ask({ part, check }: Probe): Promise<[part: string, answer: string]> {
  try {
    await check();
    return [part, 'ok'];
  } catch (error) {
    return [part, errorCodeOf(error)];
  }
}
