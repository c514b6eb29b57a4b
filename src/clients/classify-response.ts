import type { PipelineResponse } from '@azure/core-rest-pipeline';
import { NonRetriableError, RetryAfterError } from '../errors.js';
import type { Endpoint } from './endpoint.js';
import { ReadError, readError, SERVICE_NAMES } from './read-error.js';

/** The meaning of a response, by its status. */
type Classified = { kind: 'found' } | NotRead;

type NotRead =
  /** The resource is deleted, or never existed. */
  | { kind: 'gone' }
  /** Another request may succeed. `error` is thrown if no request is left, or `waitMs` is long. */
  | Retry
  | { kind: 'failed'; error: Error };

/** `waitMs`: the wait that the service asks for, if it names one. */
export type Retry = {
  kind: 'retry';
  waitMs: number | undefined;
  error: Error;
  /** 0 to 1: the random part of the wait. Reads that were refused in one batch share it, so their next batch is one too. */
  jitter?: number;
};

/** The result of one request. */
export type ReadResult<T> = { kind: 'found'; value: T } | NotRead;

/** The wait of the job if the service refuses all requests and names no wait. */
const DEFAULT_WAIT_MS = 30_000;
/** A longer wait is most likely a wrong clock. */
const MAX_WAIT_MS = 3_600_000;
const NUMBER = /^\d+(\.\d+)?$/;
const ROLES = { fhir: 'FHIR Data Reader', dicom: 'DICOM Data Reader' };

/** Returns what a response means, by its status; its body is not read. */
export function classifyResponse(
  { status, headers }: Pick<PipelineResponse, 'status' | 'headers'>,
  endpoint: Endpoint,
  now: Date,
): Classified {
  const { kind, audience } = endpoint;
  const failed = (code: string, what: string): Classified => ({ kind: 'failed', error: readError(kind, code, what) });
  const role = `the role '${ROLES[kind]}'`;
  if (status === 200) return { kind: 'found' };
  if (status === 204 || status === 404 || status === 410) return { kind: 'gone' };
  if (status === 429 || status === 503) {
    const waitMs = waitOf(headers, now);
    const code = status === 429 ? `${kind}-throttled` : `${kind}-unavailable`;
    const message = `The ${SERVICE_NAMES[kind]} service asks for a later try (${status}).`;
    return { kind: 'retry', waitMs, error: new RetryAfterError(message, { ms: waitMs ?? DEFAULT_WAIT_MS }, { code }) };
  }
  if (status === 401) {
    const needed = `it must be for the audience ${audience}, of an identity with ${role}`;
    return failed('unauthorized', `did not accept the token (401): ${needed}.`);
  }
  if (status === 403)
    return failed('forbidden', `refused (403): give the app's identity ${role} there (token for ${audience}).`);
  if (status >= 300 && status < 400)
    return failed('redirected', `answered with a redirect (${status}), which is not followed.`);
  if (status >= 500) return failed('server-error', `failed (${status}).`);
  return failed(`http-${status}`, `refused the request (${status}).`);
}

/**
 * Returns what an error of a request or a body means. Only the code of the error is kept, because the error holds URL,
 * headers and body.
 */
export function classifyThrown(error: unknown, { kind }: Endpoint): Exclude<NotRead, { kind: 'gone' }> {
  const isOurs = error instanceof ReadError || error instanceof NonRetriableError;
  if (isOurs) return { kind: 'failed', error };
  const { code } = (error ?? {}) as { code?: unknown };
  const word = typeof code === 'string' && /^[A-Z][A-Z_]{1,40}$/.test(code) ? ` (${code})` : '';
  const unreachable = readError(kind, 'unreachable', `could not be reached, or its answer broke off${word}.`);
  return { kind: 'retry', waitMs: undefined, error: unreachable };
}

/**
 * Returns the wait that the service asks for. A date in Retry-After is compared with the Date of the response, because
 * the clocks of two machines differ.
 */
function waitOf(headers: PipelineResponse['headers'], now: Date): number | undefined {
  const [exactly = '', after = ''] = [headers.get('x-ms-retry-after-ms'), headers.get('retry-after')];
  if (NUMBER.test(exactly)) return Math.min(Number(exactly), MAX_WAIT_MS);
  if (NUMBER.test(after)) return Math.min(Number(after) * 1000, MAX_WAIT_MS);
  const at = Date.parse(after);
  if (Number.isNaN(at)) return undefined;
  const from = Date.parse(headers.get('date') ?? '');
  return Math.min(Math.max(0, at - (Number.isNaN(from) ? now.getTime() : from)), MAX_WAIT_MS);
}
