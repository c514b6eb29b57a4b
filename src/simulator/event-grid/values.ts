import * as z from 'zod';
import { isFields } from '../../workflow.js';

// Schemas for the values in a subscription. The message of a problem says what is expected, and what was found.

const MAX_SHOWN = 100;
const MAX_LENGTH = 2048;

/** Returns the error option of a schema; `what` is what the schema expects. */
export function expected(what: string) {
  return { error: ({ input }: { readonly input?: unknown }) => messageOf(what, input) };
}

/** Returns the schema of a text that is not empty. */
export function text(maxLength = MAX_LENGTH) {
  return z
    .string(expected('a text'))
    .min(1, expected('a text'))
    .max(maxLength, expected(`at most ${maxLength} characters`));
}

/** The schema of a text that is empty where it is absent. */
export const anyText = z
  .string(expected('a text'))
  .max(MAX_LENGTH, expected(`at most ${MAX_LENGTH} characters`))
  .default('');

/** The schema of a property that is false if it is absent. */
export const flag = z.boolean(expected('true or false')).default(false);

/** The schema of a list of texts. A wrong text is a problem of the whole list. */
export const texts = z.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  expected('a list of texts'),
);

/** Returns the schema of a whole number. */
export function whole(from: number, to: number) {
  const error = expected(`a whole number from ${from} to ${to}`);
  return z.int(error).min(from, error).max(to, error);
}

/** Returns the schema of an object; other properties are left out. */
export function object<S extends z.ZodRawShape>(shape: S) {
  return z.object(shape, expected('an object'));
}

/** Returns the schema of an object that is empty where it is absent, so that each property that is missing is a problem. */
export function properties<S extends z.ZodRawShape>(shape: S) {
  return object(shape).prefault({} as z.input<z.ZodObject<S>>);
}

/** Returns the schema of one of the words, in any case. */
export function word<const W extends string>(...words: readonly W[]) {
  return z.preprocess((value) => wordLike(value, words), z.enum(words, expected(words.join(' or '))));
}

/** Returns the schema of an object in one of several forms: its property `name`, one of the words in any case, says which. */
export function formBy<F extends z.core.$ZodTypeDiscriminable>(
  name: string,
  words: readonly string[],
  forms: readonly F[],
) {
  const union = z.discriminatedUnion(name, forms as readonly [F, ...F[]], {
    error: ({ code, input }) =>
      code === 'invalid_union' ? messageOf(words.join(' or '), Object(input)[name]) : messageOf('an object', input),
  });
  const fold = (value: unknown) => (isFields(value) ? { ...value, [name]: wordLike(value[name], words) } : value);
  return z.preprocess(fold, union);
}

function wordLike(value: unknown, words: readonly string[]): unknown {
  return words.find((word) => typeof value === 'string' && word.toLowerCase() === value.toLowerCase()) ?? value;
}

function messageOf(what: string, found: unknown): string {
  const shown = JSON.stringify(found) ?? 'nothing';
  return `expected ${what}, found ${shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown}`;
}
