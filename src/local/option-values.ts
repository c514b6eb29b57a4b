import { type ParseArgsConfig, parseArgs } from 'node:util';
import { OptionError, optionErrorOf } from './option-error.js';

/** The options as given: a text each, or true. Functions for one option return undefined if it is missing. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Returns the options as given, and the other arguments if they are allowed.
 * @throws OptionError where an option is not known, has no value, or an empty one, such as an unset variable of a script
 */
export function parseValues(
  args: readonly string[],
  options: NonNullable<ParseArgsConfig['options']>,
  allowPositionals = false,
): { values: Values; positionals: readonly string[] } {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals });
    const values = parsed.values as Values; // no option is given several times
    const empty = Object.entries(values).find(([, value]) => typeof value === 'string' && value.trim() === '');
    if (empty) throw new OptionError(`--${empty[0]} is empty: leave it out, or give it a value.`);
    return { values, positionals: parsed.positionals };
  } catch (error) {
    throw error instanceof OptionError ? error : optionErrorOf(error as Error, Object.keys(options));
  }
}

/** Returns the text of an option; undefined if the option is missing, empty or a flag. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns a number; undefined if the option is missing. @throws OptionError outside of `from` to `to`. */
export function numberOf(values: Values, name: string, { from, to }: { from: number; to: number }): number | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= from && value <= to)) throw new OptionError(`--${name} is '${text}', must be from ${from} to ${to}.`);
  return value;
}

/**
 * Returns a time; for a day, the day and `ofDay`. Undefined if the option is missing.
 * @throws OptionError
 */
export function timeOf(values: Values, name: string, ofDay: string): Date | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const at = new Date(text.length === 10 ? text + ofDay : text);
  if (!isDay(text.slice(0, 10)) || Number.isNaN(at.getTime())) {
    throw new OptionError(`--${name} is '${text}', must be a day or a time, such as 2026-03-14 or 2026-03-14T12:00Z.`);
  }
  return at;
}

/** Returns false for the 30th of February, which would be a day in March. */
function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00.000Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}
