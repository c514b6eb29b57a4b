import { placeOfError } from '../../../json-place.js';
import { invalid, refuse } from './outcome.js';

/** The depth that the real service reads. */
export const MAX_LEVELS = 64;
/** Finds numbers that JavaScript would write in another form: 1.10, 1e3, -0, 0.0000001, and numbers of many digits. */
const SPECIAL_NUMBER = /[:[,]\s*-?(?:\d+\.\d*0(?!\d)|[\d.]+[eE]|[\d.]{16}|0(?![.\d])(?<=-0)|0\.0{6})/;

type JsonWithSource = {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};
/** Node has these functions; TypeScript's library does not declare them yet. */
const json = JSON as unknown as JsonWithSource;

/** Parses a body. Throws a FhirError with the place of the error where the body is no JSON. */
export function parseBody(body: Uint8Array): unknown {
  if (body.length === 0) throw invalid('The body is empty. Send a resource, as JSON.');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw refuse(400, 'structure', 'The body is not UTF-8. Send JSON in UTF-8.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(400, 'structure', `The body is not JSON: look at ${placeOfError(text)}.`);
  }
  if (isTooDeep(value)) {
    throw refuse(400, 'structure', `The body is nested deeper than ${MAX_LEVELS} levels. Nest less.`);
  }
  return parseExactly(text, value);
}

/**
 * Parses JSON that is known to be JSON, and not too deep. Numbers that would be written otherwise than they were read
 * are kept as text, for in FHIR the digits of 1.10 mean something; JSON.stringify writes them as they were.
 */
export function parseExactly(text: string, value: unknown = JSON.parse(text)): unknown {
  if (!SPECIAL_NUMBER.test(text)) return value;
  return json.parse(text, (_key, found, { source }) => {
    const isKept = typeof found === 'number' && Number.isFinite(found) && source !== undefined;
    return isKept && String(found) !== source ? json.rawJSON(source) : found;
  });
}

/** Returns whether `value` is a JSON object: no list, no null, and no number that is kept as text. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !json.isRawJSON(value);
}

/** Returns whether the real service leaves the value out of JSON: undefined, null, an empty string, an empty object. */
export function isNothing(value: unknown): boolean {
  if (isObject(value)) return Object.keys(value).length === 0;
  return (value ?? null) === null || (typeof value === 'string' && value.trim() === '');
}

/** Returns a deep copy in which numbers that were kept as text are numbers again. */
export function withPlainNumbers(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/**
 * Returns whether a value has more than `MAX_LEVELS` levels. Looks level by level: the recursion of a deep value is not
 * bounded.
 */
export function isTooDeep(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === MAX_LEVELS) return true;
    level = level.flatMap((parent) => Object.values(parent).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
