import { type Context, forEachAtOnce, PARTITIONS, type Place, type Row, type TaskContext } from '../../workflow.js';
import { listRevision } from './active-alerts.js';
import type { AlertCode } from './verdict.js';
import { type Answer, hasWebhook, type PostAlert } from './webhook.js';

// Sends alerts to the webhook in the settings: each alert that was raised, changed or withdrawn.
//
// `sentRevision` of an alert is the revision that was sent; table `alertoutbox` lists the alerts with a newer revision.
// The handler writes the alert, then the list. The task sends, then writes the alert, then removes it from the list.
//   process dies before the list               the next try of the handler finds a revision that was not sent
//   process dies after sending, or two send    the alert is sent again, with the same idempotency key
//   the alert changes during sending           the task does not mark it as sent; the list has the newer revision

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
/** The run ends after this many failures in a row, to spare the endpoint. */
const MAX_FAILURES = 5;
/** The order in which alerts are sent. */
const SEVERITIES = ['critical', 'warning', 'info'];

type OutboxEntry = Place & { readonly row: Row };

/** Lists an alert in the outbox if its revision was not sent. */
export async function addToOutbox(
  alert: Row | undefined,
  place: Place,
  { tables, setting }: Pick<Context, 'tables' | 'setting'>,
): Promise<void> {
  if (!alert || alert.revision === alert.sentRevision || !hasWebhook(setting)) return;
  const { revision, severity } = alert;
  const entry = { revision: Number(revision), severity: String(severity), tries: 0, dueAt: '', since: '' };
  await listRevision(tables('alertoutbox'), place, entry);
}

/** Returns the task that sends the entries that are due. */
export function createSendAlerts(post: PostAlert): (context: TaskContext<AlertCode>) => Promise<void> {
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
  await forEachAtOnce(PARTITIONS, PARTITIONS.length, listPartition);
  return first;
}

/**
 * Entries with fewer failures come first. So alerts that the endpoint refuses, also critical ones, do not hold up
 * others: five failures end a run, and the next run begins with other alerts.
 */
function byPriority({ row: a }: OutboxEntry, { row: b }: OutboxEntry): number {
  const rankOf = ({ severity }: Row) => SEVERITIES.indexOf(String(severity));
  const [dueA, dueB] = [String(a.dueAt), String(b.dueAt)];
  return Number(a.tries) - Number(b.tries) || rankOf(a) - rankOf(b) || Number(dueA > dueB) - Number(dueA < dueB);
}

async function sendOne(
  entry: OutboxEntry,
  post: PostAlert,
  context: TaskContext<AlertCode>,
): Promise<'sent' | 'failed' | 'stopped'> {
  const { setting, now, signal, tables } = context;
  const { partition, key, row } = entry;
  const alert = await tables('alerts').get(partition, key);
  let outcome: Answer['kind'] = 'sent';
  let next: Row | 'remove' = 'remove';
  if (alert && alert.revision !== alert.sentRevision) {
    const answer = await post(alert, key, { setting, now: now(), signal });
    if (answer.kind === 'failed' && signal.aborted) return 'stopped'; // the process ends: no failure of the endpoint
    outcome = answer.kind;
    if (answer.kind === 'failed') next = afterFailure(row, answer.retryAfterMs, context);
    if (next === 'remove') await markSent({ entry, alert, isGivenUp: outcome === 'failed' }, context);
  }
  await tables('alertoutbox').change(partition, key, (current) => (current?.revision === row.revision ? next : 'keep'));
  return outcome;
}

/**
 * Returns the entry with the time of its next sending; `remove` after a day of failures. `tries` counts the failures.
 */
function afterFailure(row: Row, retryAfterMs: number, { now, log }: TaskContext<AlertCode>): Row | 'remove' {
  const nowMs = now().getTime();
  const tries = Number(row.tries) + 1;
  const since = String(row.since) || new Date(nowMs).toISOString();
  if (nowMs - Date.parse(since) >= GIVE_UP_MS) {
    log.error('alert-not-sent', { tries });
    return 'remove';
  }
  log.warn('alert-send-failed', { tries });
  const waitMs = Math.min(MAX_WAIT_MS, Math.max(retryAfterMs, FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 20)));
  return { ...row, tries, since, dueAt: new Date(nowMs + waitMs).toISOString() };
}

/** Marks the alert's revision as sent. If the alert has changed meanwhile, its newer revision is still to be sent. */
async function markSent(
  { entry: { partition, key }, alert, isGivenUp }: { entry: OutboxEntry; alert: Row; isGivenUp: boolean },
  { tables }: TaskContext<AlertCode>,
): Promise<void> {
  await tables('alerts').change(partition, key, (current) => {
    if (current?.revision !== alert.revision) return 'keep';
    const { notSent: _, ...others } = current as Row;
    return { ...others, ...(isGivenUp && { notSent: true }), sentRevision: Number(alert.revision) };
  });
}
