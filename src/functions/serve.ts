import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { ROUTES, type RouteName } from '../api/routes.js';
import type { FunctionApp } from './function-app.js';
import { storageFailed } from './http-error.js';

type Handler = (request: HttpRequest) => Promise<HttpResponseInit> | HttpResponseInit;

/** Registers a function of the HTTP API. It answers 503 if storage fails. */
export function serve(functions: FunctionApp, name: RouteName, handler: Handler): void {
  const { method, route, authLevel } = ROUTES[name];
  functions.http(name, {
    methods: [method],
    route,
    authLevel,
    handler: async (request) => {
      try {
        return await handler(request);
      } catch (error) {
        return storageFailed(error);
      }
    },
  });
}
