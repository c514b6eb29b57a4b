import type { app, HttpRequest, HttpResponseInit } from '@azure/functions';
import { ROUTES, type RouteName } from '../api/routes.js';
import { errorCodeOf } from '../errors.js';
import { asStorageError } from '../storage/table-store.js';

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

/** Returns an answer with a code, and a message that says what to do. Both must hold no data of an event. */
export function httpError(status: number, code: string, message: string): HttpResponseInit {
  return { status, jsonBody: { error: { code, message } } };
}

/** Returns 503 for a StorageError. Any other error is a bug, and is thrown again. */
export function storageFailed(error: unknown): HttpResponseInit {
  return httpError(
    503,
    errorCodeOf(asStorageError(error)),
    'Storage did not answer. Ask again; GET /api/health/ready says which part.',
  );
}

/** The registry of functions: `app` of @azure/functions, or a test's. */
export type FunctionApp = typeof app;
