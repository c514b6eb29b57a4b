import { type ParseArgsConfig, parseArgs } from 'node:util';
import { placeOfError } from '../json-place.js';
import { nearest } from '../nearest.js';

const ACCOUNT = /^[a-z0-9]{3,24}$/;

/** A wrong option: exit code 2. The message says what was found, and what must be there instead. */
export class OptionError extends Error {
  override name = 'OptionError';
}

/** The hint after the message of an OptionError, instead of the whole help. */
export const HELP_HAS_THE_REST = '--help has the rest.';

/** Returns an error of `parseArgs` as one sentence, with the option that was probably meant. */
export function optionErrorOf({ message }: Error, options: readonly string[]): OptionError {
  const [first = ''] = message.split(/\n|(?<=[^.])\. /);
  const [, dashed] = /^Option '(--[^']+)' argument is ambiguous/.exec(first) ?? [];
  if (dashed) return new OptionError(`${dashed} needs a value; one that begins with '-' is written ${dashed}=VALUE.`);
  const [, typed] = /^Unknown option '--([^']+)'/.exec(first) ?? [];
  const meant = typed === undefined ? undefined : nearest(typed, options);
  const sentence = first.endsWith('.') ? first : `${first}.`;
  return new OptionError(meant === undefined ? sentence : `${sentence} Did you mean --${meant}?`);
}

/**
 * Returns the value of JSON text.
 * @throws OptionError whose message begins with `subject`, such as `--edit: event.json is`
 */
export function parseJsonOption(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OptionError(`${subject} not JSON: ${placeOfError(text)} is where it stops being JSON.`);
  }
}

/** The options as given: each a text, or true for a flag. */
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

/** Returns the text of an option, if given; undefined for a flag. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns the number of an option, if given. @throws OptionError outside of `from` to `to` */
export function numberOf(values: Values, name: string, { from, to }: { from: number; to: number }): number | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= from && value <= to)) throw new OptionError(`--${name} is '${text}', must be from ${from} to ${to}.`);
  return value;
}

/** Returns the storage account that an option names. @throws OptionError */
export function accountOf(values: Values, name: string): string | undefined {
  const account = textOf(values, name);
  if (account === undefined || ACCOUNT.test(account)) return account;
  throw new OptionError(`--${name} is '${account}', must be the name of a storage account: 3 to 24 of a-z and 0-9.`);
}

/** Returns the time of an option, if given. A day without a time gets the time `ofDay`. @throws OptionError */
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
