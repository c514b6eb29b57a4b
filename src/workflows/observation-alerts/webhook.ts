import { createHmac } from 'node:crypto';
import { digest, type Row, type Setting } from '../../workflow.js';

/**
 * Posts an alert to `ALERT_WEBHOOK_URL`, signed with `ALERT_WEBHOOK_SECRET` as standardwebhooks.com defines. The result
 * holds nothing of the URL, the secret or the alert.
 */
export type PostAlert = (
  alert: Row,
  key: string,
  options: { setting: Setting; now: Date; signal: AbortSignal },
) => Promise<Answer>;

/** `retryAfterMs`: the wait that the endpoint asks for; 0 if it asks for none. */
export type Answer = { readonly kind: 'sent' } | { readonly kind: 'failed'; readonly retryAfterMs: number };

/** The secret has at least 24 random bytes in base64. */
const SECRET = /^(?:whsec_)?([A-Za-z0-9+/]{32,}={0,2})$/;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
const INTERNAL: ReadonlySet<string> = new Set(['sentRevision', 'notSent']);
const FAILED: Answer = { kind: 'failed', retryAfterMs: 0 };

export function hasWebhook(setting: Setting): boolean {
  return setting('ALERT_WEBHOOK_URL') !== undefined;
}

/** Returns the problems of the webhook's settings, without their values: the URL may hold a secret too. */
export function webhookProblems(setting: Setting): string[] {
  const [url, secret] = [setting('ALERT_WEBHOOK_URL'), setting('ALERT_WEBHOOK_SECRET')];
  if (url === undefined && secret === undefined) return [];
  const problems: string[] = [];
  if (!isTakenUrl(url ?? '')) {
    const found = url === undefined ? 'absent' : 'another text';
    problems.push(`ALERT_WEBHOOK_URL is ${found}, must be a URL with https, or of this machine, without a user`);
  }
  if (!SECRET.test(secret ?? '')) {
    const found = secret === undefined ? 'absent' : `${secret.length} other characters`;
    const expected = 'at least 24 random bytes in base64, with or without whsec_ before them: openssl rand -base64 32';
    problems.push(`ALERT_WEBHOOK_SECRET is ${found}, must be ${expected}`);
  }
  return problems;
}

/** Returns a `PostAlert`. `timeoutMs` limits how long the endpoint may take to answer. */
export function createPostAlert({
  fetch,
  timeoutMs,
}: {
  fetch: typeof globalThis.fetch;
  timeoutMs: number;
}): PostAlert {
  return async (alert, key, { setting, now, signal }) => {
    const request = requestOf(alert, key, { setting, now });
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const answer = await fetch(setting('ALERT_WEBHOOK_URL') ?? '', { ...request, redirect: 'error', signal: limit });
      await answer.body?.cancel().catch(() => {}); // the body is not needed
      return answer.ok ? { kind: 'sent' } : { ...FAILED, retryAfterMs: waitOf(answer.headers.get('retry-after'), now) };
    } catch {
      return FAILED; // no answer; the error of fetch holds the URL
    }
  };
}

/** Returns the request. Its id is the same each time that a revision is sent; time and signature are new. */
function requestOf(alert: Row, key: string, { setting, now }: { setting: Setting; now: Date }) {
  const id = digest(JSON.stringify([key, alert.revision]));
  const data = Object.fromEntries(Object.entries(alert).filter(([name]) => !INTERNAL.has(name)));
  const type = alert.status === 'active' ? 'alert.active' : 'alert.withdrawn';
  const body = JSON.stringify({ type, timestamp: now.toISOString(), data });
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const [, secret = ''] = SECRET.exec(setting('ALERT_WEBHOOK_SECRET') ?? '') ?? [];
  const hmac = createHmac('sha256', Buffer.from(secret, 'base64')).update(`${id}.${timestamp}.${body}`);
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': id,
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${hmac.digest('base64')}`,
    },
    body,
  };
}

/** Returns the wait of a retry-after header: whole seconds, or a date. */
function waitOf(text: string | null, now: Date): number {
  const ms = /^\d{1,9}$/.test(text ?? '') ? Number(text) * 1000 : Date.parse(text ?? '') - now.getTime();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}

function isTakenUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
  return isSafe && username === '' && password === '';
}
