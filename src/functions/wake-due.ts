import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

const EVERY_10_SECONDS = '*/10 * * * * *';

export function registerWakeDue(functions: FunctionApp, { pipeline }: Pick<App, 'pipeline'>): void {
  functions.timer('wakeDue', { schedule: EVERY_10_SECONDS, handler: () => pipeline.look() });
}
