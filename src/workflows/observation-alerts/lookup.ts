import { z } from 'zod';
import { digest, forEachAtOnce, type LookupContext, lookup, type Row } from '../../workflow.js';
import { alertsOf, PARTITIONS } from './alert.js';
import type { Place } from './results.js';

/** Maximum number of rows that an answer reads. If there may be more, `isMore` is true. */
const MAX_READ = 20_000;
/** Maximum number of alerts of a patient, since each pointer needs a read. */
const MAX_PER_PATIENT = 1_000;
const MAX_AT_ONCE = 32;
const EVERY = Array.from({ length: PARTITIONS }, (_, partition) => String(partition));
const MAX_PER_PARTITION = MAX_READ / PARTITIONS;

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
type Found = { readonly rows: readonly Row[]; readonly isMore: boolean };

/** Returns the alerts of an Observation, of a patient, or all alerts with a status, newest result first. */
export const alertsLookup = lookup({
  name: 'alerts',
  query: alertsQuery,
  async answer(query, context) {
    const found = await find(query, context);
    const severity = 'severity' in query ? query.severity : undefined;
    const wanted = found.rows.filter(
      (row) =>
        (query.status === undefined || row.status === query.status) &&
        (severity === undefined || row.severity === severity),
    );
    const alerts = wanted.sort(byTime).slice(0, query.limit);
    return {
      alerts: alerts.map(({ sentRevision: _, ...alert }) => alert),
      isMore: found.isMore || wanted.length > alerts.length,
    };
  },
});

function find(query: Query, context: LookupContext): Promise<Found> {
  if ('observationId' in query) return ofObservation(query.observationId, context);
  if ('patientId' in query) return ofPatient(query.patientId, context);
  return query.status === 'active' ? allActive(context) : all(context);
}

async function ofObservation(observationId: string, { tables }: LookupContext): Promise<Found> {
  const { partition, named } = alertsOf({ observationId });
  const found = await tables('alerts').list(partition, { from: `${named}.`, to: `${named}.~`, limit: MAX_READ });
  return { rows: found.map(({ row }) => row), isMore: found.length === MAX_READ };
}

/** A pointer may belong to an alert that was never raised, or that is of another patient now. */
async function ofPatient(patientId: string, { tables }: LookupContext): Promise<Found> {
  const subject = `Patient/${patientId}`;
  const pointers = await tables('alertpatients').list(digest(subject), { limit: MAX_PER_PATIENT });
  const places = pointers.map(({ key, row }) => ({ partition: String(row.alertPartition), key }));
  const rows = await readEach(places, tables);
  return { rows: rows.filter((alert) => alert.subject === subject), isMore: pointers.length === MAX_PER_PATIENT };
}

/** Reads the list of active alerts, so that withdrawn alerts do not count against the limit; see `active-alerts.ts`. */
async function allActive({ tables }: LookupContext): Promise<Found> {
  const found = await Promise.all(
    EVERY.map(async (partition): Promise<Found> => {
      const listed = await tables('activealerts').list(partition, { limit: MAX_PER_PARTITION });
      const places = listed.map(({ key }) => ({ partition, key }));
      return { rows: await readEach(places, tables), isMore: listed.length === MAX_PER_PARTITION };
    }),
  );
  return { rows: found.flatMap(({ rows }) => rows), isMore: found.some(({ isMore }) => isMore) };
}

async function readEach(places: readonly Place[], tables: LookupContext['tables']): Promise<Row[]> {
  const rows: Row[] = [];
  await forEachAtOnce(places, MAX_AT_ONCE, async ({ partition, key }) => {
    const alert = await tables('alerts').get(partition, key);
    if (alert) rows.push(alert);
  });
  return rows;
}

/** Reads all rows, because rows are not in order of time and the newest are wanted. */
async function all({ tables }: LookupContext): Promise<Found> {
  const pages = await Promise.all(
    EVERY.map((partition) => tables('alerts').list(partition, { limit: MAX_PER_PARTITION })),
  );
  return { rows: pages.flat().map(({ row }) => row), isMore: pages.some((page) => page.length === MAX_PER_PARTITION) };
}

/** Orders by time, then by name, so that the same query always has the same answer. */
function byTime(a: Row, b: Row): number {
  return compare(textOf(b, 'takenAt'), textOf(a, 'takenAt')) || compare(nameOf(a), nameOf(b));
}

function nameOf(row: Row): string {
  return ['observationId', 'rule', 'host'].map((name) => textOf(row, name)).join(' ');
}

function textOf(row: Row, name: string): string {
  return String(row[name] ?? '');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
