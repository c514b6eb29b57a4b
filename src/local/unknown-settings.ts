import { nearest } from '../nearest.js';
import { CONNECTION_PARTS, CONNECTIONS, HOST_SETTING_NAMES, OTHERS_SETTINGS, SETTING_NAMES } from '../setting-names.js';

/** A name with more typos is taken for another name. A typo is a missing, added, wrong or swapped character. */
const MAX_TYPOS = 2;

/**
 * Returns a text with each of `names` that is unknown and the nearest known name, or undefined if all are known.
 * `asked` are the names that the workflows ask for in `setup`. An unknown name can still be right, because a handler
 * can read any setting. The text holds no values.
 */
export function describeUnknownSettings(names: readonly string[], asked: readonly string[]): string | undefined {
  const parts = CONNECTIONS.flatMap((connection) => CONNECTION_PARTS.map((part) => `${connection}__${part}`));
  const valid = [...SETTING_NAMES, ...HOST_SETTING_NAMES, ...parts, ...asked];
  const known = new Set(valid.map((name) => name.toLowerCase()));
  const lines = names.flatMap((name) => {
    if (known.has(name.toLowerCase())) return [];
    const meant = nearest(name, valid, Math.min(MAX_TYPOS, Math.floor(name.length / 3)));
    if (meant !== undefined) return [`- ${name}: did you mean ${meant}?`];
    return OTHERS_SETTINGS.test(name)
      ? []
      : [`- ${name}: no workflow asks for it in setup. Remove it, unless a handler reads it.`];
  });
  return lines.length === 0
    ? undefined
    : `local.settings.json has names that the app does not know:\n${lines.join('\n')}\n`;
}
