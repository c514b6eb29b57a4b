import type { Written } from '../event-grid/topic-event.js';

/** A way to spoil a written event, in either schema; `service` where only events of one service can be spoilt so. */
export type Malformation = {
  readonly name: string;
  readonly service?: 'fhir' | 'dicom';
  readonly spoil: (written: Written) => Written;
};

/** The fields of an envelope, by their names in Event Grid's schema and in CloudEvents. */
const ENVELOPE = { id: ['id'], source: ['topic', 'source'], type: ['eventType', 'type'], data: ['data'] };
const TIME = ['eventTime', 'time'];

type Wrong = readonly (readonly [what: string, value: unknown])[];

const NO_VALUE: Wrong = [
  ['an object', {}],
  ['true', true],
];
const ABSENT: Wrong = [
  ['absent', undefined],
  ['null', null],
];
const EMPTY = ['empty', ''] as const;
const NO_VERSION: Wrong = [
  ...ABSENT,
  ...NO_VALUE,
  ['negative', -1],
  ['a fraction', 1.5],
  ['no number', 'one'],
  ['too large', '9007199254740993'],
];
const NO_UID: Wrong = [...ABSENT, ...NO_VALUE, EMPTY, ['too long', '1'.repeat(257)]];
const NO_HOST: Wrong = [...ABSENT, ...NO_VALUE, EMPTY, ['too long', 'h'.repeat(301)]];

const FHIR_DATA: Readonly<Record<string, Wrong>> = {
  resourceType: [...ABSENT, ...NO_VALUE, ['with a slash', 'Pati/ent'], ['too long', `P${'t'.repeat(128)}`]],
  resourceFhirId: [...ABSENT, ...NO_VALUE, EMPTY, ['too long', 'r'.repeat(1025)]],
  resourceFhirAccount: NO_HOST,
  resourceVersionId: NO_VERSION,
};

const DICOM_DATA: Readonly<Record<string, Wrong>> = {
  imageStudyInstanceUid: NO_UID,
  imageSeriesInstanceUid: NO_UID,
  imageSopInstanceUid: NO_UID,
  partitionName: [...NO_VALUE, ['too long', 'p'.repeat(129)]],
  serviceHostName: NO_HOST,
  sequenceNumber: NO_VERSION,
};

/**
 * All kinds of events that the app's parser rejects and that Event Grid could deliver. The list has no text, number or
 * array in place of an event: the Functions host refuses such a POST before the app sees it.
 */
export const MALFORMED: readonly Malformation[] = [
  ...Object.entries(ENVELOPE).flatMap(([what, names]) => [
    { name: `no ${what}`, spoil: (event: Written) => without(event, names) },
    { name: `${what} null`, spoil: setTo(names, null) },
    ...wrongTexts(what, names),
  ]),
  ...wrongTexts('time', TIME), // the time is optional in CloudEvents
  { name: 'id too long', spoil: setTo(ENVELOPE.id, 'i'.repeat(1025)) },
  { name: 'source too long', spoil: setTo(ENVELOPE.source, `/${'t'.repeat(2048)}`) },
  { name: 'unknown type', spoil: setTo(ENVELOPE.type, 'Microsoft.Storage.BlobCreated') },
  { name: 'impossible time', spoil: setTo(TIME, '2026-02-30T25:61:00Z') },
  { name: 'another version of CloudEvents', spoil: (event) => ({ ...event, specversion: '0.3' }) },
  { name: 'too large', spoil: (event) => ({ ...event, padding: 'p'.repeat(33 * 1024) }) },
  { name: 'a prototype', spoil: (event) => withOwn(event, '__proto__') },
  { name: 'a constructor', spoil: (event) => withOwn(event, 'constructor') },
  { name: 'a prototype in data', spoil: (event) => ({ ...event, data: withOwn(dataOf(event), '__proto__') }) },
  ...Object.entries(FHIR_DATA).flatMap(([field, wrong]) => inData('fhir', field, wrong)),
  ...Object.entries(DICOM_DATA).flatMap(([field, wrong]) => inData('dicom', field, wrong)),
];

/** A valid event from another workspace, for an app that lists its workspaces. */
export const OF_ANOTHER_WORKSPACE: Malformation = {
  name: 'another workspace',
  spoil: setTo(
    ENVELOPE.source,
    '/subscriptions/0/resourceGroups/other/providers/Microsoft.HealthcareApis/workspaces/other',
  ),
};

function wrongTexts(what: string, names: readonly string[]): Malformation[] {
  return [
    { name: `${what} a number`, spoil: setTo(names, 42) },
    { name: `${what} an array`, spoil: setTo(names, ['x']) },
    { name: `${what} empty`, spoil: setTo(names, '') },
  ];
}

function inData(service: 'fhir' | 'dicom', field: string, wrong: Wrong): Malformation[] {
  return wrong.map(([what, value]) => ({
    name: `${field} ${what}`,
    service,
    spoil: (event) => ({
      ...event,
      data: value === undefined ? without(dataOf(event), [field]) : { ...dataOf(event), [field]: value },
    }),
  }));
}

/** Sets the fields of these names that the event has. */
function setTo(names: readonly string[], value: unknown): (event: Written) => Written {
  return (event) => ({
    ...event,
    ...Object.fromEntries(names.filter((name) => Object.hasOwn(event, name)).map((name) => [name, value])),
  });
}

function dataOf(event: Written): Written {
  return (event.data ?? {}) as Written;
}

function without(fields: Written, names: readonly string[]): Written {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !names.includes(key)));
}

/** Adds an own property of that name, as JSON can have it. */
function withOwn(fields: Written, name: string): Written {
  return Object.defineProperty({ ...fields }, name, { value: { polluted: true }, enumerable: true });
}
