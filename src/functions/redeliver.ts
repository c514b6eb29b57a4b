import { SHARD_NAMES } from '../storage/waiting.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { answerWakeup } from './wakeup.js';

type Deps = Pick<App, 'config' | 'pipeline' | 'telemetry'>;

export function registerRedeliver(functions: FunctionApp, deps: Deps): void {
  functions.storageQueue('redeliver', {
    queueName: 'due',
    connection: deps.config.storageConnection,
    handler: (message, { traceContext }) => answerWakeup(message, SHARD_NAMES, deps, traceContext?.traceParent),
  });
}
