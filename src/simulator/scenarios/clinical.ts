import type { Random } from '../../clock.js';
import { between, pick, type Resource } from './scenario.js';

type Measure = {
  code: string;
  text: string;
  unit: string;
  category: 'vital-signs' | 'laboratory';
  low: number;
  high: number;
  digits: number;
};

/** LOINC codes, with value ranges of a ward; some values are outside the normal range. */
const MEASURES: readonly Measure[] = [
  { code: '8867-4', text: 'Heart rate', unit: '/min', category: 'vital-signs', low: 45, high: 130, digits: 0 },
  { code: '8310-5', text: 'Body temperature', unit: 'Cel', category: 'vital-signs', low: 35.5, high: 40.2, digits: 1 },
  { code: '59408-5', text: 'Oxygen saturation', unit: '%', category: 'vital-signs', low: 86, high: 100, digits: 0 },
  { code: '2823-3', text: 'Potassium', unit: 'mmol/L', category: 'laboratory', low: 2.8, high: 6.6, digits: 1 },
  { code: '2339-0', text: 'Glucose', unit: 'mg/dL', category: 'laboratory', low: 55, high: 320, digits: 0 },
  { code: '2160-0', text: 'Creatinine', unit: 'mg/dL', category: 'laboratory', low: 0.5, high: 4.5, digits: 2 },
  { code: '718-7', text: 'Hemoglobin', unit: 'g/dL', category: 'laboratory', low: 6.5, high: 17.5, digits: 1 },
];

const CONDITIONS = [
  { code: '38341003', display: 'Hypertensive disorder' },
  { code: '44054006', display: 'Diabetes mellitus type 2' },
  { code: '195967001', display: 'Asthma' },
  { code: '233604007', display: 'Pneumonia' },
];

type NewEncounter = { patient: string; at: Date; status: 'in-progress' | 'finished' };
type InEncounter = { patient: string; encounter: string; at: Date };
type NewObservation = InEncounter & { status: 'preliminary' | 'final' | 'corrected' | 'entered-in-error' };
type NewStudy = { patient: string; studyUid: string; modality: string; at: Date };

/** Returns an encounter. References are relative (`Patient/…`), or the fullUrl of an entry of the bundle. */
export function makeEncounter({ patient, at, status }: NewEncounter): Resource {
  const time = at.toISOString();
  return {
    resourceType: 'Encounter',
    status,
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: patient },
    period: { start: time, ...(status === 'finished' && { end: time }) },
  };
}

/** Returns an observation of a random kind, such as heart rate, with a random value in the range of that kind. */
export function makeObservation(random: Random, { status, patient, encounter, at }: NewObservation): Resource {
  const { code, text, unit, category, low, high, digits } = pick(random, MEASURES);
  return {
    resourceType: 'Observation',
    status,
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] }],
    code: { coding: [{ system: 'http://loinc.org', code, display: text }], text },
    subject: { reference: patient },
    encounter: { reference: encounter },
    effectiveDateTime: at.toISOString(),
    valueQuantity: {
      value: Number((low + random.number() * (high - low)).toFixed(digits)),
      unit,
      system: 'http://unitsofmeasure.org',
      code: unit,
    },
  };
}

/** Returns a condition that began 0 to 30 days before `at`. */
export function makeCondition(random: Random, { patient, encounter, at }: InEncounter): Resource {
  const coding = { system: 'http://snomed.info/sct', ...pick(random, CONDITIONS) };
  return {
    resourceType: 'Condition',
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    code: { coding: [coding] },
    subject: { reference: patient },
    encounter: { reference: encounter },
    onsetDateTime: new Date(at.getTime() - between(random, 0, 30) * 86_400_000).toISOString(),
  };
}

/** Returns the FHIR resource for a DICOM study, with the study's UID as its identifier. */
export function makeImagingStudy({ patient, studyUid, modality, at }: NewStudy): Resource {
  return {
    resourceType: 'ImagingStudy',
    identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${studyUid}` }],
    status: 'available',
    modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: modality }],
    subject: { reference: patient },
    started: at.toISOString(),
  };
}
