import bundled from './alert-rules.json' with { type: 'json' };
import type { Rule } from './rule.js';
import { checkRules, type ReadRules, readRules } from './rules.js';

/** The rules of a file, or every problem of the file. */
export type LoadedRules =
  | { readonly kind: 'ok'; readonly rules: readonly Rule[] }
  /** A line for each problem, with its place, for a ConfigError. */
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/** Returns the rules in the file at `path` (the setting ALERT_RULES), or the bundled rules without a path. */
export function loadRules(path: string | undefined, readFile: (path: string) => string): LoadedRules {
  if (path === undefined) return withFileName('alert-rules.json', checkRules(bundled));
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== 'string') throw error;
    return { kind: 'wrong', problems: [`ALERT_RULES names a file that cannot be read (${code}): ${path}`] };
  }
  return withFileName(path, readRules(text));
}

function withFileName(file: string, read: ReadRules): LoadedRules {
  if (read.kind === 'ok') return read;
  return { kind: 'wrong', problems: read.problems.map(({ path, message }) => `${file}: ${path} ${message}`) };
}
