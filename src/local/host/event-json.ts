import { rewriteDate } from './date-text.js';

/**
 * The JSON of a POST as Node sees it behind the real host, which parses and writes it before: dates rewritten, a
 * number beyond all bounds as the string "Infinity", -0 as 0, a lone surrogate as U+FFFD, the last of duplicate keys.
 * Without recursion: no depth of nesting can end the process.
 * @throws SyntaxError where it is not JSON, RangeError where an event is nested deeper than 64.
 */
export function parseAsHost(text: string): unknown {
  const json: unknown = JSON.parse(text);
  const root: Container = [json];
  let level: Container[] = [root];
  for (let depth = Array.isArray(json) ? -1 : 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw new RangeError(`an event is nested deeper than ${MAX_DEPTH}`);
    const inside: Container[] = [];
    for (const container of level) rewriteEntries(container, inside);
    level = inside;
  }
  return root[0];
}

/** Of an event; its outermost object is the first level. */
const MAX_DEPTH = 64;

type Container = Record<string, unknown> | unknown[];

/** Rewrites what `container` holds itself, and puts the containers in it on `open`. */
function rewriteEntries(container: Container, open: Container[]): void {
  const entries = container as Record<string, unknown>;
  for (const key of Object.keys(container)) {
    const value = entries[key];
    if (typeof value === 'object') {
      if (value !== null) open.push(value as Container);
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
