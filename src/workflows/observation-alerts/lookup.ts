import * as z from 'zod';
import {
  digest,
  forEachAtOnce,
  type LookupContext,
  lookup,
  neighboursOf,
  PARTITIONS,
  type Place,
  type Row,
} from '../../workflow.js';

/** Maximum number of rows that an answer reads. If there may be more, `isMore` is true. */
const MAX_READ = 20_000;
/** Maximum number of alerts of a patient, since each pointer needs a read. */
const MAX_PER_PATIENT = 1_000;
const MAX_AT_ONCE = 32;
const MAX_PER_PARTITION = MAX_READ / PARTITIONS.length;

const word = z.string().min(1).max(1024);
const limit = z.int().min(1).max(1000).default(100);
const status = z.enum(['active', 'withdrawn']).optional();
const QUERY =
  'observationId or patientId, with a status if wanted, or a status (active, withdrawn), with a severity (info, warning, critical) if wanted; and a limit (1 to 1000) if wanted';
const alertsQuery = z.union(
  [
    z.strictObject({ observationId: word, status, limit }),
    z.strictObject({ patientId: word, status, limit }),
    z.strictObject({
      status: z.enum(['active', 'withdrawn']),
      severity: z.enum(['info', 'warning', 'critical']).optional(),
      limit,
    }),
  ],
  { error: `must be ${QUERY}` },
);

type Query = z.output<typeof alertsQuery>;
type Tables = LookupContext['tables'];
/** Rows that may be wanted. `isMore`: more rows than the limit may be wanted. */
type Found = { readonly rows: readonly Row[]; readonly isMore: boolean };

/** Returns the alerts of an Observation, of a patient, or all alerts with a status, newest result first. */
export const alertsLookup = lookup({
  name: 'alerts',
  query: alertsQuery,
  async answer(query, { tables }) {
    const { rows, isMore } = await find(query, tables);
    const { status, severity } = { severity: undefined, ...query };
    const wanted = rows.filter(
      (row) => (status === undefined || row.status === status) && (severity === undefined || row.severity === severity),
    );
    const alerts = wanted.sort(byTime).slice(0, query.limit);
    return {
      alerts: alerts.map(({ sentRevision: _, ...alert }) => alert),
      isMore: isMore || wanted.length > alerts.length,
    };
  },
});

async function find(query: Query, tables: Tables): Promise<Found> {
  if ('patientId' in query) return listPatientAlerts(query.patientId, tables);
  if ('observationId' in query) {
    const { partition, prefix } = neighboursOf(query.observationId);
    return listAlerts(tables, partition, { from: prefix, to: `${prefix}~`, limit: MAX_READ });
  }
  const inPartition = query.status === 'active' ? listActive : listAlerts;
  const found = await Promise.all(PARTITIONS.map((one) => inPartition(tables, one, { limit: MAX_PER_PARTITION })));
  return { rows: found.flatMap(({ rows }) => rows), isMore: found.some(({ isMore }) => isMore) };
}

type Range = { readonly from?: string; readonly to?: string; readonly limit: number };

/** Reads all rows of a range, because rows are not in order of time and the newest are wanted. */
async function listAlerts(tables: Tables, partition: string, range: Range): Promise<Found> {
  const found = await tables('alerts').list(partition, range);
  return { rows: found.map(({ row }) => row), isMore: found.length === range.limit };
}

/** Reads the list of active alerts, so that withdrawn alerts do not count against the limit; see `active-alerts.ts`. */
async function listActive(tables: Tables, partition: string, range: Range): Promise<Found> {
  const listed = await tables('activealerts').list(partition, range);
  const places = listed.map(({ key }) => ({ partition, key }));
  return { rows: await readEach(places, tables), isMore: listed.length === range.limit };
}

/** Reads a patient's alerts. A pointer may lead to no alert, or to an alert that belongs to another patient now. */
async function listPatientAlerts(patientId: string, tables: Tables): Promise<Found> {
  const subject = `Patient/${patientId}`;
  const pointers = await tables('alertpatients').list(digest(subject), { limit: MAX_PER_PATIENT });
  const places = pointers.map(({ key, row }) => ({ partition: String(row.alertPartition), key }));
  const rows = await readEach(places, tables);
  return { rows: rows.filter((alert) => alert.subject === subject), isMore: pointers.length === MAX_PER_PATIENT };
}

async function readEach(places: readonly Place[], tables: Tables): Promise<Row[]> {
  const rows: Row[] = [];
  await forEachAtOnce(places, MAX_AT_ONCE, async ({ partition, key }) => {
    const alert = await tables('alerts').get(partition, key);
    if (alert) rows.push(alert);
  });
  return rows;
}

/** Orders by time, the newest first, then by name, so that the same query always has the same answer. */
function byTime(a: Row, b: Row): number {
  return compare(textIn(b, 'takenAt'), textIn(a, 'takenAt')) || compare(nameOf(a), nameOf(b));
}

function nameOf(row: Row): string {
  return ['observationId', 'rule', 'host'].map((name) => textIn(row, name)).join(' ');
}

function textIn(row: Row, name: string): string {
  return String(row[name] ?? '');
}

function compare(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}
