import type { ListedBlob } from '../storage/blob-store.js';
import { StorageError } from '../storage/table-store.js';
import type { Desk } from './letter.js';
import { takeUp } from './take-up.js';
import { isUnreadable, undeliveredBlobs } from './undelivered.js';

/** What a run of the timer may add to what waits: a blob that would go beyond it is the next run's. */
const MOST_EVENTS = 5000;
/** Names that are held: the oldest of those there are. */
const MOST_NAMES = 1000;
/** Storage that has failed so often in a row is down; fewer, and there is something about those blobs. */
const MOST_FAILURES_IN_A_ROW = 3;

/** `unreadable`: blobs that have moved to unreadable/. `failed`: blobs that storage did not give. */
export type TakenUpAll = { blobs: number; events: number; unreadable: number; failed: number };

/**
 * Takes up what Event Grid gave up on, the oldest first, up to a number of events a run, where the app is healthy. What
 * cannot be taken up, such as a blob that somebody has archived, holds back nothing that is newer.
 */
export async function takeUpAll(desk: Desk, isHealthy: () => Promise<boolean>): Promise<TakenUpAll> {
  const done: TakenUpAll = { blobs: 0, events: 0, unreadable: 0, failed: 0 };
  let failuresInARow = 0;
  let blobs = await oldest(desk);
  if (blobs.length === 0 || !(await isHealthy())) return done;
  while (blobs.length > 0) {
    for (const { name } of blobs) {
      if (done.events >= MOST_EVENTS) return done;
      const taken = await takeUp(name, desk).catch(failed);
      if (taken.kind === 'failed') continue;
      failuresInARow = 0;
      if (taken.kind === 'unreadable') done.unreadable += 1;
      if (taken.kind !== 'taken-up') continue;
      done.blobs += 1;
      done.events += taken.events;
    }
    if (done.blobs > 0 || blobs.length < MOST_NAMES) return done;
    blobs = await oldest(desk, blobs.at(-1));
  }
  return done;

  function failed(error: unknown): { kind: 'failed' } {
    failuresInARow += 1;
    if (!(error instanceof StorageError) || failuresInARow >= MOST_FAILURES_IN_A_ROW) throw error;
    done.failed += 1;
    return { kind: 'failed' };
  }
}

/** Of those behind `last`. Names are in no order of time: hours and days have no zeros before them. */
async function oldest({ undelivered }: Desk, last?: ListedBlob): Promise<ListedBlob[]> {
  let found: ListedBlob[] = [];
  for await (const { letters } of undeliveredBlobs(undelivered)) {
    const behind = letters.filter((blob) => !isUnreadable(blob.name) && (!last || byAge(last, blob) < 0));
    found = [...found, ...behind].sort(byAge);
    found.length = Math.min(found.length, MOST_NAMES);
  }
  return found;
}

/** Those of the same second by name, so that there is one order. */
function byAge(one: ListedBlob, other: ListedBlob): number {
  return one.createdAt.getTime() - other.createdAt.getTime() || (one.name < other.name ? -1 : 1);
}
