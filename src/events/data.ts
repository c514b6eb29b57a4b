import { type Fields, first, fromDigits, host, id, partition, resourceType, uid, version } from './fields.js';

/** The fields of `data` in the three FHIR events. */
export const fhirData = {
  shape: { resourceType, resourceId: id, version, host },
  paths: {
    resourceType: 'data.resourceType',
    resourceId: 'data.resourceFhirId',
    version: 'data.resourceVersionId',
    host: 'data.resourceFhirAccount',
  },
};

/** The fields of `data` in the three DICOM events. */
export const dicomData = {
  shape: { studyUid: uid, seriesUid: uid, instanceUid: uid, partition, version, host },
  paths: {
    studyUid: 'data.imageStudyInstanceUid',
    seriesUid: 'data.imageSeriesInstanceUid',
    instanceUid: 'data.imageSopInstanceUid',
    partition: 'data.partitionName',
    version: 'data.sequenceNumber',
    host: 'data.serviceHostName',
  },
};

/** Returns the fields of FHIR data, read in camelCase or in the PascalCase of the first specification. */
export function readFhirData(data: Fields) {
  return {
    resourceType: first(data.resourceType, data.ResourceType),
    resourceId: first(data.resourceFhirId, data.ResourceFhirId),
    version: fromDigits(first(data.resourceVersionId, data.ResourceVersionId)),
    host: first(data.resourceFhirAccount, data.ResourceFhirAccount),
  };
}

/** Returns the fields of DICOM data, read as `readFhirData` does. */
export function readDicomData(data: Fields) {
  return {
    studyUid: first(data.imageStudyInstanceUid, data.ImageStudyInstanceUid),
    seriesUid: first(data.imageSeriesInstanceUid, data.ImageSeriesInstanceUid),
    instanceUid: first(data.imageSopInstanceUid, data.ImageSopInstanceUid),
    // An absent or empty name means the default partition.
    partition: first(data.partitionName, data.PartitionName) || 'Microsoft.Default',
    version: fromDigits(first(data.sequenceNumber, data.SequenceNumber)),
    host: first(data.serviceHostName, data.ServiceHostName),
  };
}
