import type { ServiceName } from '../clients/readers.js';
import { NonRetriableError } from '../errors.js';
import type { RawEvent } from '../events/accept.js';
import { parseEvent } from '../events/parse.js';
import { createTurns, withRetries } from '../storage/pace.js';
import type { StorageError, TableStore } from '../storage/table-store.js';
import { forEachAtOnce, type Workflow } from '../workflow.js';
import { isExpected, type ReadFailure } from './compare.js';
import { deletionOf, presentIds, RESOURCES_AT_ONCE } from './deletion-of.js';
import { createGetPage, type GetPage } from './get-page.js';
import {
  BEGINNING,
  type Indexed,
  type IndexedPage,
  indexedPages,
  isUnchanged,
  type Place,
} from './indexed-resources.js';
import type { ReconcileDeps } from './reconcile.js';
import { workspaceOf } from './workspace.js';

// A hard delete makes no event and leaves no history, but the table of resource-index still has the resource.
//
//   process dies before a Deleted is brought in    the resource is found again
//   process dies after that                        the app knows the event by its id, which is the same for each search
//   two processes at once                          at worst two rows with one event id, which make one job (Q2)
//   the resource is recreated meanwhile            the Deleted has a time before the search, so the Created is later
//   process dies before `save`                     the next run searches the page again, and knows what was brought in
//   process dies after `save`                      the next run continues with the next page
// The key of a resource never changes, so only a new resource can get a row before the saved place.

/** The resources to look for. */
type RemovedSearch = {
  /** Host names of FHIR services. */
  readonly hosts: readonly string[];
  /** FHIR types. Default: all. */
  readonly types?: readonly string[] | undefined;
  /** Counts, and brings nothing in. */
  readonly isDryRun: boolean;
};

/** The search of one service. `source`: the workspace that its events name. */
type HostSearch = Omit<RemovedSearch, 'hosts'> & { readonly host: string; readonly source: string };

/**
 * `compared` = `present` + `removed` + `recent` + `unreadable`. `recent`: written in the last 10 minutes, so that events
 * may be on their way. `known`: removed, and the app knows of it. `unreadable`: no service has such a type or id.
 */
export type RemovedCounts = typeof NO_REMOVED;

/** The counts of the pages that were searched, and the place of the next page: undefined at the end. */
export type RemovedSoFar = { readonly counts: Readonly<RemovedCounts>; readonly next?: Place | undefined };

/** The progress of a search. */
export type RemovedProgress = { readonly host: string; readonly counts: Readonly<RemovedCounts> };

/** The result of a search. */
export type RemovedReport = RemovedProgress &
  ({ readonly end: 'done' | 'stopped' } | { readonly end: 'failed'; readonly error: ReadFailure | StorageError });

export type RemovedDeps = Pick<
  ReconcileDeps,
  'readers' | 'known' | 'workflows' | 'settings' | 'clock' | 'storageNow' | 'pace' | 'onWait'
> & {
  /** Returns whether the ledger or a row has an event with this id. */
  readonly hasEvent: (eventId: string) => Promise<boolean>;
  /** The store with the table of resource-index. */
  readonly workflowTables: Pick<TableStore, 'query' | 'read'>;
  /** Returns the progress of an earlier run. Default: each search starts at the beginning. */
  readonly soFar?: (host: string) => RemovedSoFar | undefined;
  /** Called after each page, with the progress that `soFar` must return from then on. */
  readonly save?: (host: string, soFar: RemovedSoFar) => Promise<void>;
  /** Called after each page, always with the same object `counts`. */
  readonly onProgress?: (progress: RemovedProgress) => void;
};

/** The maximum of requests to a service at a time, because the service has other clients. */
const REQUESTS_AT_ONCE = 4;
const INDEX = 'resource-index';

/** The counts of a search that has not started. */
export const NO_REMOVED = { compared: 0, present: 0, removed: 0, known: 0, recent: 0, unreadable: 0, broughtIn: 0 };

/** Checks that the app has the table to compare. @throws NonRetriableError */
export function checkIndex(workflows: readonly Workflow[]): void {
  if (workflows.some(({ name }) => name === INDEX)) return;
  throw new NonRetriableError(
    `A search for removed resources needs the workflow ${INDEX}, whose table lists the resources: turn it on.`,
    { code: 'unknown-workflow' },
  );
}

/**
 * Compares the table of resource-index with each FHIR service in turn, and brings in a Deleted for each resource that
 * the service no longer has. Memory holds one page of the table.
 * @throws NonRetriableError with the code `unknown-workflow` or `workspace-unknown`, before anything is read
 */
