/** What Azure Health Data Services tells: which resource or image changed, how, and when. Never its content. */
export type HealthEvent = FhirEvent | DicomEvent;

export type Change = 'created' | 'updated' | 'deleted';

type Envelope = {
  readonly id: string;
  /** The Azure resource id of the workspace, as it came. Azure compares these without case. */
  readonly source: string;
  /** ISO 8601, UTC, milliseconds; undefined where the event gives none. */
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
  /** The data partition; `Microsoft.Default` where the event names none. */
  readonly partition: string;
  /** The sequence number: rises with every change of the service. */
  readonly version: number;
  /** The host name of the service, in lower case. */
  readonly host: string;
};
