import type { FunctionApp } from './function-app.js';

/** Says that the process answers, and nothing of storage: a restart would not bring storage back. */
export function registerHealthLive(functions: FunctionApp): void {
  functions.http('healthLive', {
    methods: ['GET'],
    route: 'health/live',
    authLevel: 'anonymous',
    handler: () => ({ jsonBody: { live: true } }),
  });
}
