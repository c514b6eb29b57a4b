import { StorageError } from './table-store.js';

type Answer = { readonly headers: { get(name: string): string | undefined } };

/** Returns storage's Date of an answer; undefined if the header is absent or unreadable. */
export function dateOf({ headers }: Answer): Date | undefined {
  const ms = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** @throws StorageError if the answer has no readable Date */
export function requiredDateOf(answer: Answer): Date {
  const date = dateOf(answer);
  if (!date) throw new StorageError('garbled', 'Storage answered without a Date.');
  return date;
}
