import { RESOURCE_TYPES } from '../../fhir-types.js';

/** Names that already have a meaning in templates, index, tests or modules. */
const TAKEN = new Set(
  `any async boolean number object string symbol exports globalThis module require
  defineWorkflow dicom digest fhir needsHosts resourceOf shardOf createTestKit dicomEvent fhirEvent workflows
  event resource tables key image one instance kit row describe it expect test jest beforeEach afterEach`.split(/\s+/),
);

/** Tables of the app and of the bundled workflows. */
const TAKEN_TABLES =
  /^(ledger.*|waiting|watermarks|tables|resources|patients|patientkeys|alerts|alertpatients|alertoutbox|activealerts|results|resultplaces|studies|studyinstances|openstudies)$/;

/** glucose-trend → glucoseTrend; ends in `Workflow` if the word already has a meaning. */
export function identifierOf(name: string): string {
  const word = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const isVariable = [...RESOURCE_TYPES].some((type) => variableOf(type) === word);
  return TAKEN.has(word) || isVariable ? `${word}Workflow` : word;
}

/** Returns the text of a new workflow that works: one row for each resource, as last read. */
export function workflowText(what: string, name: string): string {
  return what === 'dicom' ? dicomText(name) : fhirText(what, name);
}

/** Returns the text of the test of a new workflow. */
export function testText(what: string, name: string): string {
  return what === 'dicom' ? dicomTestText(name) : fhirTestText(what, name);
}

/** Returns the name of the workflow's table: 3 to 63 letters and digits. */
export function tableOf(name: string): string {
  const table = name.replaceAll('-', '');
  return (TAKEN_TABLES.test(table) ? `${table}rows` : table).padEnd(3, '0').slice(0, 63);
}

function fhirText(type: string, name: string): string {
  const variable = variableOf(type);
  return `import { defineWorkflow, digest, fhir, needsHosts, resourceOf, shardOf } from '../workflow.js';

const PARTITIONS = 8;

/**
 * Keeps table \`${tableOf(name)}\`: a row for each ${type} with the version that was read last. Deleted resources have no row.
 *
 * The handler may run twice for one event, because a process can die after the row and before the record. The second run
 * writes the same row.
 */
export const ${identifierOf(name)} = defineWorkflow({
  name: '${name}',
  on: fhir('${type}'),
  ordering: 'latest',
  setup: needsHosts('fhir'),
  async handle(event, { resource, tables }) {
    const ${variable} = event.change === 'deleted' ? undefined : await resource.current();
    const key = digest(resourceOf(event)); // keys reach the logs of storage
    await tables('${tableOf(name)}').change(String(shardOf(key, PARTITIONS)), key, () => {
      if (!${variable}) return 'remove';
      return { host: event.host, resourceId: event.resourceId, version: Number(${variable}.meta?.versionId ?? event.version) };
    });
  },
});
`;
}

function fhirTestText(type: string, name: string): string {
  const identifier = identifierOf(name);
  return `import type { ${type} } from 'fhir/r4.js';
import { createTestKit, fhirEvent } from '../../src/testing/index.js';
import { ${identifier} } from '../../src/workflows/${name}.js';

const one = { resourceType: '${type}', resourceId: 'r1', host: 'a.fhir.example' } as const;
const event = fhirEvent(one);
const ${variableOf(type)} = { resourceType: '${type}', id: 'r1', meta: { versionId: '1' } } as ${type};

describe('${name}', () => {
  it('given a created resource, then the table has its row', async () => {
    const kit = createTestKit();

    expect(await kit.run(${identifier}, event, { resource: ${variableOf(type)} })).toEqual({ kind: 'completed' });

    expect(kit.rows('${tableOf(name)}').map(({ row }) => row)).toEqual([
      { host: 'a.fhir.example', resourceId: 'r1', version: 1 },
    ]);
  });

  it('given a process that dies after the handler, then the second run leaves one row', async () => {
    const kit = createTestKit();

    await kit.run(${identifier}, event, { resource: ${variableOf(type)}, processDies: true });
    await kit.run(${identifier}, event, { resource: ${variableOf(type)} });

    expect(kit.rows('${tableOf(name)}')).toHaveLength(1);
  });

  it('given a deletion, then the row is gone', async () => {
    const kit = createTestKit();
    await kit.run(${identifier}, event, { resource: ${variableOf(type)} });

    await kit.run(${identifier}, fhirEvent({ ...one, change: 'deleted', version: 2 }), { resource: undefined });

    expect(kit.rows('${tableOf(name)}')).toEqual([]);
  });

  it('given a service that does not answer, then the job runs again', async () => {
    const kit = createTestKit();

    expect(await kit.run(${identifier}, event, { resource: new Error('no answer') })).toMatchObject({ kind: 'retry' });
  });
});
`;
}

