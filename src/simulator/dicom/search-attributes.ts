import { TAG } from './dataset.js';

export type Level = 'study' | 'series' | 'instance';

/** The attributes that the index holds of studies and series. With the UIDs, API v2 returns them by default. */
export const STUDY_TAGS: readonly string[] = [
  '00080020', // StudyDate
  '00080050', // AccessionNumber
  '00080090', // ReferringPhysicianName
  '00081030', // StudyDescription
  '00100010', // PatientName
  TAG.patientId,
  '00100030', // PatientBirthDate
];
export const SERIES_TAGS: readonly string[] = [
  TAG.modality,
  '00081090', // ManufacturerModelName
  '00400244', // PerformedProcedureStepStartDate
];

export const UNASKED: Readonly<Record<Level, readonly string[]>> = {
  study: [TAG.studyUid, ...STUDY_TAGS],
  series: [TAG.seriesUid, ...SERIES_TAGS],
  instance: [TAG.instanceUid],
};

/** The attributes that a search can filter by. */
export const SEARCHABLE: Readonly<Record<Level, readonly string[]>> = {
  study: [TAG.studyUid, TAG.modalitiesInStudy, ...STUDY_TAGS],
  series: [TAG.seriesUid, ...SERIES_TAGS],
  instance: [TAG.instanceUid],
};

export const IMAGES_IN_STUDY = '00201208';
export const IMAGES_IN_SERIES = '00201209';

/** The attributes that `includefield=all` adds. */
export const FURTHER: Readonly<Record<Level, readonly string[]>> = {
  study: [
    '00080005', // SpecificCharacterSet
    '00080030', // StudyTime
    '00080056', // InstanceAvailability
    '00080063', // AnatomicRegionsInStudyCodeSequence
    '00080201', // TimezoneOffsetFromUTC
    '00081032', // ProcedureCodeSequence
    '00081060', // NameOfPhysiciansReadingStudy
    '00081080', // AdmittingDiagnosesDescription
    '00081110', // ReferencedStudySequence
    '00100040', // PatientSex
    '00101010', // PatientAge
    '00101020', // PatientSize
    '00101030', // PatientWeight
    '00102180', // Occupation
    '001021B0', // AdditionalPatientHistory
    '00200010', // StudyID
  ],
  series: [
    '00080005', // SpecificCharacterSet
    '00080021', // SeriesDate
    '00080031', // SeriesTime
    '00080201', // TimezoneOffsetFromUTC
    '0008103E', // SeriesDescription
    '00200011', // SeriesNumber
    '00200060', // Laterality
    '00400245', // PerformedProcedureStepStartTime
    '00400275', // RequestAttributesSequence
  ],
  instance: [
    '00080005', // SpecificCharacterSet
    '00080016', // SOPClassUID
    '00080056', // InstanceAvailability
    '00080201', // TimezoneOffsetFromUTC
    '00200013', // InstanceNumber
    '00280008', // NumberOfFrames
    '00280010', // Rows
    '00280011', // Columns
    '00280100', // BitsAllocated
  ],
};
