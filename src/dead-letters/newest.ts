import { deadLettersOf, inBatches, isInTime, type Listing, listBlobs, readListed, scanDeadLetters } from './list.js';
import { FILTER_FIELDS, type FilterField, type ListedDeadLetter, STAGES_WITH_WORKFLOW } from './listed.js';
import type { ReadStores } from './stores.js';

const COUNT_EVERY = 1000;

type Dated = { readonly at: number; readonly name: string };
type Candidate = Dated & { readonly read: () => Promise<ListedDeadLetter | undefined> };
type Limit = { readonly max: number; readonly onCount?: (all: number) => void };

/**
 * Returns the newest `max` dead letters, the newest first, and the number of all that match.
 *
 * Storage lists by name, not by time, so this reads the whole listing, up to 5,000 names a request. A blob of Event Grid is
 * read only if it is among the newest, or if the filter needs its content.
 */
export async function newestDeadLetters(
  stores: ReadStores,
  listing: Listing,
  limit: Limit,
): Promise<{ letters: ListedDeadLetter[]; all: number }> {
  const { newest, all } = await newestOf(candidatesOf(stores, listing), limit);
  const letters: ListedDeadLetter[] = [];
  for await (const { value } of inBatches(newest.map(({ read }) => read))) if (value) letters.push(value);
  return { letters, all };
}

/** Returns the newest `max` of `candidates`, the newest first, and the number of all. Holds up to 2 × `max`. */
export async function newestOf<C extends Dated>(
  candidates: AsyncIterable<C>,
  { max, onCount = () => {} }: Limit,
): Promise<{ newest: C[]; all: number }> {
  const newest: C[] = [];
  let all = 0;
  for await (const candidate of candidates) {
    all += 1;
    if (all % COUNT_EVERY === 0) onCount(all);
    newest.push(candidate);
    if (newest.length >= 2 * max) keepNewest(newest, max);
  }
  keepNewest(newest, max);
  return { newest, all };
}

async function* candidatesOf(stores: ReadStores, listing: Listing): AsyncGenerator<Candidate, void> {
  const needsContent = FILTER_FIELDS.some((field) => field !== 'stage' && listing[field] !== undefined);
  if (needsContent) {
    for await (const { deadLetter, name } of scanDeadLetters(stores, listing)) {
      if (deadLetter) yield { at: Date.parse(deadLetter.at), name, read: async () => deadLetter };
    }
    return;
  }
  for await (const { stage, blobs } of listBlobs(stores, listing)) {
    for (const blob of blobs) {
      if (!isInTime(blob, listing)) continue;
      yield {
        at: blob.createdAt.getTime(),
        name: blob.name,
        read: () => readListed(stores, { stage, blob, isResolved: listing.isResolved }),
      };
    }
  }
}

/** Sorts by time, then by name, because storage's times have whole seconds. */
function keepNewest(candidates: Dated[], max: number): void {
  candidates.sort((one, other) => other.at - one.at || (one.name < other.name ? -1 : 1));
  candidates.length = Math.min(candidates.length, max);
}

/** Returns every value of `field` in pending and resolved dead letters: reads all of them. */
export async function valuesOf(field: FilterField, stores: ReadStores): Promise<Set<string>> {
  const values = new Set<string>();
  const listings = field === 'workflow' ? STAGES_WITH_WORKFLOW.map((stage) => ({ stage })) : [{}];
  for (const listing of listings) {
    for (const isResolved of [false, true]) {
      for await (const deadLetter of deadLettersOf(stores, { ...listing, isResolved })) {
        for (const value of deadLetter[field].split(' ')) if (value !== '') values.add(value);
      }
    }
  }
  return values;
}
