import * as z from 'zod';
import { toIsoUtc } from './time.js';

/** An object whose properties have not been checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** For an event id and a resource id. FHIR allows 64 characters for a resource id; some services store more. */
const MAX_ID_LENGTH = 1024;
/** An Azure resource id has up to about 300 characters; CloudEvents allows any URI. */
const MAX_SOURCE_LENGTH = 2048;
/** A DNS name has up to 253 characters; a port may follow. */
const MAX_HOST_LENGTH = 300;
/** DICOM allows a UID 64 characters. */
const MAX_UID_LENGTH = 256;
const MAX_NAME_LENGTH = 128;
const MAX_TIME_LENGTH = 64;
/**
 * Only characters that stay in one segment of a URL and are readable as a metric's label. Types beyond R4 are allowed.
 */
const RESOURCE_TYPE = /^[A-Za-z][A-Za-z0-9_-]*$/;
/** As many digits as the largest safe integer has. */
const WHOLE_NUMBER = /^\d{1,16}$/;
const SOME_OBJECT = Object.freeze({});

export const id = text(MAX_ID_LENGTH);
export const source = text(MAX_SOURCE_LENGTH);
export const uid = text(MAX_UID_LENGTH);
export const resourceType = text(MAX_NAME_LENGTH).regex(RESOURCE_TYPE);

/** In lower case: DNS compares without case, and so must the list of hosts that may get a token. */
export const host = text(MAX_HOST_LENGTH).toLowerCase();

/** `readDicomData` replaces an absent name by `Microsoft.Default`. */
export const partition = text(MAX_NAME_LENGTH);

/** A safe integer from 0. A larger number has lost digits in the host, so versions could not be compared. */
export const version = z.int().nonnegative();

/** A time in any spelling that `toIsoUtc` reads; the output is in the spelling of `toIsoUtc`. */
export const time = z
  .string()
  .max(MAX_TIME_LENGTH, { abort: true })
  .check((payload) => {
    const iso = toIsoUtc(payload.value);
    if (iso !== undefined) payload.value = iso;
    else payload.issues.push({ code: 'invalid_format', format: 'datetime', input: payload.value });
  });

/**
 * Returns the first of two values that is present; null counts as absent. No valid field is an object. An object is
 * replaced by an empty one, because reading it could run foreign code (a proxy, a getter).
 */
export function first(one: unknown, other?: unknown): unknown {
  const value = one ?? other ?? undefined;
  return typeof value === 'object' || typeof value === 'function' ? SOME_OBJECT : value;
}

/**
 * Returns the number that a string of digits means, since some senders write versions as strings. Else `value` itself.
 */
export function fromDigits(value: unknown): unknown {
  if (typeof value === 'string' && WHOLE_NUMBER.test(value)) return Number(value);
  return value === 0 ? 0 : value; // -0 equals 0 as a version
}

/** From 1 to `maxLength` characters. One check for both bounds: `.min` and `.max` make a parse 1.5 times as slow. */
function text(maxLength: number) {
  return z.string().check(({ value, issues }) => {
    if (value.length === 0) issues.push({ code: 'too_small', origin: 'string', minimum: 1, input: value });
    if (value.length > maxLength) issues.push({ code: 'too_big', origin: 'string', maximum: maxLength, input: value });
  });
}
