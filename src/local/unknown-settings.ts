import { CONNECTION_PARTS, CONNECTIONS, HOST_SETTING_NAMES, OTHERS_SETTINGS, SETTING_NAMES } from '../setting-names.js';

/** A name with more typos than this is another name. A typo is a missing, added, wrong or swapped character. */
const MAX_TYPOS = 2;

/**
 * Returns a text with each of `names` that is unknown and the nearest known name, or undefined where all are known.
 * `asked` are the names that the workflows ask for in `setup`. An unknown name can still be right, because a handler
 * can read any setting. The text holds no values.
 */
export function describeUnknownSettings(names: readonly string[], asked: readonly string[]): string | undefined {
  const parts = CONNECTIONS.flatMap((connection) => CONNECTION_PARTS.map((part) => `${connection}__${part}`));
  const valid = [...SETTING_NAMES, ...HOST_SETTING_NAMES, ...parts, ...asked];
  const known = new Set(valid.map((name) => name.toLowerCase()));
  const lines = names.flatMap((name) => {
    if (known.has(name.toLowerCase())) return [];
    const nearest = nearestOf(name, valid);
    if (nearest !== undefined) return [`- ${name}: did you mean ${nearest}?`];
    return OTHERS_SETTINGS.test(name)
      ? []
      : [`- ${name}: no workflow asks for it in setup. Remove it, unless a handler reads it.`];
  });
  return lines.length === 0
    ? undefined
    : `local.settings.json has names that the app does not know:\n${lines.join('\n')}\n`;
}

function nearestOf(name: string, valid: readonly string[]): string | undefined {
  const limit = Math.min(MAX_TYPOS, Math.floor(name.length / 3));
  const ranked = valid
    .map((other) => ({ other, typos: typosBetween(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.typos - b.typos);
  const [best] = ranked;
  return best !== undefined && best.typos <= limit ? best.other : undefined;
}

/** Returns the number of characters to insert, remove, replace or swap (Damerau and Levenshtein). */
function typosBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const steps = [
        at(i - 1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(i - 1, j - 1) + cost,
        isSwap ? at(i - 2, j - 2) + 1 : Infinity,
      ];
      row.push(Math.min(...steps));
    }
    rows.push(row);
  }
  return at(a.length, b.length);

  function at(i: number, j: number): number {
    return rows[i]?.[j] ?? 0;
  }
}
