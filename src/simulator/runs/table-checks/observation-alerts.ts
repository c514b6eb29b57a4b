import type { Row } from '../../../storage/table-store.js';
import { type Current, currentResources, rowsOfRun } from './reads.js';
import { settledIn, type TableCheck } from './table-check.js';

const FINAL: ReadonlySet<unknown> = new Set(['final', 'amended', 'corrected']);
const SAME = 1e-9;

/** A living Observation with a number, as the service has it. */
type Result = Readonly<NonNullable<ReturnType<typeof resultOf>>>;

/** The claim of an active alert: its rule, as far as the alert shows it. The run does not know the rules. */
type Claim = Pick<Result, 'code' | 'unit'> & {
  readonly rule: string;
  readonly by: unknown;
  readonly side: unknown;
  readonly threshold: number;
  readonly gapMs: number;
};

/**
 * Checks each active alert: its result must exist at the same version, and the claim must hold. Also, a claim that
 * holds for another result needs an alert there. The check knows no rules. It compares results in the unit of the rule;
 * for interpretations and reference ranges it checks only that the result exists.
 */
export const checkAlerts: TableCheck = {
  workflow: 'observation-alerts',
  async check(run) {
    const results = new Map<string, Result>();
    const living = new Map<string, Current>();
    for (const resource of currentResources(run.services.fhir, 'Observation')) {
      living.set(resource.id, resource);
      const result = resultOf(resource);
      if (result) results.set(result.id, result);
    }
    const isSettled = settledIn(run, 'Observation');
    const active: Row[] = [];
    let rows = 0;
    for await (const row of rowsOfRun(run, 'alerts')) {
      if (row.host !== run.services.fhir.host) continue;
      rows += 1;
      if (row.status === 'active' && isSettled(row.observationId)) active.push(row);
    }
    const series = seriesOf([...results.values()]);
    const known = { living, results, series, isSettled, isWhole: run.isWhole };
    const problems = [...active.flatMap((row) => problemOf(row, known)), ...missing(active, known)];
    return { rows, problems };
  },
};

type Known = {
  readonly living: ReadonlyMap<string, Current>;
  readonly results: ReadonlyMap<string, Result>;
  /** The results by patient and code, in order of time. */
  readonly series: ReadonlyMap<string, readonly Result[]>;
  isSettled(id: string): boolean;
  /** False if the app can lack results, or have results that are gone: then differences of two results are not checked. */
  readonly isWhole: boolean;
};

/** Returns one problem at most, without values of resources. */
function problemOf(row: Row, { living, results, series, isSettled, isWhole }: Known): string[] {
  const id = String(row.observationId);
  const resource = living.get(id);
  if (!resource) return ['an alert is active for a result that is gone'];
  const wrong = (what: string) => [`an alert is active at version ${row.version}, ${what}`];
  if (row.version !== Number(resource.meta.versionId)) return wrong(`not ${resource.meta.versionId}`);
  const result = results.get(id);
  if (!result || row.unit !== result.unit || row.by === 'interpretation' || row.by === 'reference-range') return [];
  if (!isNear(Number(row.value), result.value)) return wrong('with another value');
  if (row.by === 'limit') return isPast(result.value, row) ? [] : wrong('and its limit is not passed');

  const previousId = String(row.previousObservationId);
  if (!isWhole || !isSettled(previousId)) return [];
  const before = previousOf(result, series).find((one) => one?.id === previousId);
  if (!before) return wrong('and compares with what is not the previous result');
  return hasMoved(result, before, row) ? [] : wrong('and the difference is not there');
}

