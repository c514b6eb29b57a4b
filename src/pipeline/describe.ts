import { errorCodeOf } from './decide.js';
import type { Run } from './run.js';

const LONGEST_MESSAGE = 500;
/** A shorter value says little, and is found in every other word. */
const SHORTEST_VALUE = 3;

/** What the envelope of every event may say. */
const TECHNICAL = [
  '1.0',
  'application/json',
  'subscriptions/resourceGroups/providers/Microsoft.HealthcareApis/workspaces',
];
const SPECIAL_IN_REGEXP = /[\\^$.*+?()[\]{}|/]/g;

type Of = Pick<Run, 'event' | 'json'>;

/** An error as a dead letter may hold it: what its message quotes of the event is taken out. */
export function describe(error: unknown, of: Of): { name: string; code: string; message: string } {
  const values = valuesOf(of);
  const code = wordOf(errorCodeOf(error), values, 'error');
  if (!(error instanceof Error)) return { name: 'thrown value', code, message: '' };
  const name = wordOf(errorCodeOf({ name: error.name }), values, 'Error');
  const message = typeof error.message === 'string' ? withoutValues(error.message, values) : '';
  return { name, code, message: message.slice(0, LONGEST_MESSAGE) };
}

/** `word`, unless it holds one of the event's values: an id of a resource can look like a word, and words reach the logs. */
export function wordOf(word: string, values: readonly string[], otherwise: string): string {
  const lower = word.toLowerCase();
  return values.some((value) => lower.includes(value.toLowerCase())) ? otherwise : word;
}

function withoutValues(message: string, values: readonly string[]): string {
  let left = message;
  for (const value of values) {
    for (const form of new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())])) {
      if (!left.toLowerCase().includes(form.toLowerCase())) continue;
      left = left.replace(new RegExp(form.replaceAll(SPECIAL_IN_REGEXP, '\\$&'), 'giu'), '…');
    }
  }
  return left;
}

/** Texts and numbers of the event, but for what logs may tell, longest first: so that none is left by halves. */
export function valuesOf({ event, json }: Of): string[] {
  const { type, id, host, service, change } = event;
  const resourceType = event.service === 'fhir' ? event.resourceType : '';
  const told = [type, id, host, service, change, resourceType, ...TECHNICAL];
  const mayBeTold = new Set(told.flatMap((value) => partsOf(value.toLowerCase())));
  const found = new Set<string>();
  const pending: unknown[] = [JSON.parse(json), event];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next === 'object' && next !== null) pending.push(...Object.values(next));
    else if (typeof next === 'string' || typeof next === 'number') {
      for (const part of partsOf(String(next))) {
        if (part.length >= SHORTEST_VALUE && !mayBeTold.has(part.toLowerCase())) found.add(part);
      }
    }
  }
  return [...found].sort((a, b) => b.length - a.length);
}

function partsOf(text: string): string[] {
  return [text, ...text.split('/')];
}
