import { toJson } from '../json-text.js';
import { placeOfId } from './ids.js';
import { isResolved } from './import-undelivered.js';
import type { DiscardNote } from './store/dead-letter.js';
import type { DeadLetterStores } from './stores.js';
import { MAX_BLOB_BYTES, parsedOrText, RESOLVED } from './undelivered.js';

/** The person who discards, and the reason. */
export type Note = Omit<DiscardNote, 'at'>;

/** Blob metadata is limited to 8 KB. */
const MAX_WHY_CHARACTERS = 500;

/** `gone`: no pending dead letter has the id. */
export type Discarded = 'discarded' | 'gone';

/**
 * Discards a dead letter: moves it to `resolved/` with a note (R6). The job stays dead in the ledger.
 *
 *   process dies before the copy    nothing has changed
 *   process dies after the copy     the dead letter is in both places: discarded; the next discard ends the move
 *   two processes at once           the first note stays
 *   a redrive at once               the redrive continues, since its row exists; if it fails, there is a new dead letter
 */
export async function discardDeadLetter(
  id: string,
  { by, why, isDryRun = false }: Note & { readonly isDryRun?: boolean },
  stores: DeadLetterStores,
): Promise<Discarded> {
  const { blobs, deadLetters, clock } = stores;
  const place = placeOfId(id);
  if (!place) return 'gone';
  const discarded = { by, why, at: clock.now().toISOString() };
  if (place.kind === 'undelivered') {
    if (!isDryRun) return discardUndelivered(place.name, discarded, stores);
    return (await stores.undelivered.readText(place.name, MAX_BLOB_BYTES)) ? 'discarded' : 'gone';
  }
  const isThere = (await blobs.read(`pending/${place.name}`)) !== undefined;
  if (isThere && !isDryRun) await deadLetters.move(place.name, (deadLetter) => ({ ...deadLetter, discarded }));
  return isThere ? 'discarded' : 'gone';
}

async function discardUndelivered(name: string, discarded: DiscardNote, stores: DeadLetterStores): Promise<Discarded> {
  const { undelivered } = stores;
  const read = await undelivered.readText(name, MAX_BLOB_BYTES);
  if (!read) return 'gone';
  if (read.kind === 'not-text') {
    const metadata = { ...discarded, why: discarded.why.slice(0, MAX_WHY_CHARACTERS) };
    await undelivered.copy(name, RESOLVED + name, { metadata });
  } else if (!(await isResolved(name, stores))) {
    await undelivered.create(RESOLVED + name, toJson({ discarded, content: parsedOrText(read.text) }));
  }
  await undelivered.delete(name);
  return 'discarded';
}
