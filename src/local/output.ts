import type { Writable } from 'node:stream';
import { printable, printableLines } from '../printable.js';
import { HELP_HAS_THE_REST, type OptionError } from './options.js';

/** `out` gets the result of a command, `err` progress and notes. */
export type Output = { readonly out: Terminal; readonly err: Terminal };
type Terminal = Writable & { isTTY?: boolean; columns?: number };

/** Writes text without control characters that could act on the terminal; resolves once the text is written. */
export function writeTo(out: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(printableLines(text), (error) => (error ? reject(error) : resolve()));
  });
}

/** Prints the result of a command; returns its exit code. */
export function print(text: string): 0 {
  process.stdout.write(printableLines(text));
  return 0;
}

/** Prints why a command could not do its work; returns its exit code. */
export function printError<C extends number>(text: string, code: C): C {
  process.stderr.write(printableLines(text));
  return code;
}

/** Prints a wrong option on one line; returns the exit code. */
export function printOptionError({ message }: OptionError): 2 {
  return printError(`${printable(message)} ${HELP_HAS_THE_REST}\n`, 2);
}
