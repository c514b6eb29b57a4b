import type { PipelineResponse } from '@azure/core-rest-pipeline';
import { NonRetriableError, RetryAfterError } from '../workflow.js';
import type { Endpoint } from './endpoint.js';
import { ReadError, readError, SERVICE_NAMES } from './read-error.js';

/** What an answer means, before its body is looked at. */
export type Classified = { kind: 'found' } | NotRead;

export type NotRead =
  /** Deleted, or never there. */
  | { kind: 'gone' }
  /** Worth another try soon; `error` is for when there are none left, or `waitMs` is long. */
  | Retry
  | { kind: 'failed'; error: Error };

/** `waitMs`: what the service asks for; undefined where it does not say. */
export type Retry = { kind: 'retry'; waitMs: number | undefined; error: Error };

/** After tries that were refused without a word of when to come again. */
const DEFAULT_WAIT_MS = 30_000;
/** A longer wait is a mistake of somebody's clock, or as good as one. */
const MAX_WAIT_MS = 3_600_000;
const ROLES = { fhir: 'FHIR Data Reader', dicom: 'DICOM Data Reader' };

export function classifyResponse({ status, headers }: PipelineResponse, endpoint: Endpoint, now: Date): Classified {
  const { kind, audience } = endpoint;
  const failed = (code: string, what: string): Classified => ({ kind: 'failed', error: readError(kind, code, what) });
  switch (true) {
    case status === 200:
      return { kind: 'found' };
    case status === 204 || status === 404 || status === 410:
      return { kind: 'gone' };
    case status === 429 || status === 503: {
      const waitMs = waitOf(headers, now);
      const code = status === 429 ? `${kind}-throttled` : `${kind}-unavailable`;
      const message = `The ${SERVICE_NAMES[kind]} service asks to come again later (${status}).`;
      const wait = { ms: waitMs ?? DEFAULT_WAIT_MS };
      return { kind: 'retry', waitMs, error: new RetryAfterError(message, wait, { code }) };
    }
    case status === 401:
      return failed(
        'unauthorized',
        `did not accept the token (401): it must be for the audience ${audience}, of an identity with the role '${ROLES[kind]}'.`,
      );
    case status === 403:
      return failed(
        'forbidden',
        `refused (403): give the app's identity the role '${ROLES[kind]}' there (token for ${audience}).`,
      );
    case status >= 300 && status < 400:
      return failed('redirected', `answered with a redirect (${status}), which is not followed.`);
    case status >= 500:
      return failed('server-error', `failed (${status}).`);
    default:
      return failed(`http-${status}`, `refused the request (${status}).`);
  }
}

/**
 * What a request or a body failed with. What somebody has given up on reads as unreachable, and is not heard.
 * Only a word of the error itself is kept: it holds URL, headers and body.
 */
export function classifyThrown(error: unknown, { kind }: Endpoint): Exclude<NotRead, { kind: 'gone' }> {
  const isOurs = error instanceof ReadError || error instanceof NonRetriableError;
  if (isOurs) return { kind: 'failed', error };
  const { code } = (error ?? {}) as { code?: unknown };
  const word = typeof code === 'string' && /^[A-Z][A-Z_]{1,40}$/.test(code) ? ` (${code})` : '';
  const unreachable = readError(kind, 'unreachable', `could not be reached, or broke off its answer${word}.`);
  return { kind: 'retry', waitMs: undefined, error: unreachable };
}

function waitOf(headers: PipelineResponse['headers'], now: Date): number | undefined {
  const ms = msOf(headers, now);
  return ms === undefined ? undefined : Math.min(ms, MAX_WAIT_MS);
}

/** A date counts from the answer's own: the clocks of two machines disagree. */
function msOf(headers: PipelineResponse['headers'], now: Date): number | undefined {
  const exactly = headers.get('x-ms-retry-after-ms') ?? '';
  if (/^\d+(\.\d+)?$/.test(exactly)) return Number(exactly);
  const after = headers.get('retry-after') ?? '';
  if (/^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000;
  const at = Date.parse(after);
  if (Number.isNaN(at)) return undefined;
  const from = Date.parse(headers.get('date') ?? '');
  return Math.max(0, at - (Number.isNaN(from) ? now.getTime() : from));
}
