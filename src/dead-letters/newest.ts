import { type Desk, type Letter, STAGES_WITH_WORKFLOW, WORDS, type Word } from './letter.js';
import { inBatches, type Listing, lettersOf, listBlobs, listLetters, readListed } from './list.js';

type Stores = Pick<Desk, 'letters' | 'undelivered'>;
const COUNTED_EVERY = 1000;

type Candidate = { readonly at: number; readonly name: string; readonly read: () => Promise<Letter | undefined> };

/**
 * The newest `most` dead letters, the newest first, and how many there are in all.
 *
 * Storage lists names in their own order, which is not that of time: the whole listing is walked, 1,000 names a request,
 * and twice `most` are held. Event Grid's blobs are read only if they are among the newest, or if the filter asks for
 * something that is inside them.
 */
export async function newestLetters(
  desk: Stores,
  listing: Listing,
  { most, onCount = () => {} }: { readonly most: number; readonly onCount?: (all: number) => void },
): Promise<{ letters: Letter[]; all: number }> {
  const newest: Candidate[] = [];
  let all = 0;
  for await (const candidate of candidatesOf(desk, listing)) {
    all += 1;
    if (all % COUNTED_EVERY === 0) onCount(all);
    newest.push(candidate);
    if (newest.length >= 2 * most) keepNewest(newest, most);
  }
  keepNewest(newest, most);
  const letters: Letter[] = [];
  for await (const { value } of inBatches(newest.map(({ read }) => read))) if (value) letters.push(value);
  return { letters, all };
}

async function* candidatesOf(desk: Stores, listing: Listing): AsyncGenerator<Candidate, void> {
  const isInside = WORDS.some((word) => word !== 'stage' && listing[word] !== undefined);
  if (isInside) {
    for await (const { letter, after } of listLetters(desk, listing)) {
      yield { at: Date.parse(letter.at), name: after.name, read: async () => letter };
    }
    return;
  }
  for await (const { stage, blobs } of listBlobs(desk, listing)) {
    for (const blob of blobs) {
      yield {
        at: blob.createdAt.getTime(),
        name: blob.name,
        read: () => readListed(desk, { stage, blob, isResolved: listing.isResolved }),
      };
    }
  }
}

/** Storage counts in whole seconds: within one, names decide. */
function keepNewest(candidates: Candidate[], most: number): void {
  candidates.sort((one, other) => other.at - one.at || (one.name < other.name ? -1 : 1));
  candidates.length = Math.min(candidates.length, most);
}

/** Every value of `word` that a dead letter has, pending or resolved: walks all of them. */
export async function valuesOf(word: Word, desk: Stores): Promise<Set<string>> {
  const values = new Set<string>();
  const listings = word === 'workflow' ? STAGES_WITH_WORKFLOW.map((stage) => ({ stage })) : [{}];
  for (const listing of listings) {
    for (const isResolved of [false, true]) {
      for await (const letter of lettersOf(desk, { ...listing, isResolved })) {
        for (const value of letter[word].split(' ')) if (value !== '') values.add(value);
      }
    }
  }
  return values;
}
