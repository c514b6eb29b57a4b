import { type Context, forEachAtOnce, type Row, type TaskContext } from '../../workflow.js';
import { PARTITIONS } from './alert.js';
import type { AlertCode } from './codes.js';
import type { Place } from './results.js';
import { hasWebhook, type Post } from './webhook.js';

/**
 * Sends alerts to the webhook in the settings: each alert that was raised, changed or withdrawn.
 *
 * `sentRevision` of an alert is the revision that was sent; table `alertoutbox` lists the alerts with a newer revision.
 * The handler writes the alert, then the list. The task sends, then writes the alert, then removes it from the list.
 *   handler dies before the list           its next try finds a revision that was not sent
 *   task dies after sending, or two send   the alert is sent again, with the same idempotency key
 *   alert changes during sending           the task does not mark it as sent; the list has the newer revision
 */
const EVERY = Array.from({ length: PARTITIONS }, (_, partition) => String(partition));
const PAGE = 1_000;
const MAX_AT_ONCE = 8;
/** Time limit of a run, so that it ends before the task is due again. The rest is sent by the next run. */
const MAX_RUN_MS = 20_000;
/** Time limit of listing, which leaves time to send. */
const MAX_LISTING_MS = 10_000;
/** More entries than a run can send. */
const MAX_HELD = 20_000;
const FIRST_WAIT_MS = 10_000;
const MAX_WAIT_MS = 3_600_000;
const GIVE_UP_MS = 24 * 3_600_000;
/** After this many failures in a row the run ends, to spare the endpoint. */
const MAX_FAILURES = 5;
/** Order of sending. */
const SEVERITIES = ['critical', 'warning', 'info'];

type OutboxEntry = Place & { readonly row: Row };

/** Lists an alert in the outbox if its revision was not sent. */
export async function addToOutbox(
  alert: Row | undefined,
  { partition, key }: Place,
  { tables, setting }: Pick<Context, 'tables' | 'setting'>,
): Promise<void> {
  if (!alert || alert.revision === alert.sentRevision || !hasWebhook(setting)) return;
  const revision = Number(alert.revision);
  const entry = { revision, severity: String(alert.severity), tries: 0, dueAt: '', since: '' };
  const decide = (current: Row | undefined) => (Number(current?.revision ?? 0) >= revision ? 'keep' : entry);
  await tables('alertoutbox').change(partition, key, decide, revision === 1 ? { expect: 'absent' } : {});
}

/** Returns the task that sends the entries that are due. */
export function createSendAlerts(post: Post): (context: TaskContext<AlertCode>) => Promise<void> {
  return async (context) => {
    const { setting, now, signal } = context;
    if (!hasWebhook(setting)) return;
    const endsAtMs = now().getTime() + MAX_RUN_MS;
    let failures = 0;
    const isOver = () => signal.aborted || failures >= MAX_FAILURES || now().getTime() >= endsAtMs;
    await forEachAtOnce(await listDue(context), MAX_AT_ONCE, async (entry) => {
      if (isOver()) return;
      const outcome = await sendOne(entry, post, context);
      failures = outcome === 'failed' ? failures + 1 : 0;
    });
  };
}

/** Returns the due entries of all partitions by priority. Reads all pages, since entries that wait may come first. */
async function listDue(context: TaskContext<AlertCode>): Promise<readonly OutboxEntry[]> {
  const { tables, now, signal } = context;
  const endsAtMs = now().getTime() + MAX_LISTING_MS;
  let first: OutboxEntry[] = [];
  const listPartition = async (partition: string) => {
    for (let from = ''; !signal.aborted && now().getTime() < endsAtMs; ) {
      const page = await tables('alertoutbox').list(partition, { from, limit: PAGE });
      const nowText = now().toISOString();
      const due = page.filter(({ row }) => String(row.dueAt) <= nowText).map((listed) => ({ partition, ...listed }));
      first = [...first, ...due].sort(byPriority).slice(0, MAX_HELD);
      const last = page.at(-1);
      if (!last || page.length < PAGE) return;
      from = `${last.key}!`; // the next key: no key continues with `!`
    }
  };
  await forEachAtOnce(EVERY, EVERY.length, listPartition);
  return first;
}

/**
 * Entries with fewer tries come first. So alerts that the endpoint refuses, also critical ones, do not hold up others:
 * five failures end a run, and the next run begins with other alerts.
 */
function byPriority({ row: a }: OutboxEntry, { row: b }: OutboxEntry): number {
  return Number(a.tries) - Number(b.tries) || rankOf(a) - rankOf(b) || compare(String(a.dueAt), String(b.dueAt));
}

function rankOf({ severity }: Row): number {
  return SEVERITIES.indexOf(String(severity));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

async function sendOne(
  entry: OutboxEntry,
  post: Post,
  context: TaskContext<AlertCode>,
): Promise<'sent' | 'failed' | 'stopped'> {
  const { setting, now, signal, tables } = context;
  const { partition, key } = entry;
  const alert = await tables('alerts').get(partition, key);
  if (alert && alert.revision !== alert.sentRevision) {
    const answer = await post(alert, key, { setting, now: now(), signal });
    if (answer.kind === 'failed') {
      if (signal.aborted) return 'stopped'; // the process ends: no failure of the endpoint
      await deferOrGiveUp({ entry, alert, retryAfterMs: answer.retryAfterMs }, context);
      return 'failed';
    }
    await markSent({ entry, alert }, context);
  }
  await removeFromOutbox(entry, context);
  return 'sent';
}

async function deferOrGiveUp(
  { entry, alert, retryAfterMs }: { entry: OutboxEntry; alert: Row; retryAfterMs: number },
  context: TaskContext<AlertCode>,
): Promise<void> {
  const { partition, key, row } = entry;
  const nowAt = context.now();
  const tries = Number(row.tries) + 1;
  const since = String(row.since) || nowAt.toISOString();
  if (nowAt.getTime() - Date.parse(since) >= GIVE_UP_MS) {
    context.log.error('alert-not-sent', { tries });
    await markSent({ entry, alert, notSent: true }, context);
    return removeFromOutbox(entry, context);
  }
  const waitMs = Math.min(MAX_WAIT_MS, Math.max(retryAfterMs, FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 20)));
  context.log.warn('alert-send-failed', { tries });
  const dueAt = new Date(nowAt.getTime() + waitMs).toISOString();
  const later = { ...row, tries, since, dueAt };
  await context
    .tables('alertoutbox')
    .change(partition, key, (current) => (current?.revision === row.revision ? later : 'keep'));
}

/** Marks the alert's revision as sent. If the alert has changed meanwhile, its newer revision is still to be sent. */
async function markSent(
  { entry: { partition, key }, alert, notSent }: { entry: OutboxEntry; alert: Row; notSent?: true },
  { tables }: TaskContext<AlertCode>,
): Promise<void> {
  await tables('alerts').change(partition, key, (current) => {
    if (current?.revision !== alert.revision) return 'keep';
    const { notSent: _, ...others } = current as Row;
    return { ...others, ...(notSent && { notSent }), sentRevision: Number(alert.revision) };
  });
}

async function removeFromOutbox(
  { partition, key, row }: OutboxEntry,
  { tables }: TaskContext<AlertCode>,
): Promise<void> {
  await tables('alertoutbox').change(partition, key, (current) =>
    current?.revision === row.revision ? 'remove' : 'keep',
  );
}
