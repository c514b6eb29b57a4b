import { type Clock, sleep } from '../../clock.js';
import type { Desk } from '../../dead-letters/letter.js';
import { takeUp } from '../../dead-letters/take-up.js';
import { RESOLVED } from '../../dead-letters/undelivered.js';
import { StorageError } from '../../storage/table-store.js';
import { namesSince } from './blob-names.js';
import { numbersIn } from './event-name.js';
import { undeliveredSince } from './find-sent.js';

const MOST_TRIES = 5;
const TRY_AGAIN_MS = 2000;

/**
 * Takes up what Event Grid gave up on of a run, as `npm run dead-letters -- redrive` does. The app's own timer may do the
 * same meanwhile. Returns how many events of the run have been taken up, by whomever.
 */
export async function redriveUndelivered(of: {
  runId: string;
  since: Date;
  desk: Desk;
  clock: Clock;
  signal: AbortSignal;
}): Promise<number> {
  const { runId, since, desk, clock, signal } = of;
  const { undelivered } = desk;
  for (let tries = 1; !signal.aborted; tries += 1) {
    try {
      for (const name of await undeliveredSince(undelivered, since)) if (await isOwn(name)) await takeUp(name, desk);
      return await countTakenUp();
    } catch (error) {
      if (!(error instanceof StorageError) || tries === MOST_TRIES) throw error;
      await sleep(clock, TRY_AGAIN_MS, signal);
    }
  }
  return 0;

  async function isOwn(name: string): Promise<boolean> {
    return numbersIn(runId, (await undelivered.read(name)) ?? '').size > 0;
  }

  async function countTakenUp(): Promise<number> {
    const taken = new Set<number>();
    for (const name of await namesSince(undelivered, RESOLVED, since)) {
      for (const n of numbersIn(runId, (await undelivered.read(name)) ?? '')) taken.add(n);
    }
    return taken.size;
  }
}
