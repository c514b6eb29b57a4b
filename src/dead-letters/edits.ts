import { digest } from '../digest.js';
import { toJson } from '../json-text.js';
import type { BlobStore } from '../storage/blob-store.js';
import { pagesOf } from '../storage/pages.js';
import { type DeadLetterName, partsOfName } from './store/names.js';

/**
 * A corrected payload: `edited/<yyyy-mm-dd>/<digest of the dead letter>.<redrive>.<digest of the payload>.json`. The
 * dead letter stays as it was. The job's record, and the dead letter of a failed redrive, hold the last digest as
 * `edit`.
 *
 * The name contains the digest of the content, so a second write of it changes nothing. Two different corrections make two
 * blobs, and the record names the one that ran.
 */
type Edit = {
  readonly letter: DeadLetterName;
  readonly by: string;
  readonly at: string;
  readonly event: unknown;
};

/** Writes a corrected payload; returns the digest for the job's record. */
export async function writeEdit(blobs: BlobStore, edit: Edit, redrives: number): Promise<string> {
  const id = digest(toJson(edit.event));
  await blobs.create(`${prefixOf(edit.letter)}${redrives}.${id}.json`, toJson(edit));
  return id;
}

/** Returns the names of the corrected payloads of a dead letter, from all its redrives. */
export async function findEdits(blobs: BlobStore, letter: DeadLetterName): Promise<string[]> {
  const names: string[] = [];
  for await (const page of pagesOf((from) => blobs.list(prefixOf(letter), { limit: 100, ...from }))) {
    names.push(...page.blobs.map(({ name }) => name));
  }
  return names;
}

function prefixOf(letter: DeadLetterName): string {
  const { dated, digest: digested } = partsOfName(letter) ?? {};
  return `edited/${dated}/${digested}.`;
}
