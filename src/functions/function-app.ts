import type { app } from '@azure/functions';

/** Where functions are registered: `app` of @azure/functions, or a test's. */
export type FunctionApp = typeof app;
