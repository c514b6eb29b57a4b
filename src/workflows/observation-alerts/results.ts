import { digest, isSameRow, type Place, type Row, type Tables, withoutUndefined } from '../../workflow.js';
import { type Amount, compareMoments, isCounted, type Moment, type Reading } from './reading.js';
import type { DeltaRule, Rule } from './rule.js';

/**
 * Table `results` has a row for each result with a number, by patient and quantity. The newest result comes first, so
 * the previous result is the next row. Rules for the same quantity read the same place.
 */
export type ResultPlace = Place & { readonly quantity: string };

/** A result, with the service and version of its Observation. */
export type Result = { readonly reading: Reading; readonly host: string; readonly version: number };

/** The nearest later result of another Observation. */
type NextResult = { readonly observationId: string; readonly place: ResultPlace };

/** A result with its neighbours. `unread`: the query did not include the next result. */
export type WithPrevious = {
  readonly result: Result;
  readonly previous: Reading | undefined;
  readonly next: NextResult | 'none' | 'unread';
};

type Found = Result & { readonly key: string };

/** The size of the first page, which usually has the nearest result. Larger pages follow. */
const FEW = 20;
const MANY = 1_000;
const HOUR_MS = 3_600_000;
/** The latest Date. Keys hold the time left until then, which sorts the newest first. */
const LAST_MS = 8_640_000_000_000_000;
const DIGITS = 16;

/** Returns a digest that is equal for rules that compare the same results. */
export function quantityOf({ codes, componentCodes, takesPreliminary }: Rule): string {
  return digest(JSON.stringify([codes, componentCodes, takesPreliminary]));
}

/** Returns the place of a result; undefined if the result cannot be compared. */
export function placeOf(rule: DeltaRule, { reading, host }: Result): ResultPlace | undefined {
  const { subject, takenAt, value, observationId } = reading;
  if (subject === undefined || takenAt === undefined || typeof value === 'string' || !isCounted(rule, reading))
    return undefined;
  const quantity = quantityOf(rule);
  return {
    quantity,
    partition: digest(JSON.stringify([host, subject, quantity])),
    key: `${keyOfTime(takenAt.getTime())}.${digest(JSON.stringify([host, observationId]))}`,
  };
}

/** Writes a result to its place. `isNew`: probably the place is empty. */
export async function putResult(
  tables: Tables,
  { partition, key }: Place,
  { result, isNew }: { result: Result; isNew: boolean },
): Promise<void> {
  const row = rowOfResult(result);
  const decide = (current: Row | undefined) => (isSameRow(row, current) ? 'keep' : row);
  await tables('results').change(partition, key, decide, isNew ? { expect: 'absent' } : {});
}

export async function removeResult(tables: Tables, { partition, key }: Place): Promise<void> {
  await tables('results').change(partition, key, () => 'remove');
}

/**
 * Returns the result at a place and its previous result within the time of the rule; undefined if the place is empty.
 * With `alsoNext`, returns the next result too if the same query finds it, as usual for a new result.
 */
export async function readWithPrevious(
  tables: Tables,
  rule: DeltaRule,
  { place, alsoNext }: { place: ResultPlace; alsoNext: boolean },
): Promise<WithPrevious | undefined> {
  const { partition, key } = place;
  const { withinMs } = rule.condition;
  const atMs = timeOf(key);
  const to = after(atMs - withinMs);
  const queries = [FEW, MANY, Number.MAX_SAFE_INTEGER].map((limit) => ({ from: keyOfTime(atMs), to, limit }));
  if (alsoNext) queries.unshift({ from: keyOfTime(atMs + withinMs), to, limit: FEW });
  for (const query of queries) {
    const found = await list(tables, partition, query);
    const isAll = found.length < query.limit;
    const result = found.find((one) => one.key === key);
    if (!result && isAll) return undefined;
    const previous = result && previousOf(result.reading, found);
    // Any result of one moment may be the previous one: all of them must have been read.
    const isSure = previous && timeOf(previous.key) > timeOf(found.at(-1)?.key ?? key);
    if (!result || !(isAll || isSure)) continue;
    const isFromNewest = alsoNext && query === queries[0];
    const next = isFromNewest ? (nextIn(found, place, result.reading.observationId) ?? 'none') : 'unread';
    return { result, previous: previous?.reading, next };
  }
  return undefined;
}

