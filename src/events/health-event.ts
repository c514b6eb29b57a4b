/** An event of Azure Health Data Services: which resource or image changed, how, and when. It has no content. */
export type HealthEvent = FhirEvent | DicomEvent;

export type Change = 'created' | 'updated' | 'deleted';

type Envelope = {
  readonly id: string;
  /** The Azure resource id of the workspace, as received. Azure compares these ids without case. */
  readonly source: string;
  /** ISO 8601, UTC, milliseconds; undefined if the event has no time. */
  readonly time: string | undefined;
};

export type FhirEvent<R extends string = string, C extends Change = Change> = Envelope & {
  readonly service: 'fhir';
  readonly type: `Microsoft.HealthcareApis.FhirResource${Capitalize<C>}`;
  readonly change: C;
  readonly resourceType: R;
  readonly resourceId: string;
  readonly version: number;
  /** The host name of the service, in lower case. */
  readonly host: string;
};

export type DicomEvent<C extends Change = Change> = Envelope & {
  readonly service: 'dicom';
  readonly type: `Microsoft.HealthcareApis.DicomImage${Capitalize<C>}`;
  readonly change: C;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly instanceUid: string;
  /** The data partition; `Microsoft.Default` if the event names none. */
  readonly partition: string;
  /** The sequence number, which rises with every change in the service. */
  readonly version: number;
  /** The host name of the service, in lower case. */
  readonly host: string;
};
