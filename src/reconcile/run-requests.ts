import type { ServiceName } from '../clients/readers.js';
import type { Random } from '../clock.js';
import { errorCodeOf, NonRetriableError } from '../errors.js';
import { servicesToCompare } from './check-request.js';
import { DAY_MS } from './check-since.js';
import { type Counts, NO_COUNTS, type Position } from './compare.js';
import { findRemoved, NO_REMOVED, type RemovedDeps, type RemovedReport, type RemovedSoFar } from './find-removed.js';
import { BEGINNING, withFewerRows } from './indexed-resources.js';
import { type LeasedRow, takeRow } from './leased-row.js';
import type { ComparisonName } from './positions.js';
import { type PartReport, type ReconcileDeps, type Reconciliation, type Report, reconcile } from './reconcile.js';
import { commitRow } from './reconcile-table.js';
import { NOTHING_TO_COMPARE, removedCountsOf, withoutDashes } from './report-text.js';
import {
  countsOf,
  countsOfRequest,
  decodeRequest,
  encodeRequest,
  isOpen,
  listRequests,
  type PartSoFar,
  REQUESTS_PARTITION,
  type StoredRequest,
} from './request-rows.js';

type RunRequestsDeps = Omit<ReconcileDeps, 'positionOf' | 'onProgress' | 'onWait'> &
  Omit<RemovedDeps, 'soFar' | 'save' | 'onProgress' | 'onWait'> & {
    readonly random: Random;
    /** The services that the settings list. */
    readonly services: readonly ServiceName[];
  };

/** A request that this run has worked on. `errorCode` is set if the request has failed. */
type RequestRun = {
  readonly state: StoredRequest['state'];
  readonly counts: ReturnType<typeof countsOfRequest>;
  readonly errorCode: string | undefined;
};

/** The time for which a request that has ended is listed. */
const KEPT_DAYS = 30;

/**
 * Works on the requests that were made over HTTP, oldest first, until none is open or `pace.signal` aborts. Request,
 * lease, positions and counts are one row (`leased-row.ts`): the next run continues from the last page of a run that ended.
 * @throws StorageError if the requests cannot be read
 */
export async function runRequests(deps: RunRequestsDeps): Promise<RequestRun[]> {
  const worked: RequestRun[] = [];
  const all = await listRequests(deps.tables);
  for (const { id } of all.filter(isOpen).reverse()) {
    if (deps.pace.signal.aborted) break;
    const taken = await takeRow({ partition: REQUESTS_PARTITION, key: id }, undefined, deps);
    if (taken.kind !== 'taken') continue;
    const request = decodeRequest({ key: id, row: taken.leased.row });
    if (isOpen(request)) worked.push(await runRequest(request, taken.leased, deps));
    else await taken.leased.release(taken.leased.row); // another process has ended it since the list was read
  }
  await deleteOld(all, deps);
  return worked;
}

async function runRequest(request: StoredRequest, leased: LeasedRow, deps: RunRequestsDeps): Promise<RequestRun> {
  const working = { ...request, parts: { ...request.parts }, removed: { ...request.removed } };
  const { errorCode, ...ended } = await runToEnd(working, leased, deps);
  const endedAt = ended.state === 'running' ? '' : (await deps.storageNow()).toISOString();
  const next = { ...working, ...ended, endedAt };
  await leased.release(encodeRequest(next));
  return { state: ended.state, counts: countsOfRequest(next), errorCode };
}

type Ended = {
  readonly state: StoredRequest['state'];
  readonly message: string;
  readonly errorCode: string | undefined;
};
/** A request while this run works on it. */
type RunningRequest = StoredRequest & {
  readonly parts: Record<string, PartSoFar>;
  readonly removed: Record<string, RemovedSoFar>;
};

async function runToEnd(working: RunningRequest, leased: LeasedRow, deps: RunRequestsDeps): Promise<Ended> {
  try {
    return working.isFindRemoved
      ? endOfSearch(await searchRemoved(working, leased, deps), working)
      : endOfComparison(await compareParts(working, leased, deps), working.parts);
  } catch (error) {
    if (!(error instanceof NonRetriableError)) throw error;
    return { state: 'failed', message: withoutDashes(error.message), errorCode: errorCodeOf(error) };
  }
}

/** Saves the position and the counts of a part after each page. */
async function compareParts(working: RunningRequest, leased: LeasedRow, deps: RunRequestsDeps): Promise<Report> {
  const { parts } = working;
  const earlier = { ...parts };
  const countsOfRun = new Map<string, Readonly<Counts>>();
  const soFar = (name: string, upTo: string): PartSoFar => ({
    upTo,
    counts: countsOf(
      [earlier[name], { counts: countsOfRun.get(name) ?? NO_COUNTS }].filter((one) => one !== undefined),
    ),
  });
  const positionOf = (comparison: ComparisonName): Position => {
    const name = nameOf(comparison);
    return {
      read: async () => parts[name]?.upTo,
      async save(upTo) {
        const next = { ...parts, [name]: soFar(name, upTo) };
        await leased.save(encodeRequest({ ...working, state: 'running', parts: next }));
        Object.assign(parts, next);
      },
      end: async () => {}, // a part that has come to `until` has no change left: it is not read again
    };
  };
  const report = await reconcile(reconciliationOf(working, deps), {
    ...deps,
    positionOf,
    onProgress: (part) => void countsOfRun.set(nameOf(part), part.counts),
  });
  for (const part of report.parts) {
    countsOfRun.set(nameOf(part), part.counts);
    parts[nameOf(part)] = soFar(nameOf(part), part.upTo);
  }
  return report;
}

