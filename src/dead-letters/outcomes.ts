import { eventErrorOf } from '../events/accept.js';
import { asStorageError, StorageError } from '../storage/table-store.js';
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
 * Counts the outcomes of dead letters that were redriven. Only reads: two requests for each id, three for an unknown id. An
 * outcome stays `waiting` until the app has moved the dead letter (R4); from then on, the ledger has the outcome of the job.
 *
 * Busy storage refuses some of many reads. Their outcomes are `waiting` too, and the caller asks again.
 * @throws StorageError if storage refuses all reads
 */
export async function countOutcomes(ids: readonly string[], deps: Deps): Promise<Record<RedriveOutcome, number>> {
  const counts = { resolved: 0, failedAgain: 0, waiting: 0, unknown: 0 };
  let answered = 0;
  let failure: StorageError | undefined;
  const calls = [...new Set(ids)].map((id) => () => outcomeOfId(id, deps).catch(asStorageError));
  for await (const { value } of inBatches(calls)) {
    if (value instanceof StorageError) failure = value;
    else answered += 1;
    counts[value instanceof StorageError ? 'waiting' : value] += 1;
  }
  if (failure && answered === 0) throw failure;
  return counts;
}

async function outcomeOfId(id: string, deps: Deps): Promise<RedriveOutcome> {
  const place = placeOfId(id);
  if (!place) return 'unknown';
  return place.kind === 'undelivered' ? outcomeOfUndelivered(place.name, deps) : outcomeOfOwn(place.name, deps);
}

/** R6: a dead letter in both places is resolved. A third read finds one that moves between the two reads. */
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
 * The dead letter of a job also moves if the job waits for its next try, or has a newer dead letter: the record decides. An
 * absent record has expired, and was settled.
 */
async function outcomeOfResolved(name: DeadLetterName, content: string, { stores }: Deps): Promise<RedriveOutcome> {
  const { address, discarded } = readDeadLetter(content) ?? {};
  if (discarded || address === undefined) return 'resolved';
  const { state, redrives = 0 } = (await stores.ledger.read(address))?.record ?? {};
  if (state === undefined || (state.kind === 'settled' && state.result !== 'dead')) return 'resolved';
  const isNewer = redrives > (partsOfName(name)?.redrives ?? 0);
  return state.kind === 'settled' && isNewer ? 'failedAgain' : 'waiting';
}

/** R5: the dead letter of an event that is still invalid stays pending. A corrected payload is valid, and waits. */
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
