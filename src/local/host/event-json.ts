import { rewriteDate } from './date-text.js';
import type { Request } from './server.js';

/** The maximum depth of nested arrays and objects, that of the real host's parser. */
const MAX_DEPTH = 64;
const BYTE_ORDER_MARK = '\uFEFF';

/** The charsets that .NET knows without further code pages. */
const DECODERS: Readonly<Record<string, (body: Buffer) => string>> = {
  'utf-8': (body) => body.toString('utf8'),
  'utf-16': (body) => body.toString('utf16le'),
  'utf-16le': (body) => body.toString('utf16le'),
  'utf-16be': (body) => Buffer.from(body).swap16().toString('utf16le'),
  'us-ascii': (body) => body.toString('latin1'),
  'iso-8859-1': (body) => body.toString('latin1'),
};
/** Matches strings in double quotes and, captured, in single quotes; comments; NaN and Infinity. */
const TOKEN =
  /"(?:[^"\\]|\\[\s\S])*"|'((?:[^'\\]|\\[\s\S])*)'|\/\*[\s\S]*?\*\/|\/\/[^\r\n]*|(?:-|\b)(?:NaN|Infinity)\b/g;

/** Returns the JSON in the body of a request, as `parseAsHost`. @throws RangeError where the charset is unknown */
export function jsonOf(request: Request): unknown {
  return parseAsHost(textOf(request));
}

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

/**
 * Returns `text` as strict JSON. The parser of the real host (Newtonsoft) also accepts comments, strings in single
 * quotes, and NaN and Infinity, which a function gets as strings.
 */
function toStrictJson(text: string): string {
  return text.replace(TOKEN, (token, singleQuoted?: string) => {
    if (singleQuoted !== undefined) return `"${singleQuoted.replace(/\\[\s\S]|"/g, requote)}"`;
    if (token.startsWith('"')) return token;
    return token.startsWith('/') ? ' ' : `"${token}"`;
  });
}

function requote(part: string): string {
  if (part === '"') return '\\"';
  return part === "\\'" ? "'" : part;
}

/** Returns the body as text, in the charset of content-type, UTF-8 by default. */
function textOf({ headers, body }: Request): string {
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  const decode = DECODERS[charset.toLowerCase()];
  if (!decode) throw new RangeError('The charset in content-type is unknown.');
  const text = decode(body);
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}
