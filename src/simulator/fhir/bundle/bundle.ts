import type { Call, Result } from '../call.js';
import { isNothing } from '../content/json.js';
import { FhirError, type Issue, invalid } from '../content/outcome.js';
import type { WriteDeps } from '../writes.js';
import { type BundleEntry, callOf, METHODS, readEntry } from './bundle-entry.js';
import { TransactionPlan } from './transaction-plan.js';

type BundleType = 'batch' | 'transaction';

/** The results of a bundle. An entry of a batch that is refused has a FhirError as its result. */
export type BundleResult = {
  readonly type: BundleType;
  /** The results in the order of the entries. The results of a transaction contain no error. */
  readonly results: readonly (Result | FhirError)[];
};

type Deps = WriteDeps & { readonly route: (call: Call) => Result };

const MAX_ENTRIES = 500;
/** FHIR's other types of bundles, which the service accepts at other URLs only. */
const OTHER_TYPES = 'document message transaction-response batch-response history searchset collection'.split(' ');

/** Runs the entries of a bundle: one by one, or, as a transaction, all or nothing. */
export function runBundle(deps: Deps, call: Call): BundleResult {
  const { type: given, entry } = call.body.bundle();
  const type = bundleTypeOf(given);
  const entries = (Array.isArray(entry) ? entry : [entry]).filter((one) => !isNothing(one));
  if (entries.length > MAX_ENTRIES) {
    const limit = `The number of entries in the bundle exceeded the configured limit of ${MAX_ENTRIES}`;
    throw invalid(`${limit}: it has ${entries.length}.`, 'Bundle.entry');
  }
  return { type, results: type === 'batch' ? runBatch(deps, call, entries) : runTransaction(deps, call, entries) };
}

function bundleTypeOf(type: unknown): BundleType {
  if (type === 'batch' || type === 'transaction') return type;
  if (!isNothing(type) && !OTHER_TYPES.includes(String(type))) {
    throw invalid('The provided Bundle type is not supported. Use batch or transaction.', 'Bundle.type');
  }
  const diagnostics = isNothing(type)
    ? 'Bundle type is not present. Use transaction or batch.'
    : `A bundle of type '${type}' cannot be posted here. Use batch or transaction.`;
  throw new FhirError(405, [{ severity: 'error', code: 'forbidden', diagnostics, expression: 'Bundle.type' }]);
}

function runBatch({ route }: Deps, call: Call, entries: readonly unknown[]): (Result | FhirError)[] {
  const read = entries.map((entry) => resultOrRefusal(() => readEntry(entry, call.base)));
  return runInOrder(read, (entry) =>
    entry instanceof FhirError ? entry : resultOrRefusal(() => route(callOf(entry, call))),
  );
}

function runTransaction(deps: Deps, call: Call, entries: readonly unknown[]): Result[] {
  const { store, route } = deps;
  const plan = new TransactionPlan(deps, call);
  const read = entries.map((entry, n) => nameEntryInRefusal(n, undefined, () => readEntry(entry, call.base)));
  const newIds = read.map((entry, n) => nameEntryInRefusal(n, undefined, () => plan.add(entry)));
  for (const [n, entry] of read.entries()) nameEntryInRefusal(n, undefined, () => plan.resolve(entry));
  const isParallel = call.header('x-bundle-processing-logic')?.trim().toLowerCase() === 'parallel';
  return store.attempt(() => {
    let late: FhirError | undefined;
    const results = runInOrder(read, (entry, n) => {
      try {
        return nameEntryInRefusal(n, entry, () => route(callOf(entry, call, newIds[n])));
      } catch (error) {
        if (!isParallel || !(error instanceof FhirError) || !isVersionConflict(error, entry)) throw error;
        late ??= error;
        return undefined;
      }
    });
    if (late) throw late;
    return results.flatMap((result) => result ?? []);
  });
}

/** The real service runs entries in parallel and compares versions last, so any other error comes first. */
function isVersionConflict({ status }: FhirError, { method, headers }: BundleEntry): boolean {
  return method === 'PUT' && headers.has('if-match') && (status === 404 || status === 412);
}

/**
 * Runs entries in the order of their methods; those that cannot be read come first. The results keep the entries'
 * order.
 */
function runInOrder<E extends BundleEntry | FhirError, R>(entries: readonly E[], run: (entry: E, n: number) => R): R[] {
  const results: R[] = [];
  const turnOf = (entry: E) => ('method' in entry ? METHODS.indexOf(entry.method) : -1);
  const inOrder = [...entries.entries()].sort(([a, one], [b, other]) => turnOf(one) - turnOf(other) || a - b);
  for (const [n, entry] of inOrder) results[n] = run(entry, n);
  return results;
}

function resultOrRefusal<T>(work: () => T): T | FhirError {
  try {
    return work();
  } catch (error) {
    if (error instanceof FhirError) return error;
    throw error;
  }
}

/** Adds the entry to a refusal, and, once a transaction runs, its method and URL. */
function nameEntryInRefusal<T>(n: number, entry: BundleEntry | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    const expression = `Bundle.entry[${n}]`;
    const failed: Issue[] = [];
    if (entry) {
      const url = entry.query === '' ? entry.path : `${entry.path}?${entry.query}`;
      const diagnostics = `Transaction failed on '${entry.method}' for the requested url '/${url}'.`;
      failed.push({ severity: 'error', code: 'processing', diagnostics, expression });
    }
    const issues = error.issues.map((issue) => ({ ...issue, expression: placeInEntry(expression, issue.expression) }));
    throw new FhirError(error.status, [...failed, ...issues]);
  }
}

/** Returns a place such as `Patient.name[0]` as a place in the entry. */
function placeInEntry(entry: string, expression: string | undefined): string {
  return expression === undefined ? entry : `${entry}.resource${expression.replace(/^[^.[]*/, '')}`;
}
