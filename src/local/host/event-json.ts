import { rewriteDate } from './date-text.js';
import { toStrictJson } from './lenient-json.js';

/** The maximum depth of nested arrays and objects, that of the real host's parser. */
const MAX_DEPTH = 64;

/**
 * Returns the JSON of a POST as Node gets it from the real host, which parses and rewrites it: comments, single quotes
 * and NaN are accepted, dates are rewritten, a number out of range becomes the string "Infinity", -0 becomes 0, a lone
 * surrogate U+FFFD, and the last of duplicate keys counts. Without recursion, so that no depth can end the process.
 * @throws SyntaxError where `text` is not JSON, RangeError where it is nested deeper than 64.
 */
export function parseAsHost(text: string): unknown {
  const root: Container = [parse(text)];
  let level: Container[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw new RangeError(`The JSON is nested deeper than ${MAX_DEPTH}.`);
    const next: Container[] = [];
    for (const container of level) rewriteEntries(container, next);
    level = next;
  }
  return root[0];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(toStrictJson(text));
  }
}

type Container = Record<string, unknown> | unknown[];

/** Rewrites the values of `container`, and adds its inner containers to `next`. */
function rewriteEntries(container: Container, next: Container[]): void {
  const entries = container as Record<string, unknown>;
  for (const key of Object.keys(container)) {
    const value = entries[key];
    if (typeof value === 'object') {
      if (value !== null) next.push(value as Container);
    } else {
      const rewritten = rewriteValue(value);
      if (!Object.is(rewritten, value)) entries[key] = rewritten;
    }
    if (!key.isWellFormed()) renameKey(entries, key);
  }
}

function rewriteValue(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? rewriteDate(value) : value.toWellFormed();
  if (typeof value !== 'number') return value;
  return Number.isFinite(value) ? value + 0 : String(value); // -0 + 0 is 0
}

function renameKey(entries: Record<string, unknown>, key: string): void {
  entries[key.toWellFormed()] = entries[key];
  delete entries[key];
}
