import { TAG } from './dataset.js';
import { tagsOf } from './dictionary.js';

export type Level = 'study' | 'series' | 'instance';
type Tags = Readonly<Record<Level, readonly string[]>>;

/** The attributes that the index holds of studies and series. With the UIDs, API v2 returns them by default. */
export const STUDY_TAGS = tagsOf(
  'StudyDate AccessionNumber ReferringPhysicianName StudyDescription PatientName PatientID PatientBirthDate',
);
export const SERIES_TAGS = tagsOf('Modality ManufacturerModelName PerformedProcedureStepStartDate');

/** The attributes that a search returns even if `includefield` does not name them. */
export const BY_DEFAULT: Tags = {
  study: [TAG.studyUid, ...STUDY_TAGS],
  series: [TAG.seriesUid, ...SERIES_TAGS],
  instance: [TAG.instanceUid],
};

/** The attributes that a search can filter by. */
export const SEARCHABLE: Tags = { ...BY_DEFAULT, study: [TAG.studyUid, TAG.modalitiesInStudy, ...STUDY_TAGS] };

/** The tag of NumberOfStudyRelatedInstances, which is counted for each answer. */
export const IMAGES_IN_STUDY = '00201208';
/** The tag of NumberOfSeriesRelatedInstances, which is counted for each answer. */
export const IMAGES_IN_SERIES = '00201209';

/** The attributes that `includefield=all` adds. */
export const ADDED_BY_ALL: Tags = {
  study: tagsOf(`SpecificCharacterSet StudyTime InstanceAvailability AnatomicRegionsInStudyCodeSequence
    TimezoneOffsetFromUTC ProcedureCodeSequence NameOfPhysiciansReadingStudy AdmittingDiagnosesDescription
    ReferencedStudySequence PatientSex PatientAge PatientSize PatientWeight Occupation AdditionalPatientHistory
    StudyID`),
  series: tagsOf(`SpecificCharacterSet SeriesDate SeriesTime TimezoneOffsetFromUTC SeriesDescription SeriesNumber
    Laterality PerformedProcedureStepStartTime RequestAttributesSequence`),
  instance: tagsOf(`SpecificCharacterSet SOPClassUID InstanceAvailability TimezoneOffsetFromUTC InstanceNumber
    NumberOfFrames Rows Columns BitsAllocated`),
};
