import { type Clock, sleep } from '../../clock.js';
import type { BlobStore } from '../../storage/blob-store.js';
import type { Post } from '../event-grid/post.js';
import { isSuccess } from '../event-grid/retry.js';
import { namesSince } from './blob-names.js';
import { numbersIn } from './event-name.js';

const EVENTS_AT_ONCE = 100;
const MOST_TRIES = 5;
const TRY_AGAIN_MS = 2000;

/**
 * Delivers what Event Grid gave up on, out of its own dead letters: the same events, under the same ids.
 *   Dies before a blob is deleted: its events come twice, and the app knows them.
 */
export async function redriveUndelivered(deps: {
  runId: string;
  undelivered: BlobStore;
  since: Date;
  post: Post;
  url: string;
  clock: Clock;
  signal: AbortSignal;
}): Promise<number> {
  const { runId, undelivered, since, post, url, clock, signal } = deps;
  let redriven = 0;
  for (let tries = MOST_TRIES; tries > 0 && !signal.aborted; tries -= 1) {
    let left = 0;
    for (const name of await namesSince(undelivered, '', since)) {
      const content = await undelivered.read(name);
      const numbers = numbersIn(runId, content ?? '');
      if (content === undefined || numbers.size === 0) continue;
      if (await deliver(JSON.parse(content))) {
        await undelivered.delete(name);
        redriven += numbers.size;
      } else left += 1;
    }
    if (left === 0) break;
    await sleep(clock, TRY_AGAIN_MS, signal);
  }
  return redriven;

  async function deliver(events: readonly Readonly<Record<string, unknown>>[]): Promise<boolean> {
    for (let at = 0; at < events.length; at += EVENTS_AT_ONCE) {
      const answer = await post({
        url,
        method: 'POST',
        headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(events.slice(at, at + EVENTS_AT_ONCE)),
        signal,
      }).catch(() => undefined); // nothing was heard
      if (!answer || !isSuccess(answer.status)) return false;
    }
    return true;
  }
}
