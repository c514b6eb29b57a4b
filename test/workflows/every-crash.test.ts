import { dicomEvent, fhirEvent } from '../../src/testing/index.js';
import { defineWorkflow, dicom, fhir, type WorkflowTable } from '../../src/workflow.js';
import { everyCrash, everyOrder, type RowsOf, runScenario, type Scenario, type StoryEvent } from './every-crash.js';

const patient = (version: number, birthDate: string): StoryEvent => ({
  event: fhirEvent({ resourceId: 'p1', version, change: version === 1 ? 'created' : 'updated' }),
  content: { resourceType: 'Patient', birthDate },
});
const STORY = [patient(1, '1970-01-01'), patient(2, '1980-01-01')];
const rowsOfBirths = (rowsOf: RowsOf) => rowsOf('births').map(({ key, row }) => [key, row]);

/** Returns a scenario that writes each birth date that it reads with `note`. */
function scenarioWith(
  note: (birthDate: string, table: WorkflowTable) => Promise<void>,
  expected: unknown,
  ordering: 'any' | 'latest' = 'latest',
): Scenario {
  const workflow = defineWorkflow({
    name: 'births',
    on: fhir('Patient'),
    ordering,
    async handle(_event, { resource, tables }) {
      const version = ordering === 'latest' ? await resource.current() : await resource.version();
      if (version?.birthDate) await note(version.birthDate, tables('births'));
    },
  });
  return { workflow, story: STORY, look: rowsOfBirths, expected };
}

const careful = scenarioWith(
  (birthDate, table) => table.change('all', 'p1', () => ({ birthDate })),
  [['p1', { birthDate: '1980-01-01' }]],
);

describe('when a workflow is put to the test', () => {
  it('given a workflow whose row is the last read, then everyCrash passes', async () => {
    expect(await everyCrash(careful)).toBeGreaterThan(60);
    await everyOrder(careful, 50);
  });

  it('given a workflow that counts, then a crash is found that makes it count twice', async () => {
    const count = (_: string, table: WorkflowTable) =>
      table.change('all', 'p1', (row) => ({ count: Number(row?.count ?? 0) + 1 }));

    await expect(everyCrash(scenarioWith(count, [['p1', { count: 2 }]]))).rejects.toThrow('deep equality');
  });

  it('given a workflow that skips its second write once the first exists, then a crash is found between them', async () => {
    const both = async (birthDate: string, table: WorkflowTable) => {
      if ((await table.get('all', 'first'))?.birthDate === birthDate) return;
      await table.change('all', 'first', () => ({ birthDate }));
      await table.change('all', 'second', () => ({ birthDate }));
    };
    const row = { birthDate: '1980-01-01' };
    const expected = [
      ['first', row],
      ['second', row],
    ];

    await expect(everyCrash(scenarioWith(both, expected))).rejects.toThrow('deep equality');
  });

  it('given a workflow that overwrites newer versions, then such an order is found', async () => {
    const write = (birthDate: string, table: WorkflowTable) => table.change('all', 'p1', () => ({ birthDate }));
    const careless = scenarioWith(write, [['p1', { birthDate: '1980-01-01' }]], 'any');

    await expect(everyOrder(careless, 50)).rejects.toThrow('Property failed');
  });
});

describe('when a scenario is run', () => {
  it('given two versions at once, then reads find the newer one', async () => {
    const { found, requests, calls } = await runScenario(careful, { batches: [[0, 1]] });

    expect(found).toEqual(careful.expected);
    expect(requests).toHaveLength(calls);
    expect(requests).toContain('commit births');
  });

  it('given a process that dies at its first call, then another one does all of it', async () => {
    expect((await runScenario(careful, { troubles: new Map([[1, 'crash-before']]) })).found).toEqual(careful.expected);
  });

  it('given images, then reads find the content that the test returns', async () => {
    const workflow = defineWorkflow({
      name: 'images',
      on: dicom(),
      async handle({ instanceUid, partition }, { resource, tables }) {
        const images = (await resource.study()).length;
        await tables('images').change(partition, instanceUid, () => ({ images }));
      },
    });
    const story: StoryEvent[] = ['1', '2'].map((instanceUid) => ({
      event: dicomEvent({ instanceUid, partition: 'clinic-b' }),
    }));
    const scenario: Scenario = {
      workflow,
      story,
      read: (_event, happened) => ({ study: happened.map(() => ({})) }),
      look: (rowsOf) => rowsOf('images'),
      expected: [
        { partition: 'clinic-b', key: '1', row: { images: 1 } },
        { partition: 'clinic-b', key: '2', row: { images: 2 } },
      ],
    };

    expect((await runScenario(scenario, {})).found).toEqual(scenario.expected);
  });
});
