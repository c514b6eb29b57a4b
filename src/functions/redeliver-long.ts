import { LONG_SHARD_NAMES } from '../storage/waiting.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { answerWakeup } from './wakeup.js';

type Deps = Pick<App, 'config' | 'pipeline' | 'telemetry'>;

/** Registers a queue of its own for workflows that take longer than a delivery, so that they delay no other. */
export function registerRedeliverLong(functions: FunctionApp, deps: Deps): void {
  functions.storageQueue('redeliverLong', {
    queueName: 'due-long',
    connection: deps.config.storageConnection,
    handler: (message, { traceContext }) => answerWakeup(message, LONG_SHARD_NAMES, deps, traceContext?.traceParent),
  });
}
