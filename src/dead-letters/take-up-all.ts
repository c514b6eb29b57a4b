import type { ListedBlob } from '../storage/blob-store.js';
import type { Desk } from './letter.js';
import { takeUp } from './take-up.js';
import { undeliveredBlobs } from './undelivered.js';

/** What a run of the timer may add to what waits: a blob that would go beyond it is the next run's. */
const MOST_EVENTS = 5000;
/** Names that are held: the oldest of those there are. */
const MOST_NAMES = 1000;

export type TakenUpAll = { blobs: number; events: number; unreadable: number };

/** Takes up what Event Grid gave up on, the oldest first, up to a number of events a run, where the app is healthy. */
export async function takeUpAll(desk: Desk, isHealthy: () => Promise<boolean>): Promise<TakenUpAll> {
  const done: TakenUpAll = { blobs: 0, events: 0, unreadable: 0 };
  const names = await oldest(desk);
  if (names.length === 0 || !(await isHealthy())) return done;
  for (const { name } of names) {
    if (done.events >= MOST_EVENTS) break;
    const taken = await takeUp(name, desk);
    if (taken.kind === 'unreadable') done.unreadable += 1;
    if (taken.kind !== 'taken-up') continue;
    done.blobs += 1;
    done.events += taken.events;
  }
  return done;
}

/** Names are in no order of time: hours and days have no zeros before them. */
async function oldest({ undelivered }: Desk): Promise<ListedBlob[]> {
  let found: ListedBlob[] = [];
  for await (const { letters } of undeliveredBlobs(undelivered)) {
    found = [...found, ...letters].sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime());
    found.length = Math.min(found.length, MOST_NAMES);
  }
  return found;
}