function dicomText(name: string): string {
  return `import { defineWorkflow, dicom, digest, needsHosts, resourceOf, shardOf } from '../workflow.js';

const PARTITIONS = 8;
const MODALITY = '00080060';

/**
 * Keeps table \`${tableOf(name)}\`: a row for each image with its modality. Deleted images have no row.
 *
 * The handler may run twice for one event, because a process can die after the row and before the record. The second run
 * writes the same row.
 */
export const ${identifierOf(name)} = defineWorkflow({
  name: '${name}',
  on: dicom(),
  ordering: 'latest',
  setup: needsHosts('dicom'),
  async handle(event, { resource, tables }) {
    const image = event.change === 'deleted' ? undefined : await resource.instance();
    const key = digest(resourceOf(event)); // keys reach the logs of storage
    await tables('${tableOf(name)}').change(String(shardOf(key, PARTITIONS)), key, () => {
      if (!image) return 'remove';
      return { studyUid: event.studyUid, modality: String(image[MODALITY]?.Value?.[0] ?? '') };
    });
  },
});
`;
}

function dicomTestText(name: string): string {
  const identifier = identifierOf(name);
  return `import { createTestKit, dicomEvent } from '../../src/testing/index.js';
import { ${identifier} } from '../../src/workflows/${name}.js';

const one = { studyUid: '1.2', seriesUid: '1.2.3', instanceUid: '1.2.3.4' };
const event = dicomEvent(one);
const instance = { '00080060': { vr: 'CS', Value: ['CT'] } };

describe('${name}', () => {
  it('given a stored image, then the table has its row', async () => {
    const kit = createTestKit();

    expect(await kit.run(${identifier}, event, { resource: { instance } })).toEqual({ kind: 'completed' });

    expect(kit.rows('${tableOf(name)}').map(({ row }) => row)).toEqual([{ studyUid: '1.2', modality: 'CT' }]);
  });

  it('given a process that dies after the handler, then the second run leaves one row', async () => {
    const kit = createTestKit();

    await kit.run(${identifier}, event, { resource: { instance }, processDies: true });
    await kit.run(${identifier}, event, { resource: { instance } });

    expect(kit.rows('${tableOf(name)}')).toHaveLength(1);
  });

  it('given a deletion, then the row is gone', async () => {
    const kit = createTestKit();
    await kit.run(${identifier}, event, { resource: { instance } });

    await kit.run(${identifier}, dicomEvent({ ...one, change: 'deleted' }), { resource: {} });

    expect(kit.rows('${tableOf(name)}')).toEqual([]);
  });

  it('given a service that does not answer, then the job runs again', async () => {
    const kit = createTestKit();

    expect(await kit.run(${identifier}, event, { resource: new Error('no answer') })).toMatchObject({ kind: 'retry' });
  });
});
`;
}

/** Observation → observation */
function variableOf(type: string): string {
  return type.charAt(0).toLowerCase() + type.slice(1);
}
