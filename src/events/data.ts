import { type Fields, first, fromDigits, host, id, partition, resourceType, uid, version } from './fields.js';

/** `data` of the three FHIR types. */
export const fhirData = {
  shape: { resourceType, resourceId: id, version, host },
  paths: {
    resourceType: 'data.resourceType',
    resourceId: 'data.resourceFhirId',
    version: 'data.resourceVersionId',
    host: 'data.resourceFhirAccount',
  },
};

/** `data` of the three DICOM types. */
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

/** Takes the fields out, in camelCase or, as the first specification had them, in PascalCase. */
export function readFhirData(data: Fields) {
  return {
    resourceType: first(data.resourceType, data.ResourceType),
    resourceId: first(data.resourceFhirId, data.ResourceFhirId),
    version: fromDigits(first(data.resourceVersionId, data.ResourceVersionId)),
    host: first(data.resourceFhirAccount, data.ResourceFhirAccount),
  };
}

/** As `readFhirData`. */
export function readDicomData(data: Fields) {
  return {
    studyUid: first(data.imageStudyInstanceUid, data.ImageStudyInstanceUid),
    seriesUid: first(data.imageSeriesInstanceUid, data.ImageSeriesInstanceUid),
    instanceUid: first(data.imageSopInstanceUid, data.ImageSopInstanceUid),
    // Absent or empty is the partition that every service has, and so is its name.
    partition: first(data.partitionName, data.PartitionName) || 'Microsoft.Default',
    version: fromDigits(first(data.sequenceNumber, data.SequenceNumber)),
    host: first(data.serviceHostName, data.ServiceHostName),
  };
}
