import * as z from 'zod';
import { count, instant } from '../api/common.js';
import { recentJob } from '../api/overview.js';
import { parseJson } from '../json-text.js';
import { MAX_STRING_LENGTH } from '../storage/table-rules.js';
import type { Row, Stored } from '../storage/table-store.js';
import { type Counts, type Hour, MINUTE_INDEX, MINUTES, SPANS, WORKFLOW_INDEX } from './hour.js';
import { MAX_RUNS, type RecentRun } from './last-hour.js';

// The row of an instance: its heartbeat. Lists are JSON in properties of up to 64 KiB. Items that do not fit are left out,
// the oldest or least used first. Of a row of another release, only the valid parts are read.

/** The time from one heartbeat to the next while something happens, and while nothing happens. */
export const BUSY_MS = 10_000;
export const IDLE_MS = 60_000;
/** A heartbeat may be late by this: enough for a failed write and the next one. */
const LATE_MS = 20_000;
/** Raised when the order of counts or the bounds of buckets change: the numbers of other formats are not read. */
const FORMAT = 1;
/** Higher numbers cannot be counts of this app, and sums with them would be inexact. */
const MAX_COUNT = 1e9;
const MAX_NAME_LENGTH = 63;

/** An instance as its row shows it. */
export type Seen = {
  readonly id: string;
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** `silent`: its next heartbeat is late. */
  readonly state: 'running' | 'stopped' | 'silent';
  readonly hour: Hour;
  readonly circuits: readonly WorkflowCircuit[];
  /** The newest first. */
  readonly recent: readonly RecentRun[];
};

/** `nextInMs`: the next heartbeat comes within this time. */
export type Heartbeat = Pick<Seen, 'startedAt' | 'hour' | 'circuits' | 'recent'> & {
  readonly state: 'running' | 'stopped';
  readonly nextInMs: number;
};

/** Returns the row of a heartbeat, with all columns, so that it replaces the earlier heartbeat as a whole. */
export function rowOf({ startedAt, state, nextInMs, hour, circuits, recent }: Heartbeat): Row {
  const minutes = [...hour.minutes].sort(([a], [b]) => b - a).map(([at, counts]) => [at, ...trimmed(counts)]);
  return {
    format: FORMAT,
    startedAt: startedAt.toISOString(),
    state,
    nextInMs,
    eventsPerSecond: hour.eventsPerSecond,
    minutes: toFittingJson(minutes),
    ...Object.fromEntries(spanColumns.map((column, at) => [column, spanJson(hour, at)])),
    circuits: toFittingJson(circuits),
    recent: toFittingJson(recent),
  };
}

/** A column for each span of the hour, because a property holds 64 KiB. */
const spanColumns = Array.from({ length: SPANS }, (_, at) => `span${at}`);

function spanJson({ spans }: Hour, at: number): string {
  const [span, workflows] = [...spans].find(([number]) => number % SPANS === at) ?? [0, new Map<string, Counts>()];
  const runs = (counts: Counts) => counts.reduce((sum, one) => sum + one, 0);
  const all = [...workflows].sort(([, a], [, b]) => runs(b) - runs(a));
  return toFittingJson(all.map(([name, counts]) => [span, name, ...trimmed(counts)]));
}

/** Returns the counts without the zeros at their end. */
function trimmed(counts: Counts): Counts {
  return counts.slice(0, counts.findLastIndex((number) => number > 0) + 1);
}

/** Returns a JSON list of the first items that fit into a property. */
function toFittingJson(items: readonly unknown[]): string {
  const texts: string[] = [];
  let length = 2;
  for (const item of items) {
    const text = JSON.stringify(item);
    length += text.length + 1;
    if (length > MAX_STRING_LENGTH) break;
    texts.push(text);
  }
  return `[${texts.join(',')}]`;
}

const number = z.int().min(0).max(MAX_COUNT);
const minuteItem = z.tuple([number]).rest(number);
const spanItem = z.tuple([number, z.string().max(MAX_NAME_LENGTH)]).rest(number);
const circuitItem = z.object({
  workflow: z.string().max(MAX_NAME_LENGTH),
  state: z.enum(['closed', 'open', 'half-open']),
  failuresInARow: count,
  openSince: instant.nullable(),
  nextProbeAt: instant.nullable(),
});
export type WorkflowCircuit = Readonly<z.infer<typeof circuitItem>>;
const runItem = z.object(recentJob.omit({ instance: true }).shape); // without the columns of newer releases
const rate = z.number().min(0).max(MAX_COUNT);

/** Returns the instance that a row shows at `now`, by storage's clock; undefined if the row is no heartbeat. */
export function seenOf({ key, row, modifiedAt }: Stored, now: Date): Seen | undefined {
  const startedAt = instant.safeParse(row.startedAt);
  if (!startedAt.success) return undefined;
  const ageMs = now.getTime() - modifiedAt.getTime();
  const nextInMs = Math.min(z.number().min(BUSY_MS).safeParse(row.nextInMs).data ?? IDLE_MS, IDLE_MS);
  const state = row.state === 'stopped' ? 'stopped' : ageMs > nextInMs + LATE_MS ? 'silent' : 'running';
  // The rate is that of the 10 s before the heartbeat, and counts until the next heartbeat is late.
  const isCurrent = state === 'running' && ageMs <= BUSY_MS + LATE_MS;
  return {
    id: key,
    startedAt: new Date(startedAt.data),
    seenAt: modifiedAt,
    state,
    hour: { ...numbersOf(row), eventsPerSecond: isCurrent ? (rate.safeParse(row.eventsPerSecond).data ?? 0) : 0 },
    circuits: state === 'running' ? itemsOf(row.circuits, circuitItem) : [],
    recent: itemsOf(row.recent, runItem).slice(0, MAX_RUNS),
  };
}

function numbersOf(row: Row): Pick<Hour, 'minutes' | 'spans'> {
  if (row.format !== FORMAT) return { minutes: new Map(), spans: new Map() };
  const minutes = itemsOf(row.minutes, minuteItem).slice(0, MINUTES);
  const spans = new Map<number, Map<string, Counts>>();
  for (const column of spanColumns) {
    for (const [span, name, ...counts] of itemsOf(row[column], spanItem)) {
      const workflows = spans.get(span) ?? new Map<string, Counts>();
      spans.set(span, workflows.set(name, counts.slice(0, WORKFLOW_INDEX.end)));
    }
  }
  return { minutes: new Map(minutes.map(([at, ...counts]) => [at, counts.slice(0, MINUTE_INDEX.end)])), spans };
}

/** Returns the items of a JSON list that fit the schema. */
function itemsOf<T>(json: unknown, schema: z.ZodType<T>): T[] {
  const list = typeof json === 'string' ? parseJson(json) : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((item) => {
    const { success, data } = schema.safeParse(item);
    return success ? [data] : [];
  });
}
