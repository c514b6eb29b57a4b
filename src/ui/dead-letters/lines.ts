const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|\n/g;

type Open = { isList: boolean; index: number; key: string };

/** Returns the line of each value in JSON text, by its path: `data.resourceVersionId`, `items.0.id`. Lines begin at 1. */
export function linesOf(json: string): Map<string, number> {
  const lines = new Map<string, number>([['', 1]]);
  const open: Open[] = [];
  let line = 1;
  let word = '';
  for (const [token] of json.matchAll(TOKEN)) {
    const inner = open.at(-1);
    if (token === '\n') line += 1;
    else if (token === ':') {
      if (inner) inner.key = parsed(word);
      lines.set(pathOf(open), line);
    } else if (token === ',') {
      if (inner) inner.index += 1;
    } else if (token === '}' || token === ']') open.pop();
    else {
      if (inner?.isList) lines.set(pathOf(open), line);
      if (token === '{' || token === '[') open.push({ isList: token === '[', index: 0, key: '' });
      word = token;
    }
  }
  return lines;
}

/** Returns the line of a path. Where the value is missing, returns the line of the nearest value around it. */
export function lineOf(path: string, lines: ReadonlyMap<string, number>): number {
  const parts = path.startsWith('(') ? [] : path.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const line = lines.get(parts.slice(0, length).join('.'));
    if (line !== undefined) return line;
  }
  return 1;
}

function pathOf(open: readonly Open[]): string {
  return open.map(({ isList, index, key }) => (isList ? String(index) : key)).join('.');
}

function parsed(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
