import type { RawEvent } from '../events/accept.js';
import type { Change, HealthEvent } from '../events/health-event.js';

/** A change that a service's history names. `time` is when the service made it (ISO 8601, UTC, milliseconds). */
export type FoundChange = FoundFhirChange | FoundDicomChange;

type ChangeFields = {
  /** The host name of the service, in lower case. */
  readonly host: string;
  readonly change: Change;
  readonly time: string;
  /** The version of the resource; for DICOM, the sequence number of the change feed. */
  readonly version: number;
};
export type FoundFhirChange = ChangeFields & FhirResourceName;
export type FoundDicomChange = ChangeFields & DicomImageName;

/** A resource or an image, without a version. */
export type ResourceName = Pick<ChangeFields, 'host'> & (FhirResourceName | DicomImageName);

type FhirResourceName = { readonly service: 'fhir'; readonly resourceType: string; readonly resourceId: string };
type DicomImageName = {
  readonly service: 'dicom';
  readonly partition: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly instanceUid: string;
};

/** The changes that the app knows. Both calls throw a StorageError if storage fails, and are safe to repeat. */
export type KnownChanges = {
  /** Returns whether a job of any workflow, or of the named one, has the change. Usually one storage request. */
  isKnown(event: HealthEvent, workflow?: string): Promise<boolean>;
  /** Adds a row to `waiting`: a delivery of the event to all workflows, or a job of the named one. */
  bringIn(event: RawEvent, workflow?: string): Promise<void>;
};
