import { z } from 'zod';
import { digest, type LookupContext, lookup, type Row } from '../../workflow.js';
import { alertsOf, PARTITIONS } from './alert.js';

const word = z.string().min(1).max(1024);
const limit = z.int().min(1).max(1000).default(100);
const status = z.enum(['active', 'withdrawn']).optional();
const PAGE = 1000;
/** A worklist reads no more rows than this; `isMore` then says that there may be more. */
const MOST_READ = 20_000;

type Found = { alerts: Row[]; isMore: boolean };

/** Alerts of an Observation, of a patient, or all: the newest result first. */
export const alertsLookup = lookup({
  name: 'alerts',
  query: z.union([
    z.strictObject({ observationId: word, status, limit }),
    z.strictObject({ patientId: word, status, limit }),
    z.strictObject({
      status: z.enum(['active', 'withdrawn']),
      severity: z.enum(['info', 'warning', 'critical']).optional(),
      limit,
    }),
  ]),
  async answer(query, context) {
    const found = await find(query, context);
    const byTime = found.alerts.sort((a, b) => String(b.takenAt ?? '').localeCompare(String(a.takenAt ?? '')));
    const alerts = byTime.slice(0, query.limit).map(({ sentRevision: _, ...alert }) => alert);
    return { alerts, isMore: found.isMore || byTime.length > alerts.length };
  },
});

type Query = z.output<typeof alertsLookup.query> & { status?: string; severity?: string; limit: number };

async function find(query: unknown, context: LookupContext): Promise<Found> {
  const { observationId, patientId, status, severity } = query as Partial<Record<string, string>>;
  const isWanted = (row: Row) =>
    (status === undefined || row.status === status) && (severity === undefined || row.severity === severity);
  if (observationId !== undefined)
    return { alerts: (await ofObservation(observationId, context)).filter(isWanted), isMore: false };
  if (patientId !== undefined) return { alerts: (await ofPatient(patientId, context)).filter(isWanted), isMore: false };
  return all(isWanted, (query as Query).limit, context);
}

async function ofObservation(observationId: string, { tables }: LookupContext): Promise<Row[]> {
  const { partition, named } = alertsOf({ observationId });
  const rows = await tables('alerts').list(partition, { from: `${named}.`, to: `${named}.~`, limit: PAGE });
  return rows.map(({ row }) => row);
}

async function ofPatient(patientId: string, { tables }: LookupContext): Promise<Row[]> {
  const subject = `Patient/${patientId}`;
  const pointers = await tables('alertpatients').list(digest(subject), { limit: MOST_READ });
  const rows = await Promise.all(pointers.map(({ key, row }) => tables('alerts').get(String(row.alertPartition), key)));
  return rows.filter((row) => row !== undefined).filter((row) => row.subject === subject);
}

async function all(isWanted: (row: Row) => boolean, most: number, { tables }: LookupContext): Promise<Found> {
  const alerts: Row[] = [];
  let read = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    for (let from = ''; ; ) {
      if (read >= MOST_READ || alerts.length > most) return { alerts, isMore: true };
      const rows = await tables('alerts').list(String(partition), { from, limit: PAGE });
      alerts.push(...rows.map(({ row }) => row).filter(isWanted));
      read += rows.length;
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) break;
      from = `${last.key}!`; // after it: no key continues so
    }
  }
  return { alerts, isMore: false };
}
