import type { Change } from '../workflow.js';

/** What a simulated service tells after something stored in it has changed; an event is made of it. */
export type ServiceChange = FhirChange | DicomChange;

export type FhirChange = {
  readonly service: 'fhir';
  readonly change: Change;
  readonly host: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly version: number;
  readonly at: Date;
};

export type DicomChange = {
  readonly service: 'dicom';
  readonly change: Change;
  readonly host: string;
  readonly partition: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly instanceUid: string;
  readonly sequenceNumber: number;
  readonly at: Date;
};

/** Takes what changed together, in the order in which the service tells it. Never throws, and never waits. */
export type Publish = (changes: readonly ServiceChange[]) => void;
