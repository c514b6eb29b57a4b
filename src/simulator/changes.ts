import type { Change } from '../workflow.js';

/** A change in a simulated service; Event Grid makes an event of it. */
export type ServiceChange = FhirChange | DicomChange;

/** A change of a FHIR resource. `version` is the version that the change made. */
export type FhirChange = {
  readonly service: 'fhir';
  readonly change: Change;
  readonly host: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly version: number;
  readonly at: Date;
};

/** The names of one image. */
export type ImageName = {
  readonly partition: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly instanceUid: string;
};

/** A change of an image. `sequenceNumber` is the number of the change in the service's change feed. */
export type DicomChange = ImageName & {
  readonly service: 'dicom';
  readonly change: Change;
  readonly host: string;
  readonly sequenceNumber: number;
  readonly at: Date;
};

/** Takes changes that were made together, in the service's order. Never throws, and never waits. */
export type Publish = (changes: readonly ServiceChange[]) => void;
