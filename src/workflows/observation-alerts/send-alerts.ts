import type { Context, Row, TaskContext } from '../../workflow.js';
import { PARTITIONS } from './alert.js';
import type { AlertCode } from './codes.js';
import type { Place } from './results.js';
import { hasWebhook, type Post } from './webhook.js';

/**
 * Tells a webhook of alerts, where the settings name one: of each that was raised, has changed, or was withdrawn.
 *
 * The alert's row says which revision people have been told of; table `alertoutbox` lists those of which it is not the
 * newest. The handler writes the alert, then the list; the task sends, then writes the alert, then takes it off the list.
 *   dies before the list: the next try of the handler finds a revision that was not sent.
 *   dies after sending, or two send at once: it is sent again, with the same idempotency key.
 *   the alert changes while it is sent: the mark is not made, and the list has the newer revision.
 */
const EVERY = Array.from({ length: PARTITIONS }, (_, partition) => String(partition));
const PAGE = 1_000;
const AT_ONCE = 8;
/** The rest goes the next time: a task should be over before it is due again. */
const MAX_RUN_MS = 20_000;
/** Of it, so that there is time left to send. */
const MAX_LISTING_MS = 10_000;
/** More than can be sent in that time. */
const MAX_HELD = 20_000;
const FIRST_WAIT_MS = 10_000;
const MAX_WAIT_MS = 3_600_000;
const GIVE_UP_MS = 24 * 3_600_000;
/** So many in a row, and the endpoint is left alone until the next time. */
const MAX_FAILURES = 5;
/** The first to be told come first. */
const SEVERITIES = ['critical', 'warning', 'info'];

type OutboxEntry = Place & { readonly row: Row };

/** Puts an alert on the list, if there is something about it that people have not been told. */
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

/** The task that sends what is on the list and due. */
export function createSendAlerts(post: Post): (context: TaskContext<AlertCode>) => Promise<void> {
  return async (context) => {
    const { setting, now, signal } = context;
    if (!hasWebhook(setting)) return;
    const endsAtMs = now().getTime() + MAX_RUN_MS;
    let failures = 0;
    const isOver = () => signal.aborted || failures >= MAX_FAILURES || now().getTime() >= endsAtMs;
    const left = (await listDue(context)).values();
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const entry of left) {
        if (isOver()) return;
        const outcome = await sendOne(entry, post, context);
        failures = outcome === 'failed' ? failures + 1 : 0;
      }
    });
    await allSettled(workers);
  };
}

/** Of all partitions, by their turn. Page by page: what waits for its next try must not hide what is behind it. */
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
      from = `${last.key}!`; // after it: no key continues so
    }
  };
  await allSettled(EVERY.map(listPartition));
  return first;
}

/**
 * What was tried less often comes first, so that alerts which the endpoint refuses, critical ones too, do not hold up
 * those that it would take: five of them end a run, and the next one begins with others.
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
      if (signal.aborted) return 'stopped'; // by us: no failure of the endpoint's
      await deferOrGiveUp(entry, alert, answer.retryAfterMs, context);
      return 'failed';
    }
    await markSent(entry, alert, {}, context);
  }
  await removeFromOutbox(entry, context);
  return 'sent';
}

async function deferOrGiveUp(
  entry: OutboxEntry,
  alert: Row,
  retryAfterMs: number,
  context: TaskContext<AlertCode>,
): Promise<void> {
  const { partition, key, row } = entry;
  const nowAt = context.now();
  const tries = Number(row.tries) + 1;
  const since = String(row.since) || nowAt.toISOString();
  if (nowAt.getTime() - Date.parse(since) >= GIVE_UP_MS) {
    context.log.error('alert-not-sent', { tries });
    await markSent(entry, alert, { notSent: true }, context);
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

/** Where the alert has changed meanwhile, that is for people to be told, too. */
async function markSent(
  { partition, key }: OutboxEntry,
  alert: Row,
  how: Row,
  { tables }: TaskContext<AlertCode>,
): Promise<void> {
  await tables('alerts').change(partition, key, (current) => {
    if (current?.revision !== alert.revision) return 'keep';
    const { notSent: _, ...others } = current as Row;
    return { ...others, ...how, sentRevision: Number(alert.revision) };
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

/** Also where one fails: none is left running. */
async function allSettled(running: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(running);
  await Promise.all(running);
}
