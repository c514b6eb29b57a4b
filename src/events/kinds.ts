import type { DicomEvent, FhirEvent } from './health-event.js';

type KindFields = 'service' | 'change' | 'type';
export type FhirKind = Pick<FhirEvent, KindFields>;
export type DicomKind = Pick<DicomEvent, KindFields>;
export type Kind = FhirKind | DicomKind;

const KINDS: readonly Kind[] = [
  { service: 'fhir', change: 'created', type: 'Microsoft.HealthcareApis.FhirResourceCreated' },
  { service: 'fhir', change: 'updated', type: 'Microsoft.HealthcareApis.FhirResourceUpdated' },
  { service: 'fhir', change: 'deleted', type: 'Microsoft.HealthcareApis.FhirResourceDeleted' },
  { service: 'dicom', change: 'created', type: 'Microsoft.HealthcareApis.DicomImageCreated' },
  { service: 'dicom', change: 'updated', type: 'Microsoft.HealthcareApis.DicomImageUpdated' },
  { service: 'dicom', change: 'deleted', type: 'Microsoft.HealthcareApis.DicomImageDeleted' },
];
const BY_TYPE: ReadonlyMap<unknown, Kind> = new Map(KINDS.map((kind) => [kind.type, kind]));

/** The six event types of Azure Health Data Services. */
export const EVENT_TYPES = KINDS.map((kind) => kind.type);

const PREFIX = 'Microsoft.HealthcareApis.';

/** Returns `type`, or several types with spaces between, without the prefix that all event types share. */
export function shortType(type: string): string {
  return type.replaceAll(PREFIX, '');
}

/** Returns the event type that a person means: `FhirResourceCreated` is enough. */
export function fullType(type: string): string {
  return type.includes('.') ? type : PREFIX + type;
}

/** Returns the event type of a change. */
export function typeOf({ service, change }: Pick<Kind, 'service' | 'change'>): Kind['type'] {
  return (KINDS.find((kind) => kind.service === service && kind.change === change) as Kind).type;
}

/** Returns service and change of an event type; undefined for any other value. */
export function kindOf(type: unknown): Kind | undefined {
  return BY_TYPE.get(type);
}