export async function findRemoved(
  { hosts, ...search }: RemovedSearch,
  { settings, workflows, ...deps }: RemovedDeps,
): Promise<RemovedReport[]> {
  checkIndex(workflows);
  const searches = hosts.map((host) => ({ ...search, host, source: workspaceOf(host, settings) }));
  const reports: RemovedReport[] = [];
  for (const each of searches) {
    const report = await searchHost(each, deps);
    reports.push(report);
    if (report.end === 'stopped') break;
  }
  return reports;
}

type HostDeps = Omit<RemovedDeps, 'workflows' | 'settings'>;

async function searchHost(search: HostSearch, deps: HostDeps): Promise<RemovedReport> {
  const { host } = search;
  const { clock, pace, workflowTables, soFar, save, onProgress } = deps;
  const { signal } = pace;
  const { next: from, counts: earlier } = soFar?.(host) ?? { next: BEGINNING, counts: NO_REMOVED };
  const counts: RemovedCounts = { ...earlier };
  if (!from) return { host, counts, end: 'done' };
  const retry = <T>(act: () => Promise<T>) => withRetries(act, { clock, signal });
  try {
    const comparePage = createComparePage(search, deps, counts);
    for await (const page of indexedPages(search, from, { tables: workflowTables, retry })) {
      await comparePage(page);
      if (signal.aborted) return { host, counts, end: 'stopped' };
      if (save) await retry(() => save(host, { counts: { ...counts }, next: page.next }));
      onProgress?.({ host, counts });
    }
    return { host, counts, end: 'done' };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return signal.aborted ? { host, counts, end: 'stopped' } : { host, counts, end: 'failed', error };
  }
}

/** Returns a function that compares a page of the table with the service, and adds the results to `counts`. */
function createComparePage(search: HostSearch, deps: HostDeps, counts: RemovedCounts) {
  const { readers, clock, pace, onWait } = deps;
  const { signal } = pace;
  const service: ServiceName = { service: 'fhir', host: search.host };
  const get = createGetPage(readers.pagesOf(service, signal), {
    clock,
    signal,
    onWait: (waitMs) => onWait?.(search.host, waitMs),
  });
  const takeTurn = createTurns(pace.perSecond / RESOURCES_AT_ONCE, { clock, signal });
  const bringIn = createBringIn(search, deps, { counts, get });

  return async ({ chunks, recent, unreadable }: IndexedPage): Promise<void> => {
    counts.recent += recent;
    counts.unreadable += unreadable;
    counts.compared += recent + unreadable;
    let isFailed = false;
    await forEachAtOnce(chunks, REQUESTS_AT_ONCE, async (chunk) => {
      await takeTurn();
      if (isFailed || signal.aborted) return;
      try {
        const present = await presentIds(chunk, get);
        const absent = chunk.filter(({ resourceId }) => !present.has(resourceId));
        counts.compared += chunk.length - absent.length;
        counts.present += chunk.length - absent.length;
        for (const resource of absent) if (!signal.aborted) await bringIn(resource);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    });
  };
}

/** Asks the service about one resource again, and brings in its Deleted if the resource is gone. */
function createBringIn(
  { host, source, isDryRun }: HostSearch,
  { known, hasEvent, workflowTables, clock, storageNow, pace }: HostDeps,
  { counts, get }: { counts: RemovedCounts; get: GetPage },
) {
  const { signal } = pace;
  const retry = <T>(act: () => Promise<T>) => withRetries(act, { clock, signal });
  const takeTurn = createTurns(pace.broughtInPerSecond, { clock, signal });

  return async (resource: Indexed): Promise<void> => {
    const askedAt = await retry(storageNow);
    const found = await deletionOf(resource, { host, source, askedAt }, get);
    const isSame = found !== 'present' && (await retry(() => isUnchanged(resource, workflowTables)));
    counts.compared += 1;
    if (found === 'present') counts.present += 1;
    else if (found === 'recent' || !isSame) counts.recent += 1;
    else {
      counts.removed += 1;
      if (await retry(() => isKnown(found))) counts.known += 1;
      else if (!isDryRun) {
        await takeTurn();
        if (signal.aborted) return;
        await retry(() => known.bringIn(found));
        counts.broughtIn += 1;
      }
    }
  };

  async function isKnown({ raw }: RawEvent): Promise<boolean> {
    const event = parseEvent(raw);
    return (await known.isKnown(event)) || (await hasEvent(event.id));
  }
}
