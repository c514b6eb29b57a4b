import { eventErrorOf } from '../events/accept.js';
import { StorageError } from '../storage/table-store.js';
import { withJson } from './add-row.js';
import { findEdits } from './edits.js';
import { placeOfId } from './ids.js';
import { isResolved } from './import-undelivered.js';
import { inBatches } from './list.js';
import { readDeadLetter } from './store/dead-letter.js';
import { type DeadLetterName, partsOfName } from './store/names.js';
import type { DeadLetterStores } from './stores.js';
import { RESOLVED } from './undelivered.js';

/** The outcome of a dead letter that was redriven; src/api/dead-letters.ts explains each. */
export type RedriveOutcome = 'resolved' | 'failedAgain' | 'waiting' | 'unknown';

type Deps = {
  readonly stores: Pick<DeadLetterStores, 'blobs' | 'undelivered' | 'ledger'>;
  /** The workspaces whose events the app accepts. */
  readonly workspaces?: readonly string[] | undefined;
};

/**
 * Counts the outcomes of dead letters that were redriven: two storage requests for each id, three for an id that is
 * nowhere. Reads only. An outcome can be late, when the app has not moved the dead letter yet (R4), but it is not wrong:
 * a job whose dead letter has moved says in the ledger how it ended.
 *
 * A busy storage refuses some of many reads. Those outcomes are late, too: the caller asks again. Only if storage refuses
 * all does this throw its StorageError.
 */
export async function countOutcomes(ids: readonly string[], deps: Deps): Promise<Record<RedriveOutcome, number>> {
  const counts = { resolved: 0, failedAgain: 0, waiting: 0, unknown: 0 };
  let answered = 0;
  let failure: StorageError | undefined;
  const calls = [...new Set(ids)].map((id) => () => outcomeOfId(id, deps).catch(storageErrorAlone));
  for await (const { value } of inBatches(calls)) {
    if (value instanceof StorageError) failure = value;
    else answered += 1;
    counts[value instanceof StorageError ? 'waiting' : value] += 1;
  }
  if (failure && answered === 0) throw failure;
  return counts;
}

function storageErrorAlone(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  throw error;
}

async function outcomeOfId(id: string, deps: Deps): Promise<RedriveOutcome> {
  const place = placeOfId(id);
  if (!place) return 'unknown';
  return place.kind === 'undelivered' ? outcomeOfUndelivered(place.name, deps) : outcomeOfOwn(place.name, deps);
}

/** R6: a dead letter in both places is resolved. It can move between the two reads: so a third read decides. */
async function outcomeOfOwn(name: DeadLetterName, deps: Deps): Promise<RedriveOutcome> {
  const { blobs } = deps.stores;
  const resolved = await blobs.read(RESOLVED + name);
  if (resolved !== undefined) return outcomeOfResolved(name, resolved, deps);
  const pending = await blobs.read(`pending/${name}`);
  if (pending !== undefined) return outcomeOfPending(name, pending, deps);
  const moved = await blobs.read(RESOLVED + name);
  return moved === undefined ? 'unknown' : outcomeOfResolved(name, moved, deps);
}

/**
 * The dead letter of a job moves also when the job waits for its next try, or has a newer dead letter: the record says
 * which. A record that has expired was settled.
 */
async function outcomeOfResolved(name: DeadLetterName, content: string, { stores }: Deps): Promise<RedriveOutcome> {
  const { address, discarded } = readDeadLetter(content) ?? {};
  if (discarded || address === undefined) return 'resolved';
  const { state, redrives = 0 } = (await stores.ledger.read(address))?.record ?? {};
  if (state === undefined || (state.kind === 'settled' && state.result !== 'dead')) return 'resolved';
  const isNewer = redrives > (partsOfName(name)?.redrives ?? 0);
  return state.kind === 'settled' && isNewer ? 'failedAgain' : 'waiting';
}

/** R5: the dead letter of an invalid event stays as it is if the event is invalid still. A corrected payload is valid. */
async function outcomeOfPending(name: DeadLetterName, content: string, deps: Deps): Promise<RedriveOutcome> {
  const { address, causes, event } = readDeadLetter(content) ?? {};
  if (address !== undefined || causes || event === undefined) return 'waiting';
  if (!eventErrorOf(withJson(event), deps)) return 'waiting';
  const edits = await findEdits(deps.stores.blobs, name);
  return edits.length > 0 ? 'waiting' : 'failedAgain';
}

/** R3: the rows of an imported blob are written before the blob moves. */
async function outcomeOfUndelivered(name: string, { stores }: Deps): Promise<RedriveOutcome> {
  if (await isResolved(name, stores)) return 'resolved';
  const { blobs } = await stores.undelivered.list(name, { limit: 1 });
  if (blobs[0]?.name === name) return 'waiting';
  return (await isResolved(name, stores)) ? 'resolved' : 'unknown';
}
