import { createHmac } from 'node:crypto';
import { type Context, digest, type Row, type Setting, type TaskContext } from '../../workflow.js';
import { PARTITIONS } from './alert.js';
import type { Place } from './results.js';

/**
 * Tells a webhook of alerts, where `ALERT_WEBHOOK_URL` and `ALERT_WEBHOOK_SECRET` are set: a POST for each that was
 * raised, has changed, or was withdrawn, signed as standardwebhooks.com has it.
 *
 * The alert's row says which revision people have been told of; table `alertoutbox` lists those of which it is not the
 * newest. The handler writes the alert, then the list; the task sends, then writes the alert, then takes it off the list.
 *   dies before the list: the next try of the handler finds a revision that was not sent.
 *   dies after sending, or two send at once: it is sent again, with the same idempotency key.
 */
const EVERY = Array.from({ length: PARTITIONS }, (_, partition) => String(partition));
const PAGE = 500;
const AT_ONCE = 8;
const ANSWER_MS = 10_000;
/** The rest goes the next time: a task should be over before it is due again. */
const MOST_MS = 20_000;
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 3_600_000;
const GIVE_UP_MS = 24 * 3_600_000;
/** So many in a row, and the endpoint is left alone until the next time. */
const MOST_FAILURES = 5;
const SECRET = /^(?:whsec_)?([A-Za-z0-9+/]{32,}={0,2})$/;
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])([:/]|$)/;
const INTERNAL: ReadonlySet<string> = new Set(['revision', 'sentRevision', 'notSent']);

type Unsent = Place & { readonly row: Row };

/** What is wrong with the settings of the webhook; no secret is told. */
export function webhookProblems(setting: Setting): string[] {
  const [url, secret] = [setting('ALERT_WEBHOOK_URL'), setting('ALERT_WEBHOOK_SECRET')];
  if (url === undefined && secret === undefined) return [];
  const isUrl = url !== undefined && URL.canParse(url) && (url.startsWith('https://') || LOOPBACK.test(url));
  return [
    ...(isUrl
      ? []
      : [
          `ALERT_WEBHOOK_URL is ${url === undefined ? 'absent' : 'another URL'}, must be one with https, or on this machine`,
        ]),
    ...(secret !== undefined && SECRET.test(secret)
      ? []
      : [
          `ALERT_WEBHOOK_SECRET is ${secret === undefined ? 'absent' : `${secret.length} characters`}, must be whsec_ and at least 24 random bytes in base64: openssl rand -base64 32`,
        ]),
  ];
}

/** Puts an alert on the list, if there is something about it that people have not been told. */
export async function noteUnsent(
  alert: Row | undefined,
  { partition, key }: Place,
  { tables, setting }: Pick<Context, 'tables' | 'setting'>,
): Promise<void> {
  if (!alert || alert.revision === alert.sentRevision || setting('ALERT_WEBHOOK_URL') === undefined) return;
  const revision = Number(alert.revision);
  await tables('alertoutbox').change(partition, key, (current) =>
    current?.revision === revision ? 'keep' : { revision, tries: 0, dueAt: '', since: '' },
  );
}

export async function sendAlerts(context: TaskContext): Promise<void> {
  const { tables, setting, now, signal } = context;
  if (setting('ALERT_WEBHOOK_URL') === undefined) return;
  const endsAtMs = now().getTime() + MOST_MS;
  let failures = 0;
  for (const partition of EVERY) {
    const listed = await tables('alertoutbox').list(partition, { limit: PAGE });
    const due = listed.filter(({ row }) => String(row.dueAt) <= now().toISOString()).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const { key, row } of due) {
          if (signal.aborted || failures >= MOST_FAILURES || now().getTime() >= endsAtMs) return;
          failures = (await sendOne({ partition, key, row }, context)) === 'failed' ? failures + 1 : 0;
        }
      }),
    );
  }
}

async function sendOne(unsent: Unsent, context: TaskContext): Promise<'sent' | 'failed'> {
  const { partition, key } = unsent;
  const alert = await context.tables('alerts').get(partition, key);
  if (alert && alert.revision !== alert.sentRevision) {
    const answer = await post(alert, key, context);
    if (answer.kind === 'failed') {
      await putOff(unsent, alert, answer.retryAfterMs, context);
      return 'failed';
    }
    await mark(unsent, alert, { sentRevision: Number(alert.revision) }, context);
  }
  await takeOff(unsent, context);
  return 'sent';
}

type Answer = { kind: 'sent' } | { kind: 'failed'; retryAfterMs: number };

async function post(alert: Row, key: string, { setting, now, signal }: TaskContext): Promise<Answer> {
  const id = digest(JSON.stringify([key, alert.revision]));
  const facts = Object.fromEntries(Object.entries(alert).filter(([name]) => !INTERNAL.has(name)));
  const type = alert.status === 'active' ? 'alert.active' : 'alert.withdrawn';
  const body = JSON.stringify({ type, timestamp: now().toISOString(), data: facts });
  const timestamp = String(Math.floor(now().getTime() / 1000));
  const [, secret = ''] = SECRET.exec(setting('ALERT_WEBHOOK_SECRET') ?? '') ?? [];
  const signature = createHmac('sha256', Buffer.from(secret, 'base64'))
    .update(`${id}.${timestamp}.${body}`)
    .digest('base64');
  try {
    const answer = await fetch(setting('ALERT_WEBHOOK_URL') ?? '', {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': id,
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      },
      body,
    });
    await answer.body?.cancel();
    if (answer.ok) return { kind: 'sent' };
    const seconds = Number(answer.headers.get('retry-after'));
    return { kind: 'failed', retryAfterMs: seconds > 0 ? seconds * 1000 : 0 };
  } catch {
    return { kind: 'failed', retryAfterMs: 0 }; // nothing was heard; what fetch says of it holds the URL
  }
}

async function putOff(unsent: Unsent, alert: Row, retryAfterMs: number, context: TaskContext): Promise<void> {
  const { partition, key, row } = unsent;
  const nowMs = context.now().getTime();
  const tries = Number(row.tries) + 1;
  const since = String(row.since) || context.now().toISOString();
  if (nowMs - Date.parse(since) >= GIVE_UP_MS) {
    context.log.error('alert-not-sent', { tries });
    await mark(unsent, alert, { sentRevision: Number(alert.revision), notSent: true }, context);
    return takeOff(unsent, context);
  }
  const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(retryAfterMs, FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 20)));
  context.log.warn('alert-send-failed', { tries });
  const later = { revision: Number(row.revision), tries, since, dueAt: new Date(nowMs + waitMs).toISOString() };
  await context
    .tables('alertoutbox')
    .change(partition, key, (current) => (current?.revision === row.revision ? later : 'keep'));
}

/** Where the alert has changed meanwhile, that is for people to be told, too. */
async function mark({ partition, key }: Unsent, alert: Row, marks: Row, { tables }: TaskContext): Promise<void> {
  await tables('alerts').change(partition, key, (current) =>
    current?.revision === alert.revision ? { ...current, ...marks } : 'keep',
  );
}

async function takeOff({ partition, key, row }: Unsent, { tables }: TaskContext): Promise<void> {
  await tables('alertoutbox').change(partition, key, (current) =>
    current?.revision === row.revision ? 'remove' : 'keep',
  );
}
