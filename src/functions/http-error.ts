import type { HttpResponseInit } from '@azure/functions';
import { errorCodeOf } from '../pipeline/decide.js';
import { StorageError } from '../storage/table-store.js';

/** An answer that says what is wrong, and what to do. Neither text may hold anything of an event. */
export function httpError(status: number, code: string, message: string): HttpResponseInit {
  return { status, jsonBody: { error: { code, message } } };
}

/** 503 where storage failed. Anything else is a bug, and thrown on. */
export function storageFailed(error: unknown): HttpResponseInit {
  if (!(error instanceof StorageError)) throw error;
  return httpError(
    503,
    errorCodeOf(error),
    'Storage did not answer. Ask again; GET /api/health/ready says which part.',
  );
}
