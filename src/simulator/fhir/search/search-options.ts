import { isResourceType } from '../../../fhir-types.js';
import { type Issue, invalid, refuse } from '../content/outcome.js';
import { type Criterion, readCriterion } from './search-criteria.js';
import { parametersOf } from './search-parameters.js';

/** The options of a search. */
export type SearchOptions = ReturnType<typeof readSearch>;

/** The part of a long list that the answer holds. */
export type PageOptions = {
  readonly count: number;
  readonly isNewestFirst: boolean;
  /** The sequence of the last version on the page before. */
  readonly after: number | undefined;
  /** The parameters that were understood, without the token. Links contain them. */
  readonly kept: readonly Parameter[];
};

type Parameter = [name: string, value: string];

const DEFAULT_COUNT = 10;
const MAX_COUNT = 1_000;
/** The largest Int32 of .NET. */
const MAX_INTEGER = 2_147_483_647;
/** Parameters that a search ignores without a warning. */
export const WITHOUT_EFFECT = ['_format', '_pretty', '_meta-history'];
/** Parameters that change the answer of a search. All others are criteria. */
export const OPTIONS = ['_sort', '_count', '_total', '_summary', '_elements'];
const SORTS = ['_lastUpdated', '-_lastUpdated'];
const SUMMARIES = ['true', 'text', 'data', 'count', 'false'];

/** Gets a warning about a parameter or value that has no effect. */
type Ignore = (diagnostics: string) => void;
type SearchScope = { resourceType: string | undefined; base: string; isStrict: boolean };

/** Returns the options that the parameters of a search ask for. Throws a FhirError for wrong parameters. */
export function readSearch(parameters: readonly Parameter[], scope: SearchScope) {
  const issues: Issue[] = [];
  const ignore: Ignore = (diagnostics) => void issues.push({ severity: 'warning', code: 'not-supported', diagnostics });
  const kept: Parameter[] = [];
  const criteria: Criterion[] = [];
  for (const [name, value] of parameters) {
    if (!isUnderstood([name, value], scope, ignore)) continue;
    kept.push([name, value]);
    if (OPTIONS.includes(name)) continue;
    if (nameOf(name) === '_type') warnOfTypes(value, ignore);
    criteria.push(readCriterion(name, value, scope.base));
  }

  const given = (name: string) => kept.find(([found]) => found === name)?.[1];
  const { count, isOnlyCounted } = readCount(given('_count'), issues);
  const summary = readSummary(given('_summary'), ignore);
  const elements = given('_elements');
  if (elements !== undefined && summary !== 'false') {
    throw invalid('_elements and _summary cannot both be asked for.');
  }
  const ignored = issues.filter(({ severity }) => severity === 'warning');
  if (scope.isStrict && ignored.length > 0) {
    throw refuse(400, 'not-supported', ignored.map(({ diagnostics }) => diagnostics).join(' '));
  }
  const sort = kept.findLast(([name, value]) => name === '_sort' && SORTS.includes(value))?.[1];
  return {
    /** A resource must meet all criteria. */
    criteria,
    page: { count, isNewestFirst: sort?.startsWith('-') ?? false, after: readToken(parameters), kept },
    isTotalWanted: readTotal(given('_total')),
    isCountOnly: isOnlyCounted || summary === 'count',
    /** The top-level elements to return; undefined for whole resources. */
    elements: elements?.split(',').flatMap((name) => name.trim().split('.', 1)),
    isWithoutText: summary === 'data',
    /** Warnings about parameters that have no effect. */
    issues,
  };
}

function isUnderstood([name, value]: Parameter, { resourceType }: SearchScope, ignore: Ignore): boolean {
  if (WITHOUT_EFFECT.includes(name) || name === 'ct') return false;
  if (name === '_type' && value.trim() === '') {
    throw invalid("'_type' is empty. Name types, as in Patient,Observation.");
  }
  const isKnown = OPTIONS.includes(name) || Object.hasOwn(parametersOf(resourceType), nameOf(name));
  if (value.trim() === '' || !isKnown) {
    ignore(`The search parameter '${name}' is not supported for resource type '${resourceType ?? 'Resource'}'.`);
    return false;
  }
  if (name === '_sort' && !SORTS.includes(value)) {
    ignore(`Sorting by '${value}' is not supported. Sort by _lastUpdated or -_lastUpdated.`);
  }
  return true;
}

function nameOf(parameter: string): string {
  return parameter.split(':', 1)[0] ?? '';
}

/** Returns the token of the page behind a version. Later writes do not move the page. */
export function tokenOf(sequence: number): string {
  return Buffer.from(`after:${sequence}`).toString('base64url');
}

/** Returns the sequence in the parameter `ct`; undefined if `ct` is absent. Throws a FhirError for a wrong token. */
export function readToken(parameters: Iterable<Parameter>): number | undefined {
  const tokens = [...parameters].filter(([name]) => name === 'ct');
  if (tokens.length > 1) throw refuse(403, 'invalid', "Query parameter 'ct' cannot be given more than once.");
  const token = tokens[0]?.[1];
  if (token === undefined) return undefined;
  const sequence = /^after:(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  if (sequence === undefined) throw invalid("The continuation token 'ct' is invalid. Take it from a next link.");
  return Number(sequence);
}

/** Reads `_count`; 0 asks for the total alone. */
export function readCount(text: string | undefined, issues: Issue[]): { count: number; isOnlyCounted: boolean } {
  if (text === undefined) return { count: DEFAULT_COUNT, isOnlyCounted: false };
  if (!/^\d{1,10}$/.test(text) || Number(text) > MAX_INTEGER)
    throw invalid(`'_count' is '${text}', not a number from 0 to ${MAX_COUNT}.`);
  const count = Number(text);
  if (count > MAX_COUNT) {
    const diagnostics = `'_count' of ${count} exceeds limit ${MAX_COUNT}: the page has at most ${MAX_COUNT}.`;
    issues.push({ severity: 'information', code: 'informational', diagnostics });
  }
  return { count: Math.min(count, MAX_COUNT), isOnlyCounted: count === 0 };
}

/** Returns `_summary` in lower case, by default `false`. `ignore` gets a warning if the value has no effect. */
export function readSummary(text: string | undefined, ignore: Ignore): string {
  const summary = (text ?? 'false').toLowerCase();
  if (!SUMMARIES.includes(summary)) throw invalid(`'_summary' is '${text}', not one of ${SUMMARIES.join(', ')}.`);
  if (summary === 'true' || summary === 'text') ignore(`'_summary=${summary}' is not supported: resources come whole.`);
  return summary;
}

function readTotal(text: string | undefined): boolean {
  const total = (text ?? 'none').toLowerCase();
  if (total === 'estimate')
    throw refuse(403, 'not-supported', "'_total=estimate' is not supported. Use accurate or none.");
  if (total !== 'accurate' && total !== 'none') throw invalid(`'_total' is '${text}', not accurate or none.`);
  return total === 'accurate';
}

function warnOfTypes(text: string, ignore: Ignore): void {
  const unknown = text.split(',').filter((type) => !isResourceType(type));
  if (unknown.length > 0) ignore(`The '_type' parameter has unknown types: ${unknown.join(', ')}.`);
}
