import * as z from 'zod';
import { openForReading } from '../handler/workflow-table.js';
import type { ResourceName } from '../reconcile/known-changes.js';
import { LEDGER_PREFIX } from '../storage/app-tables.js';
import type { FoundRecord } from '../storage/ledger.js';
import type { App } from './compose.js';

type Deps = Pick<App, 'ledger' | 'workflows' | 'workflowTables' | 'config' | 'stores'>;

const MAX_FOUND = 20;
/** Versions without a job: no workflow wanted their events, or the ledger has forgotten them. */
const MAX_UNKNOWN_IN_A_ROW = 20;
const MAX_VERSIONS = 200;
/** The maximum of requests for one question: a ledger that keeps its records for a year has hundreds of tables. */
const MAX_REQUESTS = 3000;
const VERSIONS_AT_ONCE = 5;
/** The number of versions that may be newer than the one in the index of resources. */
const MAX_AHEAD = 3;

const INDEX = 'resource-index';
const indexed = z.object({
  resources: z.array(z.object({ host: z.string(), dicomPartition: z.string().optional(), version: z.number() })),
});

/**
 * Returns the records of the up to 20 newest versions of a resource, the newest first. The ledger knows a change only by
 * its digests, `changesOf` a version, so the versions are looked for one by one: down from the version in the table of the
 * workflow `resource-index`; without that workflow, up from version 1. The search ends after 20 unknown versions in a row,
 * after 200 versions, or after about 3,000 requests. A version costs 3 requests for each table of the ledger.
 *
 * The versions of an image are numbers in the change feed of its service: only the newest can be found, in the index.
 */
export async function findVersions(
  resource: ResourceName,
  changesOf: (version: number) => readonly string[],
  deps: Deps,
): Promise<FoundRecord[]> {
  const newest = await newestVersionOf(resource, deps);
  if (resource.service === 'dicom') return newest === undefined ? [] : deps.ledger.findChanges(changesOf(newest));
  const tables = await deps.stores.tables.list(LEDGER_PREFIX);
  const max = Math.min(MAX_VERSIONS, Math.max(1, Math.floor(MAX_REQUESTS / (3 * Math.max(1, tables.length)))));
  const find = (version: number) => deps.ledger.findChanges(changesOf(version));
  if (newest === undefined)
    return (await findSome(versions(1, 1, max), MAX_VERSIONS, find)).slice(-MAX_FOUND).reverse().flat();
  return (await findSome(versions(newest + MAX_AHEAD, -1, max), MAX_FOUND, find)).flat();
}

/** Returns the records of each version that is known, in the order of `wanted`. */
async function findSome(
  wanted: readonly number[],
  max: number,
  find: (version: number) => Promise<FoundRecord[]>,
): Promise<FoundRecord[][]> {
  const found: FoundRecord[][] = [];
  let unknownInARow = 0;
  for (let at = 0; at < wanted.length && unknownInARow < MAX_UNKNOWN_IN_A_ROW; at += VERSIONS_AT_ONCE) {
    for (const records of await Promise.all(wanted.slice(at, at + VERSIONS_AT_ONCE).map(find))) {
      unknownInARow = records.length > 0 ? 0 : unknownInARow + 1;
      if (records.length > 0 && found.push(records) === max) return found;
    }
  }
  return found;
}

function versions(from: number, step: 1 | -1, max: number): number[] {
  return Array.from({ length: max }, (_, n) => from + n * step).filter((version) => version >= 1);
}

/** Returns the newest version that the workflow `resource-index` has seen; undefined without that workflow. */
async function newestVersionOf(
  resource: ResourceName,
  { workflows, workflowTables, config }: Deps,
): Promise<number | undefined> {
  const { lookup } = workflows.find(({ name }) => name === INDEX) ?? {};
  if (!lookup) return undefined;
  const { service, host, ...rest } = resource;
  const { partition, ...query } = { partition: undefined, ...rest };
  const answer = await lookup.answer(query, {
    tables: (table) => openForReading(table, workflowTables),
    setting: config.setting,
  });
  const { data } = indexed.safeParse(answer);
  const isAsked = (found: { host: string; dicomPartition?: string | undefined }) =>
    found.host === host && (service === 'fhir' || found.dicomPartition === partition);
  return data?.resources.find(isAsked)?.version;
}
