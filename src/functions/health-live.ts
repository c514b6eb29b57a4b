import type { FunctionApp } from './function-app.js';

/** Registers `health/live`: the process answers. Storage is not checked, because a restart would not bring it back. */
export function registerHealthLive(functions: FunctionApp): void {
  functions.http('healthLive', {
    methods: ['GET'],
    route: 'health/live',
    authLevel: 'anonymous',
    handler: () => ({ jsonBody: { live: true } }),
  });
}
