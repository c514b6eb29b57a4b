import { MAX_EVENT_BYTES } from '../events/accept.js';
import type { Problem } from '../events/invalid-event-error.js';
import { EVENT_TYPES } from '../events/kinds.js';

const TEXT = 'a text of 1 to 1,024 characters';
const VERSION = 'a whole number from 0 to 9,007,199,254,740,991';
const HOST = 'the host name of the service, up to 300 characters';
const TYPE = `one of ${EVENT_TYPES.join(', ')}`;
const SOURCE = 'the resource id of the workspace, up to 2,048 characters';
const TIME = 'a time such as 2026-03-14T12:00:00Z';
const UID = 'a DICOM UID, a text of 1 to 256 characters';

/** The expected value of each field of an event, by the last part of its path. */
const EXPECTED: Readonly<Record<string, string>> = {
  '(event)': `an object of up to ${MAX_EVENT_BYTES / 1024} KiB`,
  id: TEXT,
  topic: SOURCE,
  source: SOURCE,
  eventType: TYPE,
  type: TYPE,
  eventTime: TIME,
  time: TIME,
  specversion: '1.0',
  data: 'an object',
  resourceType: 'the name of a FHIR resource type, up to 128 characters',
  resourceFhirId: TEXT,
  resourceVersionId: VERSION,
  resourceFhirAccount: HOST,
  imageStudyInstanceUid: UID,
  imageSeriesInstanceUid: UID,
  imageSopInstanceUid: UID,
  partitionName: 'a text of 1 to 128 characters',
  sequenceNumber: VERSION,
  serviceHostName: HOST,
};

const FOUND: Readonly<Record<string, string>> = {
  missing: 'is missing',
  'invalid-type': 'has the wrong type',
  'invalid-value': 'has a value that is not allowed',
  'invalid-format': 'has the wrong format',
  'too-small': 'is empty or too small',
  'too-big': 'is too long or too large',
  'too-large': 'is too large',
  'forbidden-key': 'must not be there',
  unreadable: 'cannot be read',
  'not-listed': 'is not in WORKSPACES',
};

/** Returns a problem of an event in words: what is wrong, and what is allowed. It quotes no value (P2). */
export function textOfProblem({ path, code }: Problem): string {
  const expected = code === 'forbidden-key' ? undefined : EXPECTED[path.split('.').at(-1) ?? ''];
  return `${path} ${FOUND[code] ?? `is wrong (${code})`}${expected === undefined ? '' : `, must be ${expected}`}`;
}
