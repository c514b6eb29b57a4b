import type { app } from '@azure/functions';

/** The registry of functions: `app` of @azure/functions, or a test's. */
export type FunctionApp = typeof app;
