import { z } from 'zod';
import { toIsoUtc } from './time.js';

/** An object whose keys are yet to be looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/** The longest event id and resource id. FHIR allows a resource 64 characters; services in the wild store more. */
const MAX_ID_LENGTH = 1024;
/** An Azure resource id has some 300 characters at most; CloudEvents allows any URI. */
const MAX_SOURCE_LENGTH = 2048;
/** A DNS name has 253 at most; a port may follow. */
const MAX_HOST_LENGTH = 300;
/** DICOM allows a UID 64 characters. */
const MAX_UID_LENGTH = 256;
const MAX_NAME_LENGTH = 128;
const MAX_TIME_LENGTH = 64;
/** Nothing that could leave its segment of a URL, or make a metric's label unreadable. R4 need not know the type. */
const RESOURCE_TYPE = /^[A-Za-z][A-Za-z0-9_-]*$/;
/** The digits of the largest safe integer, leading zeros aside. */
const WHOLE_NUMBER = /^\d{1,16}$/;
const SOME_OBJECT = Object.freeze({});

export const id = text(MAX_ID_LENGTH);
export const source = text(MAX_SOURCE_LENGTH);
export const uid = text(MAX_UID_LENGTH);
export const resourceType = text(MAX_NAME_LENGTH).regex(RESOURCE_TYPE);

/** Lower-cased: DNS compares without case, and so must the list of hosts that may be sent a token. */
export const host = text(MAX_HOST_LENGTH).toLowerCase();

/** Where an event names none, `readDicomData` has put in `Microsoft.Default`. */
export const partition = text(MAX_NAME_LENGTH);

/**
 * A safe integer from 0. A larger one has lost digits on its way through the host, and an order of versions that rests
 * on lost digits is none.
 */
export const version = z.int().nonnegative();

/** In whatever spelling; comes out as `toIsoUtc` spells it. */
export const time = z
  .string()
  .max(MAX_TIME_LENGTH, { abort: true })
  .check((payload) => {
    const iso = toIsoUtc(payload.value);
    if (iso !== undefined) payload.value = iso;
    else payload.issues.push({ code: 'invalid_format', format: 'datetime', input: payload.value });
  });

/**
 * The first of two values that is there; null counts as absent. No field is an object, and to look at one might run
 * code of a sender's (a proxy, a getter): what comes after only sees that it was one.
 */
export function first(one: unknown, other?: unknown): unknown {
  const value = one ?? other ?? undefined;
  return typeof value === 'object' || typeof value === 'function' ? SOME_OBJECT : value;
}

/** The number that digits stand for: some senders write versions as strings. Anything else stays what it is. */
export function fromDigits(value: unknown): unknown {
  if (typeof value === 'string' && WHOLE_NUMBER.test(value)) return Number(value);
  return value === 0 ? 0 : value; // -0 is no version of its own
}

/** From 1 to `maxLength` characters. One check for both bounds: with `.min` and `.max` a parse takes half as long again. */
function text(maxLength: number) {
  return z.string().check(({ value, issues }) => {
    if (value.length === 0) issues.push({ code: 'too_small', origin: 'string', minimum: 1, input: value });
    if (value.length > maxLength) issues.push({ code: 'too_big', origin: 'string', maximum: maxLength, input: value });
  });
}
