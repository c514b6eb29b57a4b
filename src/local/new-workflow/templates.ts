import { RESOURCE_TYPES } from '../../fhir-types.js';
import { TEST, WORKFLOW } from './template-texts.js';

/** Names that already have a meaning in templates, index, tests or modules. */
const TAKEN_WORDS = new Set(
  `any async boolean number object string symbol exports globalThis module require
  defineWorkflow dicom digest fhir needsHosts resourceOf shardOf createTestKit dicomEvent fhirEvent workflows
  event resource tables key image one instance kit row describe it expect test jest beforeEach afterEach`.split(/\s+/),
);

/** Tables of the app and of the bundled workflows. */
const TAKEN_TABLES =
  /^(ledger.*|waiting|watermarks|tables|resources|patients|patientkeys|alerts|alertpatients|alertoutbox|activealerts|results|resultplaces|studies|studyinstances|openstudies)$/;

/** Returns glucoseTrend for glucose-trend; appends `Workflow` if the word already has a meaning. */
export function identifierOf(name: string): string {
  const word = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const isVariable = [...RESOURCE_TYPES].some((type) => variableOf(type) === word);
  return TAKEN_WORDS.has(word) || isVariable ? `${word}Workflow` : word;
}

/** Returns the name of the workflow's table: 3 to 63 letters and digits. */
export function tableOf(name: string): string {
  const table = name.replaceAll('-', '');
  return (TAKEN_TABLES.test(table) ? `${table}rows` : table).padEnd(3, '0').slice(0, 63);
}

/** Returns the texts of a new workflow and of its test. The workflow works: its table has a row for each resource. */
export function textsOf(what: string, name: string): { workflow: string; test: string } {
  const parts = what === 'dicom' ? DICOM_PARTS : fhirParts(what, variableOf(what));
  const texts: Record<string, string> = { ...parts, NAME: name, TABLE: tableOf(name), IDENTIFIER: identifierOf(name) };
  const filled = (template: string) =>
    template.replace(/\$([A-Z_]+)/g, (_, part: string) => texts[part] ?? '').trimStart();
  return { workflow: filled(WORKFLOW), test: filled(TEST) };
}

function fhirParts(type: string, variable: string) {
  return {
    SERVICE: 'fhir',
    FUNCTIONS: 'digest, fhir',
    CONSTANT: '',
    CONTENT: `${type} with the version that was read last. Deleted resources have no row`,
    TRIGGER: `fhir('${type}')`,
    VARIABLE: variable,
    READ: 'current',
    ROW: `{ host: event.host, resourceId: event.resourceId, version: Number(${variable}.meta?.versionId ?? event.version) }`,
    TYPE_IMPORT: `import type { ${type} } from 'fhir/r4.js';`,
    TEST_IMPORTS: 'createTestKit, fhirEvent',
    EVENT: 'fhirEvent',
    ONE: `{ resourceType: '${type}', resourceId: 'r1', host: 'a.fhir.example' } as const`,
    READ_VALUE: `${variable} = { resourceType: '${type}', id: 'r1', meta: { versionId: '1' } } as ${type}`,
    SITUATION: 'a created resource',
    RESOURCE: variable,
    TEST_ROW: "{ host: 'a.fhir.example', resourceId: 'r1', version: 1 }",
    DELETED: "change: 'deleted', version: 2",
    NO_RESOURCE: 'undefined',
  };
}

const DICOM_PARTS: ReturnType<typeof fhirParts> = {
  SERVICE: 'dicom',
  FUNCTIONS: 'dicom, digest',
  CONSTANT: "const MODALITY = '00080060';\n",
  CONTENT: 'image with its modality. Deleted images have no row',
  TRIGGER: 'dicom()',
  VARIABLE: 'image',
  READ: 'instance',
  ROW: "{ studyUid: event.studyUid, modality: String(image[MODALITY]?.Value?.[0] ?? '') }",
  TYPE_IMPORT: '',
  TEST_IMPORTS: 'createTestKit, dicomEvent',
  EVENT: 'dicomEvent',
  ONE: "{ studyUid: '1.2', seriesUid: '1.2.3', instanceUid: '1.2.3.4' }",
  READ_VALUE: "instance = { '00080060': { vr: 'CS', Value: ['CT'] } }",
  SITUATION: 'a stored image',
  RESOURCE: '{ instance }',
  TEST_ROW: "{ studyUid: '1.2', modality: 'CT' }",
  DELETED: "change: 'deleted'",
  NO_RESOURCE: '{}',
};

/** Returns observation for Observation. */
function variableOf(type: string): string {
  return type.charAt(0).toLowerCase() + type.slice(1);
}
