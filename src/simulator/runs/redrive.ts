import { type Clock, sleep } from '../../clock.js';
import { importUndelivered } from '../../dead-letters/import-undelivered.js';
import type { DeadLetterStores } from '../../dead-letters/stores.js';
import { RESOLVED } from '../../dead-letters/undelivered.js';
import { StorageError } from '../../storage/table-store.js';
import { numbersIn } from './event-name.js';
import { namesSince, undeliveredSince } from './find-sent.js';

const MAX_FAILURES = 5;
const POLL_MS = 1000;
const RETRY_MS = 2000;

type Import = {
  runId: string;
  since: Date;
  deadLetterStores: DeadLetterStores;
  isLeftToOthers: boolean;
  clock: Clock;
  signal: AbortSignal;
};

/**
 * Imports Event Grid's dead letters of a run, as `npm run dead-letters -- redrive` does. With `isLeftToOthers`, waits
 * until somebody else has imported them. Returns the number of imported events of the run.
 */
export async function importUndeliveredOf(options: Import): Promise<number> {
  const { runId, since, deadLetterStores, isLeftToOthers, clock, signal } = options;
  const { undelivered } = deadLetterStores;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const own = await ownOf(await undeliveredSince(undelivered, since));
      if (!isLeftToOthers) for (const { name } of own) await importUndelivered(name, deadLetterStores);
      if (!isLeftToOthers || own.length === 0) return await countImported();
      await sleep(clock, POLL_MS, signal);
    } catch (error) {
      failures += 1;
      if (!(error instanceof StorageError) || failures === MAX_FAILURES) throw error;
      await sleep(clock, RETRY_MS, signal);
    }
  }
  return 0;

  async function ownOf(names: Iterable<string>): Promise<{ name: string; numbers: Set<number> }[]> {
    const own: { name: string; numbers: Set<number> }[] = [];
    for (const name of names) {
      const numbers = numbersIn(runId, (await undelivered.read(name)) ?? '');
      if (numbers.size > 0) own.push({ name, numbers });
    }
    return own;
  }

  async function countImported(): Promise<number> {
    const taken = await ownOf(await namesSince(undelivered, RESOLVED, since));
    return new Set(taken.flatMap(({ numbers }) => [...numbers])).size;
  }
}