/**
 * Saves the counts after each whole page. If a run dies in a page, the next run searches the page again, and counts the
 * deletions that the first run brought in as known.
 */
async function searchRemoved(
  working: RunningRequest,
  leased: LeasedRow,
  deps: RunRequestsDeps,
): Promise<RemovedReport[]> {
  const { types, isDryRun, removed } = working;
  const hosts = chosenServices(working, deps).map(({ host }) => host);
  const reports = await findRemoved(
    { hosts, types, isDryRun },
    {
      ...deps,
      soFar: (host) => removed[host],
      async save(host, soFar) {
        await leased.save(encodeRequest({ ...working, state: 'running', removed: { ...removed, [host]: soFar } }));
        removed[host] = soFar;
      },
    },
  );
  for (const { host } of reports.filter(({ end }) => end === 'stopped')) {
    const { counts, next = BEGINNING } = removed[host] ?? { counts: NO_REMOVED };
    removed[host] = { counts, next: withFewerRows(next) };
  }
  return reports;
}

function nameOf({ host, part }: Pick<ComparisonName, 'host' | 'part'>): string {
  return `${host} ${part}`;
}

/** Settings and workflows may have changed since the request was made. */
function chosenServices(request: StoredRequest, { services }: RunRequestsDeps): readonly ServiceName[] {
  const chosen = servicesToCompare(request, services);
  if (chosen.length > 0) return chosen;
  throw new NonRetriableError('FHIR_HOSTS and DICOM_HOSTS do not list the service any more.', {
    code: 'host-not-listed',
  });
}

function reconciliationOf(request: StoredRequest, deps: RunRequestsDeps): Reconciliation {
  const { since, until, types, areRowsLost, isDryRun } = request;
  const services = chosenServices(request, deps);
  const workflow = deps.workflows.find(({ name }) => name === request.workflow);
  if (request.workflow !== undefined && !workflow)
    throw new NonRetriableError('The workflow is not on in this app.', { code: 'unknown-workflow' });
  return { services, since, until, types, workflow, areRowsLost, isDryRun };
}

function endOfComparison(report: Report, parts: RunningRequest['parts']): Ended {
  if (report.parts.length === 0) return { state: 'done', message: NOTHING_TO_COMPARE, errorCode: undefined };
  const { compared, missing, broughtIn, unreadable } = countsOf(Object.values(parts));
  const counted = `${compared} compared, ${missing} missing, ${broughtIn} brought in.`;
  const leftOut = unreadable > 0 ? ` ${unreadable} entries name no change that an event can hold: left out.` : '';
  return endWith(counted + leftOut, report.parts, 'it goes on from there');
}

function endOfSearch(reports: readonly RemovedReport[], { isDryRun, removed }: RunningRequest): Ended {
  const ofPages = reports.map(({ host }) => ({ host, counts: removed[host]?.counts ?? NO_REMOVED }));
  return endWith(removedCountsOf(ofPages, isDryRun).join(' '), reports, 'it starts at the beginning');
}

function endWith(counted: string, parts: readonly (PartReport | RemovedReport)[], again: string): Ended {
  if (parts.some(({ end }) => end === 'stopped'))
    return { state: 'running', message: `${counted} The timer goes on.`, errorCode: undefined };
  const failed = parts.filter((part) => part.end === 'failed');
  const [first] = failed;
  if (!first) return { state: 'done', message: counted, errorCode: undefined };
  const message = `${counted} ${failed.map(failureText).join(' ')} Then make the same request again: ${again}.`;
  return { state: 'failed', message, errorCode: errorCodeOf(first.error) };
}

function failureText({ host, error }: Pick<Extract<PartReport, { end: 'failed' }>, 'host' | 'error'>): string {
  return `${host} was not compared to the end. ${error.message} The cause of ${errorCodeOf(error)}: docs/troubleshooting.md.`;
}

// Deletes the requests that ended more than KEPT_DAYS ago.
//
//   process dies before a delete      the next run deletes the row
//   two processes at once             storage refuses one delete, because the row is absent
//   a request starts again            its row has another ETag: storage refuses the delete
async function deleteOld(
  all: Awaited<ReturnType<typeof listRequests>>,
  { tables, storageNow }: RunRequestsDeps,
): Promise<void> {
  if (all.every(isOpen)) return;
  const oldest = new Date((await storageNow()).getTime() - KEPT_DAYS * DAY_MS).toISOString();
  for (const { id, etag } of all.filter((one) => !isOpen(one) && one.endedAt < oldest))
    await commitRow(tables, REQUESTS_PARTITION, { kind: 'delete', key: id, etag });
}
