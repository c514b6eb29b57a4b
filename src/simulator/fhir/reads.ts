import { rangeOfDate } from '../../fhir-date.js';
import { type Call, etagOf, type Result } from './call.js';
import { FhirError, type Issue, invalid, refuse } from './content/outcome.js';
import { bundleResult, historyEntry, matchEntry, subsetText } from './search/result-bundle.js';
import { countMatches, readPage, search } from './search/search.js';
import { readCount, readSearch, readSummary, readToken } from './search/search-options.js';
import type { Store } from './store/store.js';
import type { Stored, Version } from './store/version.js';

export function readCurrent(store: Store, resourceType: string, id: string): Result {
  return { kind: 'version', status: 200, version: currentVersion(store, resourceType, id), isWrite: false };
}

/** Returns the current version. Throws a FhirError: 404 if the resource is absent, 410 if it is deleted. */
export function currentVersion(store: Store, resourceType: string, id: string): Version {
  const stored = store.get(resourceType, id);
  if (!stored) throw notFound({ resourceType, id });
  return requireUndeleted(stored.current);
}

/** Returns one version. Throws a FhirError: 404 if it is absent or no longer kept, 410 if it is a deletion. */
export function readVersion(store: Store, name: Required<VersionName>): Result {
  const { resourceType, id, versionId } = name;
  const stored = store.get(resourceType, id);
  const version = stored && versionsOf(stored).find(({ number }) => String(number) === versionId);
  if (version) return { kind: 'version', status: 200, version: requireUndeleted(version), isWrite: false };
  const wasThere = stored && /^[1-9]\d*$/.test(versionId) && Number(versionId) < stored.current.number;
  const why = wasThere ? ': it is not kept any longer, as old versions took too much memory' : '';
  throw notFound(name, why);
}

/** Reads all parameters of the query, and those of a form that was sent with the query. */
export function searchResources(
  store: Store,
  call: Call,
  { resourceType, isForm, now }: { resourceType: string | undefined; isForm: boolean; now: Date },
): Result {
  const { base, query, prefer } = call;
  const parameters = [...query, ...(isForm ? call.body.form() : [])];
  const options = readSearch(parameters, { resourceType, base, isStrict: prefer.isStrict });
  const isTotalWanted = options.isTotalWanted || options.isCountOnly;
  return bundleResult({
    type: 'searchset',
    url: resourceType === undefined ? base : `${base}/${resourceType}`,
    options: options.page,
    page: options.isCountOnly ? { versions: [], next: undefined } : search(store, resourceType, options),
    total: isTotalWanted ? countMatches(store, resourceType, options) : undefined,
    issues: options.issues,
    entryOf: (version) => matchEntry(base, version, subsetText(version.text ?? '{}', options)),
    at: now,
  });
}

type HistoryScope = { readonly resourceType?: string; readonly id?: string; readonly now: Date };

/** Returns the history of a resource, of a type, or of all. */
export function readHistory(store: Store, call: Call, { resourceType, id, now }: HistoryScope): Result {
  const stored = resourceType !== undefined && id !== undefined ? store.get(resourceType, id) : undefined;
  if (resourceType !== undefined && id !== undefined && !stored) throw notFound({ resourceType, id });
  const issues: Issue[] = [];
  const { page: options, isWanted, isCountOnly } = readHistoryOptions(call, issues, now);
  const versions = stored ? versionsOf(stored) : store.log(resourceType);
  return bundleResult({
    type: 'history',
    url: [call.base, resourceType, id, '_history'].filter((part) => part !== undefined).join('/'),
    options,
    page: isCountOnly ? { versions: [], next: undefined } : readPage(versions, options, isWanted),
    total: isCountOnly ? versions.filter(isWanted).length : undefined,
    issues,
    entryOf: (version) => historyEntry(call.base, version),
    at: now,
  });
}

/** Names a resource, or one of its versions. */
type VersionName = { readonly resourceType: string; readonly id: string; readonly versionId?: string };

/** Returns the refusal (404) of a resource or version that is absent. `why` continues the sentence. */
export function notFound({ resourceType, id, versionId }: VersionName, why = ''): FhirError {
  const version = versionId === undefined ? '' : ` and version '${versionId}'`;
  return refuse(404, 'not-found', `Resource type '${resourceType}' with id '${id}'${version} couldn't be found${why}.`);
}

/** Returns the version. Throws a FhirError (410) if it marks a deletion. */
function requireUndeleted(version: Version): Version {
  if (version.text !== undefined) return version;
  const { resourceType, id } = version.stored;
  const diagnostics = `Resource type '${resourceType}' with id '${id}' was deleted with version ${version.number}.`;
  throw new FhirError(410, [{ severity: 'error', code: 'deleted', diagnostics }], { ETag: etagOf(version) });
}

function versionsOf({ older, current }: Stored): readonly Version[] {
  return [...older, current];
}

const HISTORY_PARAMETERS = ['_count', '_since', '_before', '_sort', '_summary'];

function readHistoryOptions({ query, prefer }: Call, issues: Issue[], now: Date) {
  const given = (name: string) => query.get(name) ?? undefined;
  const sort = given('_sort') ?? '-_lastUpdated';
  if (!/^-?_lastUpdated$/.test(sort)) {
    throw refuse(403, 'not-supported', `Sorting by the '${sort}' parameter is not supported.`);
  }
  if (query.has('_at')) checkAt(query, { issues, isStrict: prefer.isStrict });
  const { count, isOnlyCounted } = readCount(given('_count'), issues);
  const isCountOnly = isOnlyCounted || readSummary(given('_summary'), () => {}) === 'count';
  const sinceMs = readInstant('_since', given('_since')) ?? Number.NEGATIVE_INFINITY;
  const beforeMs = readInstant('_before', given('_before')) ?? Number.POSITIVE_INFINITY;
  if (Number.isFinite(beforeMs) && beforeMs > now.getTime()) {
    throw refuse(403, 'invalid', 'Parameter _before cannot be a time in the future.');
  }
  const kept = [...query].filter(([name]) => HISTORY_PARAMETERS.includes(name));
  return {
    page: { count, isNewestFirst: sort.startsWith('-'), after: readToken(query), kept },
    isWanted: ({ atMs, isGone }: Version) => !isGone && atMs >= sinceMs && atMs < beforeMs,
    isCountOnly,
  };
}

/** In the real service, too, `_at` excludes `_since` and `_before`, and alone has no effect but a warning. */
function checkAt(query: URLSearchParams, { issues, isStrict }: { issues: Issue[]; isStrict: boolean }): void {
  readInstant('_at', query.get('_at') ?? undefined);
  const other = ['_since', '_before'].find((name) => query.has(name));
  if (other) throw refuse(403, 'invalid', `'_at' cannot be used with '${other}'. Use one of them.`);
  const diagnostics = "The parameter '_at' is not supported: the history has all versions. Use _since and _before.";
  if (isStrict) throw refuse(400, 'not-supported', diagnostics);
  issues.push({ severity: 'warning', code: 'not-supported', diagnostics });
}

function readInstant(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const range = rangeOfDate(text);
  if (!range) throw invalid(`'${name}' is '${text}', not an instant such as 2024-05-01T10:00:00Z.`);
  return range.startMs;
}
