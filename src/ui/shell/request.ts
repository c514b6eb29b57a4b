import { hasSignInEnded, key, lock, session } from './session-state.js';

/** The reason why there is no answer to show. `message` says what happened, and what to do. */
export type Failure = {
  readonly kind: 'locked' | 'signed-out' | 'forbidden' | 'not-found' | 'refused' | 'storage' | 'unreachable' | 'broken';
  readonly message: string;
  /** The whole answer, for properties beside the error. */
  readonly answer?: unknown;
  readonly problems?: readonly { readonly path: string; readonly code: string; readonly message: string }[];
};
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

const UNREACHABLE =
  'The app does not answer. It may be restarting, or your connection is interrupted. The page asks again by itself.';
const SIGNED_OUT = 'Your sign-in has ended. Sign in again, then repeat this.';

/** The number of answers that asked for a sign-in. A request from before the last one says nothing of a newer sign-in. */
let refusals = 0;

/** Sends a request to the app. The key goes into a header, because URLs end up in logs. Never throws. */
export async function request<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const init = { method, headers: json, ...(body !== undefined && { body: JSON.stringify(body) }) };
  return send<T>(path, init);
}

/** Sends a request as `request` does, with a body and headers of the caller. */
export async function send<T>(path: string, init: RequestInit): Promise<Result<T>> {
  const used = key.peek();
  const refusalsBefore = refusals;
  const headers = { ...init.headers, ...(used !== '' && { 'x-functions-key': used }) };
  try {
    const response = await fetch(`/api/${path}`, { ...init, headers, redirect: 'manual', cache: 'no-store' });
    const text = await response.text();
    if (isSignInNeeded(response, text)) {
      refusals += 1;
      hasSignInEnded.value = session.peek() === 'open';
      return failed('signed-out', SIGNED_OUT);
    }
    if (refusals === refusalsBefore) hasSignInEnded.value = false;
    if (response.ok) return { ok: true, value: (text === '' ? undefined : JSON.parse(text)) as T };
    if (response.status === 401 && used === key.peek() && session.peek() === 'open') lock();
    return { ok: false, failure: failureOf(response.status, text) };
  } catch {
    return failed('unreachable', UNREACHABLE);
  }
}

/** Azure's authentication redirects, or answers 401 and asks for a token. The app's 401 names the sign-in's address. */
function isSignInNeeded({ type, status, headers }: Response, text: string): boolean {
  if (type === 'opaqueredirect') return true;
  if (status !== 401) return false;
  return /^bearer\b/i.test(headers.get('www-authenticate') ?? '') || 'signInAddress' in errorIn(parsed(text));
}

function failed(kind: Failure['kind'], message: string): { ok: false; failure: Failure } {
  return { ok: false, failure: { kind, message } };
}

function failureOf(status: number, text: string): Failure {
  const answer = parsed(text);
  const { code, message, problems, details } = errorIn(answer);
  const more = problems ?? details;
  const [kind, fallback] = KINDS[status] ?? [status < 500 ? 'refused' : 'broken', failedWith(status)];
  const content = { answer, message: message ?? fallback, ...(Array.isArray(more) && { problems: more }) };
  return { kind: code === 'sign-in-off' ? 'forbidden' : kind, ...content };
}

/** The kind of a failure by its status, and the message for an answer without one. */
const KINDS: Readonly<Record<number, readonly [Failure['kind'], string]>> = {
  401: ['locked', 'The app asks for a key, or for another one. Enter a key above.'],
  403: ['forbidden', 'You may not see this. Ask an administrator of the app for access.'],
  404: ['not-found', 'The app does not know this address. The page may be of another version of the app: reload it.'],
  503: ['storage', 'The app or its storage is not available. GET /api/health/ready names the part that fails.'],
};

function failedWith(status: number): string {
  return `The app answered ${status}. Its log has the error. Try again; if it stays, tell the developers of the app.`;
}

type ErrorIn = { code?: string; message?: string; problems?: Failure['problems']; details?: Failure['problems'] };

function errorIn(answer: unknown): ErrorIn {
  return Object(Object(answer).error);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
