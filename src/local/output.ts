import type { Writable } from 'node:stream';
import { printableLines } from '../printable.js';

/** `out` gets the result of a command, `err` progress and notes. */
export type Output = { readonly out: Terminal; readonly err: Terminal };
type Terminal = Writable & { isTTY?: boolean; columns?: number };

/** Writes text without control characters that could act on the terminal; resolves once the text is written. */
export function writeTo(out: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(printableLines(text), (error) => (error ? reject(error) : resolve()));
  });
}
