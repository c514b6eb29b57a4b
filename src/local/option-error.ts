import { placeOfError } from '../json-place.js';
import { nearest } from '../nearest.js';

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

/** Returns the value of JSON text. @throws OptionError that begins with `subject`, such as `--edit: event.json is`. */
export function parseJson(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OptionError(`${subject} not JSON: ${placeOfError(text)} is where it stops being JSON.`);
  }
}
