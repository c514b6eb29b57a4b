import type { ServiceName } from '../clients/readers.js';
import type { Random } from '../clock.js';
import { errorCodeOf, NonRetriableError } from '../errors.js';
import {
  ASKED,
  type AskedStatus,
  countsOf,
  countsOfAsked,
  isOpen,
  listAsked,
  type PartSoFar,
  rowOf,
  statusOf,
} from './asked-rows.js';
import { servicesOfAsked } from './check-asked.js';
import { DAY_MS } from './check-since.js';
import { type Counts, NO_COUNTS, type Position } from './compare.js';
import { findRemoved, NO_REMOVED, type RemovedDeps, type RemovedReport, type RemovedSoFar } from './find-removed.js';
import { BEGINNING, withFewerRows } from './indexed-resources.js';
import { type LeasedRow, takeRow } from './leased-row.js';
import type { ComparisonName } from './positions.js';
import { type PartReport, type ReconcileDeps, type Report, type Request, reconcile } from './reconcile.js';
import { commitRow } from './reconcile-table.js';
import { removedCountsOf, withoutDashes } from './report-text.js';

type RunAskedDeps = Omit<ReconcileDeps, 'positionOf' | 'onProgress' | 'onWait'> &
  Omit<RemovedDeps, 'soFar' | 'save' | 'onProgress' | 'onWait'> & {
    readonly random: Random;
    /** The services that the settings list. */
    readonly services: readonly ServiceName[];
  };

/** A request that this run has worked on. `errorCode` is set if the request has failed. */
type Worked = {
  readonly state: AskedStatus['state'];
  readonly counts: ReturnType<typeof countsOfAsked>;
  readonly errorCode: string | undefined;
};

/** The time for which a request that has ended is listed. */
const KEPT_DAYS = 30;
const NOTHING = 'Nothing to compare: no workflow wants changes of these services and types.';

/**
 * Works on the requests that were made over HTTP, oldest first, until none is open or `pace.signal` aborts. Request,
 * lease, positions and counts are one row (`leased-row.ts`): the next run continues from the last page of a run that ended.
 * @throws StorageError if the requests cannot be read
 */
export async function runAsked(deps: RunAskedDeps): Promise<Worked[]> {
  const worked: Worked[] = [];
  const all = await listAsked(deps.tables);
  for (const { id } of all.filter(isOpen).reverse()) {
    if (deps.pace.signal.aborted) break;
    const taken = await takeRow({ partition: ASKED, key: id }, undefined, deps);
    if (taken.kind !== 'taken') continue;
    const status = statusOf({ key: id, row: taken.leased.row });
    if (isOpen(status)) worked.push(await work(status, taken.leased, deps));
    else await taken.leased.release(taken.leased.row); // another process has ended it since the list was read
  }
  await forget(all, deps);
  return worked;
}

async function work(status: AskedStatus, leased: LeasedRow, deps: RunAskedDeps): Promise<Worked> {
  const working = { ...status, parts: { ...status.parts }, removed: { ...status.removed } };
  const { errorCode, ...ended } = await workToEnd(working, leased, deps);
  const endedAt = ended.state === 'running' ? '' : (await deps.storageNow()).toISOString();
  const next = { ...working, ...ended, endedAt };
  await leased.release(rowOf(next));
  return { state: ended.state, counts: countsOfAsked(next), errorCode };
}

type Ended = { readonly state: AskedStatus['state']; readonly message: string; readonly errorCode: string | undefined };
/** A request while this run works on it. */
type Working = AskedStatus & {
  readonly parts: Record<string, PartSoFar>;
  readonly removed: Record<string, RemovedSoFar>;
};

async function workToEnd(working: Working, leased: LeasedRow, deps: RunAskedDeps): Promise<Ended> {
  try {
    return working.isFindRemoved
      ? endedOfRemoved(await searchAsked(working, leased, deps), working)
      : endedOf(await compareParts(working, leased, deps), working.parts);
  } catch (error) {
    if (!(error instanceof NonRetriableError)) throw error;
    return { state: 'failed', message: withoutDashes(error.message), errorCode: errorCodeOf(error) };
  }
}

