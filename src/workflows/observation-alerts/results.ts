import { type Context, digest, type Row, type WorkflowTable } from '../../workflow.js';
import { counts, nextOf, previousOf } from './history.js';
import type { Comparator, Reading } from './read-observation.js';
import type { DeltaCondition, Rule } from './rule.js';

/**
 * What a delta compares with: table `results`, a row for each result that has a number, by patient and quantity, in
 * order of time. Table `resultplaces` says of each Observation where its results are.
 */
export type DeltaRule = Rule & { readonly condition: DeltaCondition };

export type Place = { readonly partition: string; readonly key: string };

/** Where a result is, or was, and which rules look there: those of the same quantity. */
export type ResultPlace = Place & { readonly quantity: string };

/** A result, and which version of which Observation it is of. */
export type Result = { readonly reading: Reading; readonly host: string; readonly version: number };

type Tables = Context['tables'];

/** Only the nearest later result is wanted; several of one moment are told apart by their ids. */
const FEW = 20;

export function isDelta(rule: Rule): rule is DeltaRule {
  return rule.condition.kind === 'delta';
}

export function quantityOf({ codes, componentCodes, takesPreliminary }: Rule): string {
  return digest(JSON.stringify([codes, componentCodes, takesPreliminary]));
}

/** Undefined where the result can be compared with no other. */
export function placeOf(rule: DeltaRule, { reading, host }: Result): ResultPlace | undefined {
  const { subject, takenAt, value, observationId } = reading;
  if (subject === undefined || takenAt === undefined || value.kind !== 'number' || !counts(rule, reading))
    return undefined;
  const quantity = quantityOf(rule);
  return {
    quantity,
    partition: digest(JSON.stringify([host, subject, quantity])),
    key: `${takenAt.toISOString()}.${digest(JSON.stringify([host, observationId]))}`,
  };
}

/**
 * Puts the results of an Observation where they belong, and takes them from where they were. Returns all these places:
 * whoever comes next after one of them may have another previous result now.
 *
 *   dies before the first write: nothing has happened; between two: `resultplaces` names all that may be there, and the
 *   next try goes on. Two at once cannot be: the resource is held.
 */
export async function moveResults(
  tables: Tables,
  of: { named: Place; results: readonly { place: ResultPlace; result: Result }[] },
): Promise<readonly ResultPlace[]> {
  const { named, results } = of;
  const wanted = unique(results.map(({ place }) => place));
  const before = placesIn(await tables('resultplaces').get(named.partition, named.key));
  if (before.length === 0 && wanted.length === 0) return [];
  const all = unique([...before, ...wanted]);
  const write = (places: readonly ResultPlace[]) =>
    tables('resultplaces').change(named.partition, named.key, (current) => {
      const text = JSON.stringify(places);
      if (current?.places === text) return 'keep';
      return places.length === 0 ? 'remove' : { places: text };
    });
  if (all.length > before.length) await write(all);
  await Promise.all([
    ...results.map(({ place, result }) => put(tables('results'), place, rowOfResult(result))),
    ...all
      .filter((place) => !wanted.some((one) => isSame(one, place)))
      .map(({ partition, key }) => tables('results').change(partition, key, () => 'remove')),
  ]);
  if (all.length > wanted.length) await write(wanted);
  return all;
}

/** The result at a place with the one to compare it with, undefined where there is none. */
export async function readWithPrevious(
  tables: Tables,
  rule: DeltaRule,
  { partition, key }: Place,
): Promise<{ result: Result; previous: Reading | undefined } | undefined> {
  const from = new Date(timeOf(key).getTime() - rule.condition.withinMs).toISOString();
  const rows = await tables('results').list(partition, { from, to: `${timeTextOf(key)}.~` });
  const found = rows.find((one) => one.key === key);
  if (!found) return undefined;
  const result = resultOfRow(found.row);
  const others = rows.map(({ row }) => resultOfRow(row).reading);
  return { result, previous: previousOf(rule, result.reading, others) };
}

/** The place of the nearest result after one that is, or was, at `place`; undefined where that is too late to compare. */
export async function placeAfter(
  tables: Tables,
  rule: DeltaRule,
  place: ResultPlace,
  observationId: string,
): Promise<ResultPlace | undefined> {
  const { partition, key } = place;
  const to = new Date(timeOf(key).getTime() + rule.condition.withinMs + 1).toISOString();
  for (const limit of [FEW, Number.MAX_SAFE_INTEGER]) {
    const rows = await tables('results').list(partition, { from: timeTextOf(key), to, limit });
    const results = rows.map(({ key: at, row }) => ({ at, ...resultOfRow(row) }));
    const here: Reading = {
      observationId,
      subject: results[0]?.reading.subject, // a partition has but one
      takenAt: timeOf(key),
      standing: 'final',
      value: { kind: 'none', why: 'no-value' },
      ranges: [],
      interpretations: [],
    };
    const next = nextOf(
      rule,
      here,
      results.map(({ reading }) => reading),
    );
    const found = results.find(({ reading }) => reading === next);
    if (found) return { ...place, key: found.at };
    if (rows.length < limit) return undefined;
  }
  return undefined;
}

async function put(table: WorkflowTable, { partition, key }: Place, row: Row): Promise<void> {
  const text = JSON.stringify(row);
  await table.change(partition, key, (current) => (current && JSON.stringify(current) === text ? 'keep' : row));
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
    comparator: amount?.comparator ?? '',
    unit: amount?.unit ?? '',
    hasUnit: amount?.unit !== undefined,
  };
}

function resultOfRow(row: Row): Result {
  return {
    host: String(row.host),
    version: Number(row.version),
    reading: {
      observationId: String(row.observationId),
      subject: String(row.subject),
      takenAt: new Date(String(row.takenAt)),
      standing: row.standing as Reading['standing'],
      value: {
        kind: 'number',
        value: Number(row.value),
        comparator: (String(row.comparator) || undefined) as Comparator | undefined,
        unit: row.hasUnit === true ? String(row.unit) : undefined,
      },
      ranges: [],
      interpretations: [],
    },
  };
}

function placesIn(row: Row | undefined): ResultPlace[] {
  return row ? JSON.parse(String(row.places)) : [];
}

function unique(places: readonly ResultPlace[]): ResultPlace[] {
  return places.filter((place, at) => places.findIndex((one) => isSame(one, place)) === at);
}

function isSame(a: Place, b: Place): boolean {
  return a.partition === b.partition && a.key === b.key;
}

function timeTextOf(key: string): string {
  return key.slice(0, key.lastIndexOf('.'));
}

function timeOf(key: string): Date {
  return new Date(timeTextOf(key));
}
