import { toJson } from '../json-text.js';
import type { StoredLetter } from '../storage/dead-letters.js';
import { type Desk, placeOfLetter } from './letter.js';
import { isResolved } from './take-up.js';
import { MAX_BLOB_BYTES, parsedOr, RESOLVED } from './undelivered.js';

/** Who puts a letter away, and why. */
export type Note = { readonly by: string; readonly why: string };

/** Storage takes 8 KB beside a blob. */
const LONGEST_WHY_BESIDE = 500;

export type Discarded = 'discarded' | 'gone';

/**
 * Puts a letter away: it moves to resolved/, with a note of who did it and why. The job stays dead in the ledger.
 *
 *   dies before the copy   nothing has happened
 *   dies after it          it is in both places, and counts as discarded; the next one ends the move
 *   two at once            the first note stands
 *   a redrive at once      goes on: its row is there. What becomes of it has a letter of its own
 */
export async function discardLetter(
  id: string,
  { by, why }: Note,
  desk: Desk,
  { isDryRun = false }: { isDryRun?: boolean } = {},
): Promise<Discarded> {
  const { letters, deadLetters, clock } = desk;
  const place = placeOfLetter(id);
  if (!place) return 'gone';
  const discarded = { by, why, at: clock.now().toISOString() };
  if (place.kind === 'undelivered') return discardUndelivered(place.name, discarded, desk, isDryRun);
  const isThere = (await letters.read(`pending/${place.name}`)) !== undefined;
  if (isThere && !isDryRun) await deadLetters.move(place.name, (letter) => ({ ...letter, discarded }));
  return isThere ? 'discarded' : 'gone';
}

async function discardUndelivered(
  name: string,
  discarded: NonNullable<StoredLetter['discarded']>,
  desk: Desk,
  isDryRun: boolean,
): Promise<Discarded> {
  const { undelivered } = desk;
  const read = await undelivered.readText(name, MAX_BLOB_BYTES);
  if (!read) return 'gone';
  if (isDryRun) return 'discarded';
  if (read.kind === 'not-text') {
    const about = { ...discarded, why: discarded.why.slice(0, LONGEST_WHY_BESIDE) };
    await undelivered.copy(name, RESOLVED + name, { about });
  } else if (!(await isResolved(name, desk))) {
    await undelivered.create(RESOLVED + name, toJson({ discarded, content: parsedOr(read.text) }));
  }
  await undelivered.delete(name);
  return 'discarded';
}
