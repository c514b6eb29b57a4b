import { firstNotBefore } from '../../../binary-search.js';
import { type FhirError, refuse } from '../content/outcome.js';
import type { Store } from '../store/store.js';
import type { Version } from '../store/version.js';
import type { Criterion } from './search-criteria.js';
import { OPTIONS, type PageOptions, readSearch, type SearchOptions, WITHOUT_EFFECT } from './search-options.js';

/** Part of a list of versions, in the order of the search. */
export type Page = {
  readonly versions: readonly Version[];
  /** The sequence after which the next page begins; undefined on the last page. */
  readonly next: number | undefined;
};

/**
 * Reads a page of versions that are in the order of their sequence. A resource that does not change keeps its place, so
 * it is on exactly one page, whatever is written between two pages.
 */
export function readPage(
  versions: readonly Version[],
  { count, isNewestFirst, after }: Omit<PageOptions, 'kept'>,
  isWanted: (version: Version) => boolean,
): Page {
  const step = isNewestFirst ? -1 : 1;
  const found: Version[] = [];
  for (let at = startOf(versions, isNewestFirst, after); at >= 0 && at < versions.length; at += step) {
    const version = versions[at];
    if (!version || !isWanted(version)) continue;
    if (found.length === count) return { versions: found, next: found.at(-1)?.sequence };
    found.push(version);
  }
  return { versions: found, next: undefined };
}

/** Returns one page of the resources that the search finds now. */
export function search(store: Store, resourceType: string | undefined, options: SearchOptions): Page {
  const { versions, isWanted } = candidates(store, resourceType, options.criteria);
  return readPage(versions, options.page, isWanted);
}

/** Returns the number of matches on all pages. */
export function countMatches(store: Store, resourceType: string | undefined, options: SearchOptions): number {
  const { versions, isWanted } = candidates(store, resourceType, options.criteria);
  return versions.reduce((total, version) => (isWanted(version) ? total + 1 : total), 0);
}

/**
 * Returns up to `max` resources that meet the criteria of a conditional request. Parameters that no search understands
 * are left out. Without any criterion the request is refused, because it would mean every resource.
 */
export function findMatches(
  store: Store,
  resourceType: string,
  { criteria, base, isStrict, max }: { criteria: URLSearchParams; base: string; isStrict: boolean; max: number },
): readonly Version[] {
  if (criteria.size === 0) throw notSelective(400, resourceType);
  const parameters = [...criteria].filter(([name]) => !NO_CRITERIA.includes(name));
  const options = readSearch(parameters, { resourceType, base, isStrict });
  if (options.criteria.length === 0) throw notSelective(412, resourceType);
  return search(store, resourceType, { ...options, page: { ...options.page, count: max } }).versions;
}

/** Returns the error of a conditional request without criteria: 400 without parameters, 412 with other parameters. */
export function notSelective(status: 400 | 412, resourceType: string): FhirError {
  const diagnostics = `Conditional operation on ${resourceType} was not attempted because search criteria was not selective enough.`;
  return refuse(status, status === 412 ? 'required' : 'invalid', diagnostics);
}

const NO_CRITERIA = [...OPTIONS, ...WITHOUT_EFFECT, 'ct', '_hardDelete', 'hardDelete'];

/** Returns the fewest versions, in order, that contain all matches, and the test for a match. */
function candidates(
  store: Store,
  resourceType: string | undefined,
  criteria: readonly Criterion[],
): { versions: readonly Version[]; isWanted: (version: Version) => boolean } {
  const sets = criteria.flatMap((criterion) => {
    if (criterion.kind === 'keys') return [new Set(criterion.keys.flatMap((key) => [...store.having(key)]))];
    if (criterion.kind !== 'ids' || resourceType === undefined) return [];
    return [new Set([...criterion.ids].flatMap((id) => store.get(resourceType, id) ?? []))];
  });
  const [smallest] = sets.toSorted((a, b) => a.size - b.size);
  const versions = smallest
    ? [...smallest].map(({ current }) => current).sort((a, b) => a.sequence - b.sequence)
    : store.log(resourceType);
  return {
    versions,
    isWanted: (version) =>
      version.stored.current === version &&
      version.text !== undefined &&
      !version.isGone &&
      (resourceType === undefined || version.stored.resourceType === resourceType) &&
      sets.every((set) => set === smallest || set.has(version.stored)) &&
      criteria.every((criterion) => isMet(criterion, version)),
  };
}

function isMet(criterion: Criterion, { stored, atMs }: Version): boolean {
  if (criterion.kind === 'ids') return criterion.ids.has(stored.id);
  if (criterion.kind === 'types') return criterion.types.has(stored.resourceType);
  return criterion.kind === 'keys' || criterion.isMetAt(atMs); // the index has been searched already
}

/** Returns the index of the first version of a page, behind `after`. */
function startOf(versions: readonly Version[], isNewestFirst: boolean, after: number | undefined): number {
  if (after === undefined) return isNewestFirst ? versions.length - 1 : 0;
  const isBefore = (sequence: number) => (isNewestFirst ? sequence < after : sequence <= after);
  const first = firstNotBefore(0, versions.length, (at) => isBefore(versions[at]?.sequence ?? 0));
  return isNewestFirst ? first - 1 : first;
}
