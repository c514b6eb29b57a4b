import { toJson } from '../json-text.js';
import type { StoredLetter } from '../storage/dead-letters.js';
import { type Desk, placeOfLetter } from './letter.js';
import { isResolved } from './take-up.js';
import { parsedOr, RESOLVED } from './undelivered.js';

/** Who puts a letter away, and why. */
export type Note = { readonly by: string; readonly why: string };

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
  const content = await undelivered.read(name);
  if (content === undefined) return 'gone';
  if (isDryRun) return 'discarded';
  if (!(await isResolved(name, desk))) {
    await undelivered.create(RESOLVED + name, toJson({ discarded, content: parsedOr(content) }));
  }
  await undelivered.delete(name);
  return 'discarded';
}
