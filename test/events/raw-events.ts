import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

/** The content of an event, independent of the schema in which it is written. */
export type Facts = {
  id: string;
  workspace: string;
  change: 'Created' | 'Updated' | 'Deleted';
  /** Milliseconds since 1970. */
  timeMs: number;
  version: number;
  host: string;
} & (
  | { service: 'fhir'; resourceType: string; resourceId: string }
  | { service: 'dicom'; studyUid: string; seriesUid: string; instanceUid: string; partition: string }
);

/** One of the many ways to write the same facts down. */
export type Spelling = {
  envelope: 'eventGrid' | 'cloudEvents' | 'hybrid';
  isPascal: boolean;
  isVersionText: boolean;
  /** Whether the default partition is left out. Another partition is always written. */
  isPartitionLeftOut: boolean;
  isUpperCase: boolean;
  fraction: '' | '0' | '9999' | '000000';
  offsetMinutes: number | 'none';
};

export const plainSpelling: Spelling = {
  envelope: 'eventGrid',
  isPascal: false,
  isVersionText: false,
  isPartitionLeftOut: false,
  isUpperCase: false,
  fraction: '9999',
  offsetMinutes: 0,
};

export type RawEvent = Record<string, unknown> & { data: Record<string, unknown> };

const token = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,20}$/);
const common = {
  id: fc.string({ minLength: 1, maxLength: 40 }),
  workspace: token.map((last) => `/subscriptions/s/resourceGroups/g/providers/p/workspaces/${last}`),
  change: fc.constantFrom('Created', 'Updated', 'Deleted'),
  timeMs: fc.integer({ min: Date.UTC(2010, 0, 1), max: Date.UTC(2105, 0, 1) }),
  version: fc.maxSafeNat(),
  host: token.map((first) => `${first}.fhir.azurehealthcareapis.com`),
} as const;

export const someFacts: fc.Arbitrary<Facts> = fc.oneof(
  fc.record({ ...common, service: fc.constant('fhir' as const), resourceType: name, resourceId: token }),
  fc.record({
    ...common,
    service: fc.constant('dicom' as const),
    studyUid: token,
    seriesUid: token,
    instanceUid: token,
    partition: fc.oneof(fc.constant('Microsoft.Default'), name),
  }),
);

export const someSpelling: fc.Arbitrary<Spelling> = fc.record({
  envelope: fc.constantFrom('eventGrid', 'cloudEvents', 'hybrid'),
  isPascal: fc.boolean(),
  isVersionText: fc.boolean(),
  isPartitionLeftOut: fc.boolean(),
  isUpperCase: fc.boolean(),
  fraction: fc.constantFrom('', '0', '9999', '000000'),
  offsetMinutes: fc.oneof(fc.integer({ min: -14 * 60, max: 14 * 60 }), fc.constant('none' as const)),
});

/** Returns the raw event with `facts` in `spelling`. */
export function write(facts: Facts, spelling: Spelling = plainSpelling): RawEvent {
  const source = spelling.isUpperCase ? facts.workspace.toUpperCase() : facts.workspace;
  const service = facts.service === 'fhir' ? 'FhirResource' : 'DicomImage';
  const type = `Microsoft.HealthcareApis.${service}${facts.change}`;
  const time = writeTime(facts.timeMs, spelling);
  const data = writeData(facts, spelling);
  switch (spelling.envelope) {
    case 'eventGrid':
      return { id: facts.id, topic: source, subject: 's', eventType: type, eventTime: time, dataVersion: '1', data };
    case 'cloudEvents':
      return { specversion: '1.0', id: facts.id, source, type, time, subject: 's', data };
    case 'hybrid':
      return { specVersion: '1.0', id: facts.id, source, eventType: type, eventTime: time, dataVersion: 2, data };
    default:
      throw new TypeError(`unhandled ${spelling.envelope satisfies never}`);
  }
}

function writeData(facts: Facts, spelling: Spelling): Record<string, unknown> {
  const version = spelling.isVersionText ? `${facts.version}` : facts.version;
  const host = spelling.isUpperCase ? facts.host.toUpperCase() : facts.host;
  const isPartitionLeftOut =
    spelling.isPartitionLeftOut && facts.service === 'dicom' && facts.partition === 'Microsoft.Default';
  const data =
    facts.service === 'fhir'
      ? {
          resourceType: facts.resourceType,
          resourceFhirAccount: host,
          resourceFhirId: facts.resourceId,
          resourceVersionId: version,
        }
      : {
          ...(isPartitionLeftOut ? {} : { partitionName: facts.partition }),
          imageStudyInstanceUid: facts.studyUid,
          imageSeriesInstanceUid: facts.seriesUid,
          imageSopInstanceUid: facts.instanceUid,
          serviceHostName: host,
          sequenceNumber: version,
        };
  if (!spelling.isPascal) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]),
  );
}

function writeTime(ms: number, { fraction, offsetMinutes }: Spelling): string {
  const minutes = offsetMinutes === 'none' ? 0 : offsetMinutes;
  const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1) + fraction;
  if (offsetMinutes === 'none') return local;
  if (offsetMinutes === 0) return `${local}Z`;
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${local}${minutes < 0 ? '-' : '+'}${`${hours}`.padStart(2, '0')}:${`${rest}`.padStart(2, '0')}`;
}

const SAMPLES = join(__dirname, 'samples');

/** The documentation's own examples: six types in two schemas. */
export const samples: readonly { file: string; raw: RawEvent }[] = readdirSync(SAMPLES).map((file) => ({
  file,
  raw: JSON.parse(readFileSync(join(SAMPLES, file), 'utf8')),
}));

export function sample(file: string): RawEvent {
  const found = samples.find((each) => each.file === file);
  if (found === undefined) throw new TypeError(`no sample ${file}`);
  return structuredClone(found.raw);
}
