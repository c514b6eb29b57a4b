import { type Context, digest, type Row, type WorkflowTable } from '../../workflow.js';
import { counts, nextOf, previousOf } from './history.js';
import type { Comparator, Reading } from './read-observation.js';
import type { DeltaCondition, Rule } from './rule.js';

/**
 * A rule that compares with the patient's previous result. Table `results` has a row for each result with a number, by
 * patient and quantity. The newest result comes first, so the previous result is the next row.
 */
export type DeltaRule = Rule & { readonly condition: DeltaCondition };

/** The partition and key of a row. */
export type Place = { readonly partition: string; readonly key: string };

/** The place of a result, and its quantity: rules for the same quantity read the same place. */
export type ResultPlace = Place & { readonly quantity: string };

/** A result, with the service and version of its Observation. */
export type Result = { readonly reading: Reading; readonly host: string; readonly version: number };

type Tables = Context['tables'];
type Found = Result & { readonly key: string };

/** First page: the nearest result is among these, usually. Larger pages follow. */
const FEW = 20;
const MANY = 1_000;
const HOUR_MS = 3_600_000;
/** The latest Date. Keys hold the time left until then, which sorts the newest first. */
const LAST_MS = 8_640_000_000_000_000;
const DIGITS = 16;

/** Whether `rule` compares with the previous result. */
export function isDelta(rule: Rule): rule is DeltaRule {
  return rule.condition.kind === 'delta';
}

/** Returns a digest that is equal for rules that compare the same results. */
export function quantityOf({ codes, componentCodes, takesPreliminary }: Rule): string {
  return digest(JSON.stringify([codes, componentCodes, takesPreliminary]));
}

/** Returns the place of a result; undefined if the result cannot be compared. */
export function placeOf(rule: DeltaRule, { reading, host }: Result): ResultPlace | undefined {
  const { subject, takenAt, value, observationId } = reading;
  if (subject === undefined || takenAt === undefined || value.kind !== 'number' || !counts(rule, reading))
    return undefined;
  const quantity = quantityOf(rule);
  return {
    quantity,
    partition: digest(JSON.stringify([host, subject, quantity])),
    key: `${textOf(takenAt.getTime())}.${digest(JSON.stringify([host, observationId]))}`,
  };
}

/** Writes a result to its place. */
export async function putResult(
  tables: Tables,
  { partition, key }: Place,
  { result, isNew }: { result: Result; isNew: boolean },
): Promise<void> {
  const row = rowOfResult(result);
  const text = textOfRow(row);
  const decide = (current: Row | undefined) => (current && textOfRow(current) === text ? 'keep' : row);
  await results(tables).change(partition, key, decide, isNew ? { expect: 'absent' } : {});
}

/** Removes the result at a place. */
export async function removeResult(tables: Tables, { partition, key }: Place): Promise<void> {
  await results(tables).change(partition, key, () => 'remove');
}

/** Returns the result at a place and its previous result; undefined if the place is empty. */
export async function readWithPrevious(
  tables: Tables,
  rule: DeltaRule,
  { partition, key }: Place,
): Promise<{ result: Result; previous: Reading | undefined } | undefined> {
  const atMs = timeOf(key);
  const range = { from: textOf(atMs), to: after(textOf(atMs - rule.condition.withinMs)) };
  for (const limit of [FEW, MANY, Number.MAX_SAFE_INTEGER]) {
    const found = await list(tables, partition, { ...range, limit });
    const isAll = found.length < limit;
    const result = found.find((one) => one.key === key);
    if (!result && isAll) return undefined;
    const previous = result && previousOf(rule, result.reading, readingsOf(found));
    // Any result of one moment may be the previous one: all of them must have been read.
    const isSure = previous?.takenAt !== undefined && previous.takenAt.getTime() > timeOf(found.at(-1)?.key ?? key);
    if (result && (isAll || isSure)) return { result, previous };
  }
  return undefined;
}

/** Returns the nearest result after `place`; undefined if it is too late to compare. */
export async function readNext(
  tables: Tables,
  rule: DeltaRule,
  { partition, key }: Place,
  observationId: string,
): Promise<Found | undefined> {
  const atMs = timeOf(key);
  const { withinMs } = rule.condition;
  const within = (spanMs: number, limit: number) =>
    list(tables, partition, { from: textOf(atMs + spanMs), to: after(textOf(atMs)), limit });
  const nearest = (found: readonly Found[]) => {
    const subject = found[0]?.reading.subject; // a partition has only one subject
    const here: Reading = { ...NOTHING, observationId, subject, takenAt: new Date(atMs) };
    const next = nextOf(rule, here, readingsOf(found));
    return found.find(({ reading }) => reading === next);
  };

  // A new result is usually the newest, so the first page is empty. Else the nearest may be far down: the span grows.
  const few = await within(withinMs, FEW);
  if (few.length < FEW) return nearest(few);
  for (let spanMs = Math.min(HOUR_MS, withinMs); ; spanMs = Math.min(spanMs * 8, withinMs)) {
    const next = nearest(await within(spanMs, Number.MAX_SAFE_INTEGER));
    if (next || spanMs === withinMs) return next;
  }
}

const NOTHING = {
  standing: 'final',
  value: { kind: 'none', reason: 'no-value' },
  ranges: [],
  interpretations: [],
} as const;

async function list(
  tables: Tables,
  partition: string,
  range: { from: string; to: string; limit: number },
): Promise<Found[]> {
  const rows = await results(tables).list(partition, range);
  return rows.map(({ key, row }) => ({ key, ...resultOfRow(row) }));
}

function results(tables: Tables): WorkflowTable {
  return tables('results');
}

function readingsOf(found: readonly Found[]): Reading[] {
  return found.map(({ reading }) => reading);
}

function textOf(ms: number): string {
  return String(LAST_MS - ms).padStart(DIGITS, '0');
}

/** Returns a text that sorts after all keys of that moment. */
function after(text: string): string {
  return `${text}.~`;
}

function timeOf(key: string): number {
  return LAST_MS - Number(key.slice(0, DIGITS));
}

function rowOfResult({ reading, host, version }: Result): Row {
  const { observationId, subject = '', takenAt, standing, value } = reading;
  const amount = value.kind === 'number' ? value : undefined;
  return {
    host,
    observationId,
    version,
    subject,
    takenAt: takenAt?.toISOString() ?? '',
    standing,
    value: amount?.value ?? 0,
    ...(amount?.comparator !== undefined && { comparator: amount.comparator }),
    ...(amount?.unit !== undefined && { unit: amount.unit }),
  };
}

/** Sorts the properties, because storage does not keep their order. */
function textOfRow(row: Row): string {
  return JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function resultOfRow(row: Row): Result {
  const { comparator, unit } = row as { comparator?: Comparator; unit?: string };
  return {
    host: String(row.host),
    version: Number(row.version),
    reading: {
      observationId: String(row.observationId),
      subject: String(row.subject),
      takenAt: new Date(String(row.takenAt)),
      standing: row.standing as Reading['standing'],
      value: { kind: 'number', value: Number(row.value), comparator, unit },
      ranges: [],
      interpretations: [],
    },
  };
}
