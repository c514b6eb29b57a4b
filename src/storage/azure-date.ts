import { StorageError } from './table-store.js';

type Answer = { readonly headers: { get(name: string): string | undefined } };

/** Returns a listener that keeps the Date of an SDK's answer, including an error. */
export function createDateListener() {
  let date: Date | undefined;
  return {
    onResponse(answer: Answer): void {
      date = dateOf(answer);
    },
    dateOrNone: () => date,
    now(): Date {
      if (!date) throw new StorageError('garbled', 'Storage answered without a Date.');
      return date;
    },
  };
}

/** Returns storage's Date of an answer; undefined if the header is absent or unreadable. */
export function dateOf({ headers }: Answer): Date | undefined {
  const ms = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms);
}
