const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Returns the place of the first error in text that is not JSON, for people: `line 3, column 14`. */
export function placeOfError(text: string): string {
  const before = text.slice(0, lengthOfJson(text)).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

/** Returns the path of a value in JSON as text, such as `rules[3].unit`; '' for the whole. */
export function textOfPath(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
  return parts.join('').replace(/^\./, '');
}

/** Returns the length of the longest start that could be JSON. It has its own stack, so any nesting depth works. */
function lengthOfJson(text: string): number {
  const open: string[] = [];
  let at = skip(SPACE, text, 0);
  let expected: 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'after' = 'value';

  while (at < text.length) {
    const character = text.charAt(at);
    if (expected === 'after') {
      if (open.length === 0) return at;
      if (character === ',') expected = open.at(-1) === '}' ? 'key' : 'value';
      else if (character === open.at(-1)) open.pop();
      else return at;
      at += 1;
    } else if (expected.endsWith('-or-end') && character === open.at(-1)) {
      open.pop();
      at += 1;
      expected = 'after';
    } else if (expected.startsWith('key')) {
      const key = skipString(text, at);
      const colon = skip(SPACE, text, key);
      if (key === at) return at;
      if (text.charAt(colon) !== ':') return colon;
      at = colon + 1;
      expected = 'value';
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? '}' : ']');
      expected = character === '{' ? 'key-or-end' : 'value-or-end';
      at += 1;
    } else {
      const end = character === '"' ? skipString(text, at) : skip(SCALAR, text, at);
      if (end === at) return at;
      at = end;
      expected = 'after';
    }
    at = skip(SPACE, text, at);
  }
  return at;
}

/**
 * Returns the end of the string at `from`; `from` if there is no whole string. No regular expression: strings may have
 * megabytes.
 */
function skipString(text: string, from: number): number {
  if (text.charAt(from) !== '"') return from;
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') return at + 1;
    if (character < ' ') return from;
    if (character === '\\') {
      const end = skip(ESCAPE, text, at);
      if (end === at) return from;
      at = end - 1;
    }
  }
  return from;
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}
