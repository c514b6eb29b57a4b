import type { DicomEvent, FhirEvent, HealthEvent } from '../events/health-event.js';
import type { DicomReader } from './dicom-reader.js';
import type { FhirReader } from './fhir-reader.js';

/** The reader for the resource of events `E`. For events of both services, `resource.service` tells the readers apart. */
export type ReaderOf<E extends HealthEvent> =
  | ([Extract<E, FhirEvent>] extends [never] ? never : FhirReader<Extract<E, FhirEvent>['resourceType']>)
  | ([Extract<E, DicomEvent>] extends [never] ? never : DicomReader);
