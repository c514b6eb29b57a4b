import type {
  HealthcareDicomImageUpdatedEventData,
  HealthcareFhirResourceCreatedEventData,
  SystemEventNameToEventData,
} from '@azure/eventgrid';
import { parseEvent } from '../../src/events/parse.js';

// Microsoft's own types of the data. The predicates of its package 5.12 cannot be used: two of their six names are wrong.

const fhir: Required<HealthcareFhirResourceCreatedEventData> = {
  resourceType: 'Patient',
  resourceFhirAccount: 'w-f.fhir.azurehealthcareapis.com',
  resourceFhirId: 'p1',
  resourceVersionId: 3,
};
const dicom: Required<HealthcareDicomImageUpdatedEventData> = {
  partitionName: 'research',
  imageStudyInstanceUid: '1.2',
  imageSeriesInstanceUid: '1.2.3',
  imageSopInstanceUid: '1.2.3.4',
  serviceHostName: 'w-d.dicom.azurehealthcareapis.com',
  sequenceNumber: 9,
};

describe("Microsoft's types", () => {
  it('given the data of an image event as typed, then every field is read', () => {
    const type = 'Microsoft.HealthcareApis.DicomImageUpdated' satisfies keyof SystemEventNameToEventData;
    const event = parseEvent({ specversion: '1.0', id: 'i', source: '/workspaces/w', type, data: dicom });

    expect(event).toMatchObject({
      partition: dicom.partitionName,
      studyUid: dicom.imageStudyInstanceUid,
      seriesUid: dicom.imageSeriesInstanceUid,
      instanceUid: dicom.imageSopInstanceUid,
      host: dicom.serviceHostName,
      version: dicom.sequenceNumber,
    });
  });

  it('given the data of a resource event, then every field is read', () => {
    const type = 'Microsoft.HealthcareApis.FhirResourceCreated' satisfies keyof SystemEventNameToEventData;
    const event = parseEvent({ specversion: '1.0', id: 'i', source: '/workspaces/w', type, data: fhir });

    expect(event).toMatchObject({
      resourceType: 'Patient',
      resourceId: 'p1',
      version: 3,
      host: fhir.resourceFhirAccount,
    });
  });
});
