/** Returns the value of a JSON text; undefined if `text` is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Returns the JSON of `value`, as `JSON.stringify` does, for data of any depth. `JSON.stringify` is recursive and
 * throws a RangeError at some thousands of levels, which `JSON.parse` still reads.
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return writeDeep(value);
  }
}

/** `at`: the index of the next key to write. */
type Open = { readonly container: Readonly<Record<string, unknown>>; readonly keys: readonly string[]; at: number };

/** Has its own stack. For results of `JSON.parse`: a toJSON method of a value is not called. */
function writeDeep(root: unknown): string {
  const parts: string[] = [];
  const open: Open[] = [];
  let next: unknown = root;
  for (;;) {
    if (typeof next === 'object' && next !== null) {
      parts.push(Array.isArray(next) ? '[' : '{');
      open.push(openOf(next));
    } else parts.push(JSON.stringify(next) ?? 'null');

    let top = open.at(-1);
    while (top && top.at === top.keys.length) {
      parts.push(Array.isArray(top.container) ? ']' : '}');
      open.pop();
      top = open.at(-1);
    }
    if (!top) return parts.join('');
    const key = top.keys[top.at] as string;
    if (top.at > 0) parts.push(',');
    if (!Array.isArray(top.container)) parts.push(`${JSON.stringify(key)}:`);
    next = top.container[key];
    top.at += 1;
  }
}

function openOf(container: object): Open {
  const of = container as Readonly<Record<string, unknown>>;
  const keys = Object.keys(of);
  return { container: of, keys: Array.isArray(of) ? keys : keys.filter((key) => of[key] !== undefined), at: 0 };
}
