import { digest } from '../digest.js';
import { toJson } from '../json-text.js';
import type { BlobStore } from '../storage/blob-store.js';
import { type LetterName, partsOfName } from '../storage/letter-names.js';
import { pagesOf } from '../storage/pages.js';

/**
 * Corrected payloads: `edited/<yyyy-mm-dd>/<digest of the letter>.<redrives>.<digest of the payload>.json`, with the
 * number that the redrive has. The letter stays as it was, beside it; the job's record, and the letter that the redrive
 * may end as, hold the last digest as `edit`. Named by what is in it: writing it twice changes nothing, and two people
 * who correct the same letter in two ways make two, of which the record says which one has run.
 */
export type Edit = { readonly letter: LetterName; readonly by: string; readonly at: string; readonly event: unknown };

/** Returns what the record is to hold. */
export async function writeEdit(blobs: BlobStore, edit: Edit, redrives: number): Promise<string> {
  const id = digest(toJson(edit.event));
  await blobs.create(`${prefixOf(edit.letter)}${redrives}.${id}.json`, toJson(edit));
  return id;
}

/** Of this letter's job, or invalid payload: of all its redrives, by name. */
export async function findEdits(blobs: BlobStore, letter: LetterName): Promise<string[]> {
  const names: string[] = [];
  for await (const page of pagesOf((from) => blobs.list(prefixOf(letter), { limit: 100, ...from }))) {
    names.push(...page.blobs.map(({ name }) => name));
  }
  return names;
}

function prefixOf(letter: LetterName): string {
  const { dated, digest: digested } = partsOfName(letter) ?? {};
  return `edited/${dated}/${digested}.`;
}
