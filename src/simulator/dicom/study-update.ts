import { parseJson } from '../../json-text.js';
import { isFields } from '../../workflow.js';
import { refuse } from './answers.js';
import { findProblems, isUid, problem } from './check-image.js';
import { type Attribute, type Dataset, isText } from './dataset.js';
import { parseTag, tagsOf, vrOf } from './dictionary.js';

/** New values for attributes, and a sentence in the words of the service for each attribute that cannot change. */
type Changes = { readonly changes: Dataset; readonly problems: readonly string[] };

const MAX_STUDIES = 50;
const CHANGEABLE = new Set(
  tagsOf(`AccessionNumber ReferringPhysicianName StudyDescription PatientName PatientID IssuerOfPatientID
    TypeOfPatientID PatientBirthDate PatientBirthTime PatientSex QualityControlSubject OtherPatientIDs
    OtherPatientNames PatientBirthName PatientAge PatientSize PatientWeight PatientAddress PatientMotherBirthName
    MilitaryRank BranchOfService MedicalRecordLocator CountryOfResidence RegionOfResidence PatientTelephoneNumbers
    EthnicGroup Occupation PatientReligiousPreference PatientSpeciesDescription PatientBreedDescription
    BreedRegistrationNumber ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization PatientComments
    ConfidentialityConstraintOnPatientDataDescription`),
);

/**
 * Reads the body of a bulk update. The case of its names does not count. Throws a Refusal for a body of another form.
 */
export function parseUpdate(body: Uint8Array): Changes & { readonly studyUids: readonly string[] } {
  const json = parseJson(Buffer.from(body).toString());
  if (!isFields(json)) throw refuse(400, 'The syntax of the request body is invalid: a JSON object is expected.');
  const fields = new Map(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value]));
  const studyUids: unknown = fields.get('studyinstanceuids');
  const dataset: unknown = fields.get('changedataset');
  if (!Array.isArray(studyUids) || studyUids.length === 0) {
    throw refuse(400, "The required field 'StudyInstanceUids' is missing or empty.");
  }
  if (studyUids.length > MAX_STUDIES) {
    throw refuse(400, `StudyInstanceUids has ${studyUids.length} UIDs; ${MAX_STUDIES} can be updated at a time.`);
  }
  const wrong = studyUids.find((uid) => typeof uid !== 'string' || !isUid(uid));
  if (wrong !== undefined) throw refuse(400, `'${String(wrong)}' is no UID of a study.`);
  if (!isFields(dataset)) {
    throw refuse(400, "The required field 'ChangeDataset' is missing: a data set in DICOM JSON is expected.");
  }
  return { ...parseChanges(dataset), studyUids };
}

/**
 * Returns the values with tags in capitals and the standard's VRs, and the problems of values that may not be set.
 * Throws a Refusal for a data set that is not of the DICOM JSON model.
 */
export function parseChanges(dataset: Readonly<Record<string, unknown>>): Changes {
  const changes: Record<string, Attribute> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(dataset)) {
    const tag = parseTag(name);
    if (tag === undefined) throw refuse(400, `'${name}' is neither a tag of eight hexadecimal digits nor a keyword.`);
    const attribute = attributeOf(tag, value);
    if (!attribute) {
      throw refuse(400, `Attribute '${name}' is not of the DICOM JSON model: {"vr":"${vrOf(tag)}","Value":[…]}.`);
    }
    if (!CHANGEABLE.has(tag)) problems.push(problem(tag, 'Updating the tag is not supported'));
    changes[tag] = attribute;
  }
  const found = new Map<string, string>();
  if (problems.length === 0) findProblems(changes, found);
  return { changes, problems: [...problems, ...found.values()] };
}

function attributeOf(tag: string, value: unknown): Attribute | undefined {
  if (!isFields(value)) return undefined;
  const { vr = vrOf(tag), Value } = value;
  if (typeof vr !== 'string' || (CHANGEABLE.has(tag) && vr !== vrOf(tag))) return undefined;
  if (Value === undefined || Value === null || (Array.isArray(Value) && Value.length === 0)) return { vr };
  return Array.isArray(Value) && (!isText(vr) || Value.every((one) => isValueOf(vr, one))) ? { vr, Value } : undefined;
}

function isValueOf(vr: string, value: unknown): boolean {
  if (vr !== 'PN') return value === null || typeof value === 'string' || typeof value === 'number';
  if (!isFields(value)) return value === null;
  return Object.entries(value).every(([part, text]) => NAME_PARTS.includes(part) && typeof text === 'string');
}

const NAME_PARTS = ['Alphabetic', 'Ideographic', 'Phonetic'];
