import type { ServiceName } from '../clients/readers.js';
import type { Random } from '../clock.js';
import type { HealthEvent } from '../events/health-event.js';
import type { Row, TableStore } from '../storage/table-store.js';
import { DAY_MS, startOfDay } from './check-since.js';
import { beforeGrace, type Compared, type Counts, compare, type Position } from './compare.js';
import { type LeasedRow, takeRow } from './leased-row.js';
import { historyOf, isWanted, openChanges, type Part } from './plan.js';
import type { ReconcileDeps } from './reconcile.js';
import { RECONCILE_TABLE } from './reconcile-table.js';
import { workspaceOf } from './workspace.js';

type ContinuousDeps = Omit<
  ReconcileDeps,
  'knownWithRowsLost' | 'storageNow' | 'positionOf' | 'onProgress' | 'onWait'
> & { readonly random: Random };

/** The result of a run for one service. */
export type Continued =
  /** No workflow wants changes of the service, or another process compares the service. */
  | { readonly kind: 'unwanted' | 'busy' }
  | {
      readonly kind: 'compared';
      readonly counts: Readonly<Counts>;
      /** The age of the position: all older changes were compared. */
      readonly behindMs: number;
      /** The length of the time that was left out, because the ledger has forgotten its changes. */
      readonly skippedMs: number;
      /** The failure that ended the comparison early; undefined if it reached its end. The next run continues. */
      readonly error: unknown;
    };

/** The position of the continuous comparison of a service, and its counts since its first start. */
type ServicePosition = {
  readonly service: ServiceName['service'];
  readonly host: string;
  readonly upTo: string;
} & Readonly<Pick<Counts, 'compared' | 'missing' | 'broughtIn'>>;

const PARTITION = 'continuous';
const MAX_SERVICES = 1000;

/**
 * Compares the changes of a service since its last position, for all workflows, until the newest change that may be
 * compared (Q5) or until `pace.signal` aborts. The position and the lease are one row (`leased-row.ts`): the next run
 * continues from the last page of a run that dies. The first comparison begins at the time of its start: older changes are
 * for the command. A position before the retention of the ledger moves to the beginning of the retention.
 * @throws NonRetriableError with the code `workspace-unknown`; StorageError if the row cannot be taken
 */
export async function compareService(service: ServiceName, deps: ContinuousDeps): Promise<Continued> {
  const { workflows, settings, retentionDays } = deps;
  const part = historyOf(service.service, { workflows });
  if (!part) return { kind: 'unwanted' };
  const source = workspaceOf(service.host, settings);
  const place = { partition: PARTITION, key: `${service.service} ${service.host}` };
  const taken = await takeRow(place, (now) => firstRow(service, now, deps), deps);
  if (taken.kind !== 'taken') return { kind: 'busy' };
  const { leased } = taken;
  const storedMs = Date.parse(String(leased.row.upTo));
  const sinceMs = Math.max(storedMs, leased.now.getTime() - retentionDays * DAY_MS);
  const since = new Date(sinceMs).toISOString();
  const run = { service, part, source, span: { since, before: beforeGrace(leased.now.toISOString(), leased.now) } };
  const { compared, upTo, error } = await compareLeased(run, leased, deps);
  return {
    kind: 'compared',
    counts: compared.counts,
    behindMs: Math.max(0, leased.now.getTime() - Date.parse(upTo)),
    skippedMs: sinceMs - storedMs,
    error,
  };
}

/** Returns the positions of all services. */
export async function positionsOf(tables: TableStore): Promise<ServicePosition[]> {
  const { rows } = await tables.query(RECONCILE_TABLE, { partition: PARTITION, limit: MAX_SERVICES });
  return rows.map(({ row }) => ({
    service: row.service === 'dicom' ? 'dicom' : 'fhir',
    host: String(row.host),
    upTo: String(row.upTo),
    compared: Number(row.compared),
    missing: Number(row.missing),
    broughtIn: Number(row.broughtIn),
  }));
}

/** Starts at the first day by change, if that is tomorrow: before it, every event would seem to be missing. */
async function firstRow({ service, host }: ServiceName, now: Date, deps: ContinuousDeps): Promise<Row> {
  const firstDay = await deps.firstDayByChange();
  const startMs = firstDay === '' ? 0 : startOfDay(firstDay).getTime();
  const upTo = new Date(Math.max(now.getTime(), startMs)).toISOString();
  return { service, host, upTo, compared: 0, missing: 0, broughtIn: 0 };
}

type Run = {
  readonly service: ServiceName;
  readonly part: Part;
  readonly source: string;
  readonly span: { readonly since: string; readonly before: string };
};

async function compareLeased(
  { service, part, source, span }: Run,
  leased: LeasedRow,
  deps: ContinuousDeps,
): Promise<{ compared: Compared; upTo: string; error: unknown }> {
  const { readers, workflows, clock, pace } = deps;
  let upTo = span.since;
  const position: Position = {
    read: async () => undefined, // `span` begins at the position
    async save(next) {
      await leased.save({ ...leased.row, upTo: next });
      upTo = next;
    },
    end: async () => {}, // the last page has moved the position to the end of the span
  };
  const openPages = (left: Run['span']) =>
    openChanges({ ...service, part, span: left }, { readers, clock, signal: pace.signal });
  const wants = (event: HealthEvent) => isWanted({ workflows }, event);
  const comparison = { span, source, openPages, isWanted: wants, position };
  const compared = await compare(comparison, { ...deps, storageNow: async () => leased.now });
  const { counts } = compared;
  const row = { ...leased.row, upTo };
  for (const name of ['compared', 'missing', 'broughtIn'] as const)
    Object.assign(row, { [name]: Number(leased.row[name]) + counts[name] });
  const failure = await leased.release(row).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { compared, upTo, error: compared.end === 'failed' ? compared.error : failure };
}
