import { createHmac } from 'node:crypto';
import { digest, type Row, type Setting } from '../../workflow.js';

/**
 * A POST to `ALERT_WEBHOOK_URL` that tells of an alert, signed with `ALERT_WEBHOOK_SECRET` as standardwebhooks.com has
 * it. Nothing of the two, nor of the alert, is in anything that this returns.
 */
export type Post = (
  alert: Row,
  key: string,
  of: { setting: Setting; now: Date; signal: AbortSignal },
) => Promise<Answer>;

/** `retryAfterMs`: what the endpoint asks for; 0 where it asks for nothing. */
export type Answer = { readonly kind: 'sent' } | { readonly kind: 'failed'; readonly retryAfterMs: number };

/** 24 random bytes at least. */
const SECRET = /^(?:whsec_)?([A-Za-z0-9+/]{32,}={0,2})$/;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
const INTERNAL: ReadonlySet<string> = new Set(['sentRevision', 'notSent']);
const FAILED: Answer = { kind: 'failed', retryAfterMs: 0 };

export function hasWebhook(setting: Setting): boolean {
  return setting('ALERT_WEBHOOK_URL') !== undefined;
}

/** What is wrong with the settings; no secret is told, and a URL may hold one. */
export function webhookProblems(setting: Setting): string[] {
  const [url, secret] = [setting('ALERT_WEBHOOK_URL'), setting('ALERT_WEBHOOK_SECRET')];
  if (url === undefined && secret === undefined) return [];
  const foundUrl = url === undefined ? 'absent' : 'another text';
  const foundSecret = secret === undefined ? 'absent' : `${secret.length} other characters`;
  return [
    ...(url !== undefined && isTakenUrl(url)
      ? []
      : [`ALERT_WEBHOOK_URL is ${foundUrl}, must be a URL with https, or of this machine, without a user`]),
    ...(secret !== undefined && SECRET.test(secret)
      ? []
      : [
          `ALERT_WEBHOOK_SECRET is ${foundSecret}, must be at least 24 random bytes in base64, with or without whsec_ before them: openssl rand -base64 32`,
        ]),
  ];
}

/** `answerMs`: how long the endpoint may take to answer. */
export function createPost({ fetch, timeoutMs }: { fetch: typeof globalThis.fetch; timeoutMs: number }): Post {
  return async (alert, key, { setting, now, signal }) => {
    const request = requestOf(alert, key, { setting, now });
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const answer = await fetch(setting('ALERT_WEBHOOK_URL') ?? '', { ...request, redirect: 'error', signal: limit });
      await answer.body?.cancel().catch(() => {}); // nobody reads it
      return answer.ok ? { kind: 'sent' } : { ...FAILED, retryAfterMs: waitOf(answer.headers.get('retry-after'), now) };
    } catch {
      return FAILED; // nothing was heard; what fetch says of it holds the URL
    }
  };
}

/** The id is the same each time that this revision is sent; time and signature are of this time. */
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

/** In whole seconds, or as a date. */
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
