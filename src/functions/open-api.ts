import { openApiOf } from '../api/openapi.js';
import type { App } from './compose.js';
import { routesOf } from './lookups.js';
import { type FunctionApp, serve } from './serve.js';

/** Registers the OpenAPI document of this app, with the lookups of its workflows. It is made at the first request. */
export function registerOpenApi(functions: FunctionApp, deps: Pick<App, 'config' | 'workflows'>): void {
  let document: ReturnType<typeof openApiOf> | undefined;
  serve(functions, 'openApi', () => {
    document ??= openApiOf(routesOf(deps));
    return { jsonBody: document };
  });
}
