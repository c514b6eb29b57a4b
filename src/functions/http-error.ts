import type { HttpResponseInit } from '@azure/functions';
import { errorCodeOf } from '../errors.js';
import { asStorageError } from '../storage/table-store.js';

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