/** Returns the nearest result of another Observation after `place`; undefined if it is too late to compare. */
export async function readNext(
  tables: Tables,
  rule: DeltaRule,
  { place, observationId }: { place: ResultPlace; observationId: string },
): Promise<NextResult | undefined> {
  const atMs = timeOf(place.key);
  const { withinMs } = rule.condition;
  const within = (spanMs: number, limit: number) =>
    list(tables, place.partition, { from: keyOfTime(atMs + spanMs), to: after(atMs), limit });
  const nearest = (found: readonly Found[]) => nextIn(found, place, observationId);

  // A new result is usually the newest, so the first page is empty. Else the nearest may be far down: the span grows.
  const few = await within(withinMs, FEW);
  if (few.length < FEW) return nearest(few);
  for (let spanMs = Math.min(HOUR_MS, withinMs); ; spanMs = Math.min(spanMs * 8, withinMs)) {
    const next = nearest(await within(spanMs, Number.MAX_SAFE_INTEGER));
    if (next || spanMs === withinMs) return next;
  }
}

function nextIn(found: readonly Found[], place: ResultPlace, observationId: string): NextResult | undefined {
  const next = nextOf({ observationId, takenAt: new Date(timeOf(place.key)) }, found);
  return next && { observationId: next.reading.observationId, place: { ...place, key: next.key } };
}

type Read = { readonly reading: Moment };

/** Returns the nearest result before `moment`. A result that moves has two places: those of `moment` do not count. */
export function previousOf<R extends Read>(moment: Moment, others: readonly R[]): R | undefined {
  return inOrder(moment, others).findLast(({ reading }) => compareMoments(reading, moment) < 0);
}

/** Returns the nearest result after `moment`, whose previous result may be that of `moment` when it arrives late. */
export function nextOf<R extends Read>(moment: Moment, others: readonly R[]): R | undefined {
  return inOrder(moment, others).find(({ reading }) => compareMoments(reading, moment) > 0);
}

function inOrder<R extends Read>({ observationId }: Moment, others: readonly R[]): R[] {
  const found = others.filter(({ reading }) => reading.observationId !== observationId);
  return found.sort((a, b) => compareMoments(a.reading, b.reading));
}

type Range = { readonly from: string; readonly to: string; readonly limit: number };

async function list(tables: Tables, partition: string, range: Range): Promise<Found[]> {
  const rows = await tables('results').list(partition, range);
  return rows.map(({ key, row }) => ({ key, ...resultOfRow(row) }));
}

function keyOfTime(ms: number): string {
  return String(LAST_MS - ms).padStart(DIGITS, '0');
}

/** Returns a text that sorts after all keys of that moment. */
function after(ms: number): string {
  return `${keyOfTime(ms)}.~`;
}

function timeOf(key: string): number {
  return LAST_MS - Number(key.slice(0, DIGITS));
}

/** Returns the row of a result. A result with a place has a subject, a time and a number. */
function rowOfResult({ reading, host, version }: Result): Row {
  const { observationId, subject, takenAt, standing } = reading;
  const { value, comparator, unit } = reading.value as Amount;
  const columns = { host, observationId, version, subject, standing, value, comparator, unit };
  return withoutUndefined({ ...columns, takenAt: takenAt?.toISOString() });
}

function resultOfRow({ host, version, observationId, subject, takenAt, standing, ...amount }: Row): Result {
  const { value, comparator, unit } = amount as Amount;
  return {
    host: String(host),
    version: Number(version),
    reading: {
      observationId: String(observationId),
      subject: String(subject),
      takenAt: new Date(String(takenAt)),
      standing: standing as Reading['standing'],
      value: { value, comparator, unit },
      ranges: [],
      interpretations: [],
    },
  };
}
