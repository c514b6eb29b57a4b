/**
 * The JSON text of `value`, as `JSON.stringify` writes it, for data of any depth: `JSON.stringify` calls itself for each
 * level, and ends with a RangeError some thousands of levels down, where `JSON.parse` still reads.
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return writeDeep(value);
  }
}

/** `at`: the next of `keys` to be written. */
type Open = { readonly container: Readonly<Record<string, unknown>>; readonly keys: readonly string[]; at: number };

/** Keeps its own stack. For what `JSON.parse` returns: values with a toJSON of their own are not asked for it. */
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
