import * as z from 'zod';
import { dicomData, fhirData, readDicomData, readFhirData } from './data.js';
import { cloudEvents, type Envelope, eventGrid, readEnvelope } from './envelope.js';
import type { Fields } from './fields.js';
import type { DicomEvent, FhirEvent, HealthEvent } from './health-event.js';
import { InvalidEventError, type InvalidReason, type Problem } from './invalid-event-error.js';
import { type DicomKind, type FhirKind, type Kind, kindOf } from './kinds.js';

/** The path of a problem that concerns the whole event. */
const EVENT = '(event)';
const PROTOTYPE_KEYS = ['__proto__', 'constructor', 'prototype'];
const NO_DATA = { shape: {}, paths: {} };

const SCHEMAS = { eventGrid: schemasOf(eventGrid), cloudEvents: schemasOf(cloudEvents) };

/**
 * Returns the event in `raw`, in Event Grid's schema or as a CloudEvent, frozen and in one spelling.
 * @throws InvalidEventError, and no other error, with all problems of the event.
 */
export function parseEvent(raw: unknown): HealthEvent {
  const { kind, reason, fields, problems } = readSafely(raw);
  const schemas = fields.specversion === undefined ? SCHEMAS.eventGrid : SCHEMAS.cloudEvents;
  switch (kind?.service) {
    case 'fhir': {
      const checked = check(schemas.fhir, fields, problems);
      if (checked !== undefined) return fhirEvent(kind, checked);
      break;
    }
    case 'dicom': {
      const checked = check(schemas.dicom, fields, problems);
      if (checked !== undefined) return dicomEvent(kind, checked);
      break;
    }
    default:
      check(schemas.envelope, fields, problems);
  }
  throw new InvalidEventError(reason, problems);
}

type FhirFields = z.output<typeof SCHEMAS.eventGrid.fhir.schema>;
type DicomFields = z.output<typeof SCHEMAS.eventGrid.dicom.schema>;

// Every value is a string or a number, so freezing the event freezes all of it.
function fhirEvent({ service, change, type }: FhirKind, fields: FhirFields): FhirEvent {
  const { id, source, time, resourceType, resourceId, version, host } = fields;
  return Object.freeze({ service, change, type, id, source, time, resourceType, resourceId, version, host });
}

function dicomEvent({ service, change, type }: DicomKind, fields: DicomFields): DicomEvent {
  const { id, source, time, studyUid, seriesUid, instanceUid, partition, version, host } = fields;
  const event = { service, change, type, id, source, time, studyUid, seriesUid, instanceUid, partition, version, host };
  return Object.freeze(event);
}

type Reading = {
  /** Undefined if there is no data to check, or the type of the event is unknown. */
  readonly kind: Kind | undefined;
  /** The reason of the InvalidEventError if there are problems. */
  readonly reason: InvalidReason;
  readonly fields: Fields;
  /** Grows as the event is checked. */
  readonly problems: Problem[];
};

/** Only this function can run foreign code (a getter, a proxy). The later steps work on a copy. */
function readSafely(raw: unknown): Reading {
  let found: Reading | 'invalid-type' | 'unreadable' = 'unreadable';
  try {
    found = isObject(raw) ? read(raw) : 'invalid-type';
  } catch {
    // The thrown value may contain the payload, so it is not passed on.
  }
  if (typeof found === 'string') throw new InvalidEventError('invalid', [{ path: EVENT, code: found }]);
  return found;
}

function read(raw: Fields): Reading {
  const envelope = readEnvelope(raw);
  const kind = kindOf(envelope.type);
  const reason = kind === undefined && typeof envelope.type === 'string' ? 'unknown-type' : 'invalid';
  const problems: Problem[] = [];
  forbidPrototypeKeys(raw, '', problems);
  const { data } = raw;
  if (!isObject(data)) {
    problems.push({ path: 'data', code: data === undefined ? 'missing' : 'invalid-type' });
    return { kind: undefined, reason, fields: envelope, problems };
  }
  forbidPrototypeKeys(data, 'data.', problems);
  const fields = { ...envelope, ...(kind?.service === 'fhir' ? readFhirData(data) : readDicomData(data)) };
  return { kind, reason, fields, problems };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Such keys are an attack: later code may merge the raw event into an object. */
function forbidPrototypeKeys(object: Fields, prefix: string, problems: Problem[]): void {
  for (const key of PROTOTYPE_KEYS) {
    if (Object.hasOwn(object, key)) problems.push({ path: prefix + key, code: 'forbidden-key' });
  }
}

type Data<D extends z.ZodRawShape> = { readonly shape: D; readonly paths: Readonly<Record<string, string>> };

/** Returns one flat schema for each kind of data, so that a parse is one pass over one object. */
function schemasOf(envelope: Envelope) {
  return { fhir: flat(envelope, fhirData), dicom: flat(envelope, dicomData), envelope: flat(envelope, NO_DATA) };
}

function flat<D extends z.ZodRawShape>(envelope: Envelope, data: Data<D>) {
  return { schema: z.object({ ...envelope.shape, ...data.shape }), paths: { ...envelope.paths, ...data.paths } };
}

/** Returns the parsed fields, or undefined if there are problems, new or earlier ones. */
function check<S extends z.ZodType>(
  { schema, paths }: { schema: S; paths: Readonly<Record<string, string>> },
  fields: Fields,
  problems: Problem[],
): z.output<S> | undefined {
  const result = schema.safeParse(fields);
  if (result.success) return problems.length === 0 ? result.data : undefined;
  for (const issue of result.error.issues) {
    const field = String(issue.path[0]);
    problems.push({
      path: paths[field] ?? field,
      code: fields[field] === undefined ? 'missing' : issue.code.replaceAll('_', '-'),
    });
  }
  return undefined;
}
