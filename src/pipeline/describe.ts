import { errorCodeOf } from './decide.js';

const LONGEST_MESSAGE = 500;

/** An error as a dead letter may hold it: what its message quotes of the event is taken out. */
export function describe(error: unknown, eventJson: string): { name: string; code: string; message: string } {
  const code = errorCodeOf(error);
  if (!(error instanceof Error)) return { name: 'thrown value', code, message: '' };
  let message = error.message;
  for (const value of valuesOf(JSON.parse(eventJson))) message = message.replaceAll(value, '…');
  return { name: errorCodeOf({ name: error.name }), code, message: message.slice(0, LONGEST_MESSAGE) };
}

/** Texts and numbers of the event, longest first, so that none is left by halves. */
function valuesOf(value: unknown): string[] {
  const found = new Set<string>();
  const pending = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next === 'object' && next !== null) pending.push(...Object.values(next));
    else if (typeof next === 'string' || typeof next === 'number') {
      const text = String(next);
      if (text.length >= 3) {
        found.add(text);
        for (const part of text.split('/')) if (part.length >= 3) found.add(part);
      }
    }
  }
  return [...found].sort((a, b) => b.length - a.length);
}