/** Returns results for which the claim of another alert holds, and that have no alert of its rule. */
function missing(active: readonly Row[], { results, series, isSettled, isWhole }: Known): string[] {
  const has = new Set(active.map(({ rule, observationId }) => `${rule} ${observationId}`));
  const byCode = Map.groupBy([...results.values()], ({ code, unit }) => `${code} ${unit}`);
  return claimsOf(active, results).flatMap((claim) => {
    const those = byCode.get(`${claim.code} ${claim.unit}`) ?? [];
    const silent = those.filter((result) => {
      if (!FINAL.has(result.status) || has.has(`${claim.rule} ${result.id}`) || !isSettled(result.id)) return false;
      if (claim.by === 'limit') return isPast(result.value, claim);
      if (!isWhole) return false;
      return previousOf(result, series).every(
        (before) =>
          before !== undefined &&
          before.unit === claim.unit &&
          isSettled(before.id) &&
          result.atMs - before.atMs <= claim.gapMs &&
          hasMoved(result, before, claim),
      );
    });
    return silent.map(({ version }) => `${claim.rule} has no alert for a result at version ${version}`);
  });
}

/** Returns the claims of the alerts by rule, with the longest time between two compared results. */
function claimsOf(active: readonly Row[], results: ReadonlyMap<string, Result>): Claim[] {
  const claim = new Map<string, Claim>();
  for (const row of active) {
    const result = results.get(String(row.observationId));
    if (!result || row.unit !== result.unit || (row.by !== 'limit' && row.by !== 'delta')) continue;
    const { by, side, rule } = row;
    const { code, unit } = result;
    const key = JSON.stringify([rule, side, code]);
    const gapMs = row.by === 'delta' ? result.atMs - Date.parse(String(row.previousTakenAt)) : 0;
    const longest = Math.max(gapMs, claim.get(key)?.gapMs ?? 0);
    claim.set(key, { rule: String(rule), by, side, threshold: Number(row.threshold), code, unit, gapMs: longest });
  }
  return [...claim.values()];
}

/** Returns the previous result with and without preliminary results, because a rule may use them or not. */
function previousOf(result: Result, series: Known['series']): (Result | undefined)[] {
  const all = series.get(seriesNameOf(result)) ?? [];
  const earlier = all.slice(0, all.indexOf(result));
  return [earlier.at(-1), earlier.findLast(({ status }) => FINAL.has(status))];
}

function seriesOf(results: readonly Result[]): Map<string, Result[]> {
  const sorted = results.toSorted((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
  return Map.groupBy(sorted, seriesNameOf);
}

function seriesNameOf({ subject, code }: Result): string {
  return `${subject} ${code}`;
}

type Limit = { readonly side?: unknown; readonly threshold?: unknown };

function isPast(value: number, { side, threshold }: Limit): boolean {
  const limit = Number(threshold);
  if (isNear(value, limit)) return side === 'atLeast' || side === 'atMost';
  return side === 'above' || side === 'atLeast' ? value > limit : value < limit;
}

function hasMoved(now: Result, before: Result, { side, threshold }: Limit): boolean {
  const sign = String(side).startsWith('rise') ? 1 : -1;
  const by = String(side).endsWith('Percent') ? (before.value * Number(threshold)) / 100 : Number(threshold);
  const moved = sign * (now.value - before.value);
  return moved >= by || isNear(now.value, before.value + sign * by);
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= SAME * Math.max(1, Math.abs(a), Math.abs(b));
}

type Fields = { [name: string]: unknown };

function resultOf({ id, meta, status, code, subject, effectiveDateTime, valueQuantity }: Current) {
  const { value, code: unit, comparator } = (valueQuantity ?? {}) as Fields;
  const [coding] = ((code as Fields | undefined)?.coding ?? []) as Fields[];
  const { reference } = (subject ?? {}) as Fields;
  const atMs = Date.parse(String(effectiveDateTime));
  const isCounting = FINAL.has(status) || status === 'preliminary';
  if (!isCounting || typeof value !== 'number' || comparator !== undefined || Number.isNaN(atMs)) return undefined;
  const texts = { code: String(coding?.code), unit: String(unit), subject: String(reference) };
  return { id, version: Number(meta.versionId), value, atMs, status, ...texts };
}
