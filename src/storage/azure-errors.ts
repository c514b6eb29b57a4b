import { StorageError } from './table-store.js';

type SdkError = {
  statusCode?: unknown;
  code?: unknown;
  details?: { odataError?: { code?: unknown }; errorCode?: unknown };
};

/** Returns the HTTP status of an SDK error; undefined if storage did not answer. */
export function statusOf(error: unknown): number | undefined {
  const { statusCode: status } = (error ?? {}) as SdkError;
  return typeof status === 'number' ? status : undefined;
}

/**
 * Returns storage's own code of an error. Tables: in the details of a single request, in `code` of a transaction. Blobs
 * and queues: in `code`, or in the header x-ms-error-code if an answer has no body.
 */
export function reasonOf(error: unknown): string | undefined {
  const { code, details } = (error ?? {}) as SdkError;
  const reason = details?.odataError?.code ?? details?.errorCode ?? code;
  return typeof reason === 'string' ? reason : undefined;
}

/** Returns whether the error says that the row does not exist; false if the table does not exist. */
export function isRowAbsent(error: unknown): boolean {
  const reason = reasonOf(error);
  return statusOf(error) === 404 && (reason === 'ResourceNotFound' || reason === 'EntityNotFound');
}

/** Returns whether the error says that the table does not exist, or is being dropped. */
export function isTableGone(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason === 'TableNotFound' || reason === 'TableBeingDeleted';
}

/**
 * Returns a StorageError in place of the SDK's error, which is not its cause: the SDK's error holds the request, and
 * with it rows, keys and URLs. `doing` completes "Storage could not …".
 */
export function toStorageError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  const reason = reasonOf(error) ?? nameOf(error);
  const detail = reason !== undefined && /^\w{1,60}$/.test(reason) ? ` (${reason})` : '';
  const status = statusOf(error);
  const isRejected = status === 400 || status === 413;
  return new StorageError(code, `Storage could not ${doing}: ${code}${detail}.`, { isRejected });
}

/** Returns a function that calls an SDK's client, which opens at the first call. `doing` completes "Storage could not …". */
export function createCall<C>(open: () => Promise<C>) {
  let opened: Promise<C> | undefined;
  return async <T>(doing: string, request: (client: C) => Promise<T>): Promise<T> => {
    try {
      opened ??= open();
      return await request(await opened);
    } catch (error) {
      throw toStorageError(error, doing);
    }
  };
}

/** Returns a rejection handler: it returns undefined for the errors that `isExpected` accepts, and throws all others. */
export function undefinedIf(isExpected: (error: unknown) => boolean) {
  return (error: unknown): undefined => {
    if (!isExpected(error)) throw error;
  };
}

function codeOf(error: unknown): string {
  const status = statusOf(error);
  if (status === 401 || status === 403) return 'forbidden';
  if (status !== undefined && status >= 300) return `http-${status}`;

  const reason = reasonOf(error);
  if (nameOf(error) === 'AbortError') return 'aborted';
  if (reason === 'ETIMEDOUT' || reason === 'ESOCKETTIMEDOUT') return 'timeout';
  if (reason === 'PARSE_ERROR') return 'garbled';
  if (reason === 'REQUEST_SEND_ERROR' || /^E[A-Z_]+$/.test(reason ?? '')) return 'unreachable';
  return /Credential|Authentication/.test(nameOf(error) ?? '') ? 'credential' : 'unexpected';
}

function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

/** Returns the SDK's option for a request that ends when `signal` aborts; no option without a signal. */
export function abortedBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
