import { errorCodeOf, errorNameOf, propertyOf } from '../errors.js';
import { appFrameOf } from './app-frame.js';
import type { Job } from './job.js';

const MAX_MESSAGE_LENGTH = 500;
/** Shorter values identify nobody, and occur in many words by chance. */
const MIN_VALUE_LENGTH = 3;

/** Values that the envelope of every event may hold. */
const TECHNICAL = [
  '1.0',
  'application/json',
  'subscriptions/resourceGroups/providers/Microsoft.HealthcareApis/workspaces',
];

type FailedJob = Pick<Job, 'event' | 'json' | 'workflow'>;

/** `frame`: where the app's own code has failed; see app-frame.ts. */
type DescribedError = { name: string; code: string; message: string; frame?: string };

/**
 * Returns an error as a dead letter holds it. P1: `code` and `name` are from closed lists, because they leave the
 * process. P2: `message` is text of the workflow; it stays in the blob, is shown with the payload alone, and quotes no
 * value of the event.
 */
export function describeError(error: unknown, job: FailedJob): DescribedError {
  const code = errorCodeOf(error, job.workflow?.codes);
  if (!(error instanceof Error)) return { name: 'thrown value', code, message: '' };
  const text = propertyOf(error, 'message');
  const message = typeof text === 'string' ? withoutValues(text.slice(0, MAX_MESSAGE_LENGTH), valuesOf(job)) : '';
  const frame = appFrameOf(error);
  return { name: errorNameOf(error), code, message, ...(frame && { frame }) };
}

/**
 * Returns `message` with `…` in place of each value. `message` may be cut off, so that the work is bounded: a value at its
 * end is recognised by its first characters.
 */
function withoutValues(message: string, values: readonly string[]): string {
  const folded = fold(message);
  const isValue = new Uint8Array(message.length);
  for (const value of values) {
    for (const form of new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())])) {
      markValue(fold(form), folded, isValue);
    }
  }
  let left = '';
  for (let at = 0; at < message.length; at += 1) {
    if (!isValue[at]) left += message.charAt(at);
    else if (at === 0 || !isValue[at - 1]) left += '…';
  }
  return left;
}

/** Marks each place where `message` contains `form`, or ends with the beginning of `form`. */
function markValue(form: string, message: string, isValue: Uint8Array): void {
  const head = form.slice(0, MIN_VALUE_LENGTH);
  for (let at = message.indexOf(head); at >= 0; at = message.indexOf(head, at + 1)) {
    const there = message.slice(at, at + form.length);
    if (form.startsWith(there)) isValue.fill(1, at, at + there.length);
  }
}

/**
 * Returns `text` in lower case, with the same length: without the replacements, İ would become two characters, and the
 * lower case of Σ would depend on its place in the word.
 */
function fold(text: string): string {
  return text.replaceAll('İ', 'i').toLowerCase().replaceAll('ς', 'σ');
}

/** Returns the texts and numbers of the event, except those that logs may hold. */
function valuesOf({ event, json }: FailedJob): string[] {
  const { type, id, host, service, change } = event;
  const resourceType = event.service === 'fhir' ? event.resourceType : '';
  const loggable = [type, id, host, service, change, resourceType, ...TECHNICAL];
  const loggableParts = new Set(loggable.flatMap((value) => partsOf(value.toLowerCase())));
  const found = new Set<string>();
  const pending: unknown[] = [JSON.parse(json), event];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next === 'object' && next !== null) for (const value of Object.values(next)) pending.push(value);
    else if (typeof next === 'string' || typeof next === 'number') {
      for (const part of partsOf(String(next))) {
        if (part.length >= MIN_VALUE_LENGTH && !loggableParts.has(part.toLowerCase())) found.add(part);
      }
    }
  }
  return [...found];
}

function partsOf(text: string): string[] {
  return [text, ...text.split('/')];
}