async function compareParts(working: Working, leased: LeasedRow, deps: RunAskedDeps): Promise<Report> {
  const { parts } = working;
  const before = { ...parts };
  const live = new Map<string, Readonly<Counts>>();
  const soFar = (name: string, upTo: string): PartSoFar => ({
    upTo,
    counts: countsOf([before[name], { counts: live.get(name) ?? NO_COUNTS }].filter((one) => one !== undefined)),
  });
  const positionOf = (comparison: ComparisonName): Position => {
    const name = nameOf(comparison);
    return {
      read: async () => parts[name]?.upTo,
      async save(upTo) {
        const next = { ...parts, [name]: soFar(name, upTo) };
        await leased.save(rowOf({ ...working, state: 'running', parts: next }));
        Object.assign(parts, next);
      },
      end: async () => {}, // a part that has come to `until` has no change left: it is not read again
    };
  };
  const report = await reconcile(requestOf(working, deps), {
    ...deps,
    positionOf,
    onProgress: (part) => void live.set(nameOf(part), part.counts),
  });
  for (const part of report.parts) {
    live.set(nameOf(part), part.counts);
    parts[nameOf(part)] = soFar(nameOf(part), part.upTo);
  }
  return report;
}

/**
 * Saves the counts after each whole page. If a run dies in a page, the next run searches the page again, and counts the
 * deletions that the first run brought in as known.
 */
async function searchAsked(working: Working, leased: LeasedRow, deps: RunAskedDeps): Promise<RemovedReport[]> {
  const { types, isDryRun, removed } = working;
  const hosts = chosenServices(working, deps).map(({ host }) => host);
  const reports = await findRemoved(
    { hosts, types, isDryRun },
    {
      ...deps,
      soFar: (host) => removed[host],
      async save(host, soFar) {
        await leased.save(rowOf({ ...working, state: 'running', removed: { ...removed, [host]: soFar } }));
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
function chosenServices(status: AskedStatus, { services }: RunAskedDeps): readonly ServiceName[] {
  const chosen = servicesOfAsked(status, services);
  if (chosen.length > 0) return chosen;
  throw new NonRetriableError('FHIR_HOSTS and DICOM_HOSTS do not list the service any more.', {
    code: 'host-not-listed',
  });
}

function requestOf(status: AskedStatus, deps: RunAskedDeps): Request {
  const { since, until, types, areRowsLost, isDryRun } = status;
  const services = chosenServices(status, deps);
  const workflow = deps.workflows.find(({ name }) => name === status.workflow);
  if (status.workflow !== undefined && !workflow)
    throw new NonRetriableError('The workflow is not on in this app.', { code: 'unknown-workflow' });
  return { services, since, until, types, workflow, areRowsLost, isDryRun };
}

function endedOf(report: Report, parts: Working['parts']): Ended {
  if (report.parts.length === 0) return { state: 'done', message: NOTHING, errorCode: undefined };
  const { compared, missing, broughtIn, unreadable } = countsOf(Object.values(parts));
  const counted = `${compared} compared, ${missing} missing, ${broughtIn} brought in.`;
  const leftOut = unreadable > 0 ? ` ${unreadable} entries name no change that an event can hold: left out.` : '';
  return endedWith(counted + leftOut, report.parts, 'it goes on from there');
}

function endedOfRemoved(reports: readonly RemovedReport[], { isDryRun, removed }: Working): Ended {
  const ofPages = reports.map(({ host }) => ({ host, counts: removed[host]?.counts ?? NO_REMOVED }));
  return endedWith(removedCountsOf(ofPages, isDryRun).join(' '), reports, 'it starts at the beginning');
}

function endedWith(counted: string, parts: readonly (PartReport | RemovedReport)[], again: string): Ended {
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

//   process dies before a delete      the next run deletes the row
//   two processes at once             storage refuses one delete, because the row is absent
//   a request starts again            its row has another ETag: storage refuses the delete
async function forget(all: Awaited<ReturnType<typeof listAsked>>, { tables, storageNow }: RunAskedDeps): Promise<void> {
  if (all.every(isOpen)) return;
  const oldest = new Date((await storageNow()).getTime() - KEPT_DAYS * DAY_MS).toISOString();
  for (const { id, etag } of all.filter((one) => !isOpen(one) && one.endedAt < oldest))
    await commitRow(tables, ASKED, { kind: 'delete', key: id, etag });
}
