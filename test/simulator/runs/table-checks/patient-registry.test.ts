import { digest } from '../../../../src/digest.js';
import { resourceOf } from '../../../../src/events/order.js';
import { checkPatients } from '../../../../src/simulator/runs/table-checks/patient-registry.js';
import { createMemoryTableStore } from '../../../../src/storage/memory-table-store.js';
import { createFakeClock, createTestKit, fhirEvent } from '../../../../src/testing/index.js';
import type { FhirResource, Row } from '../../../../src/workflow.js';
import { patientRegistry } from '../../../../src/workflows/patient-registry/patient-registry.js';
import { createScenario, createServices } from './run-services.js';

const HOST = 'run.fhir.example';
const SETTINGS = { LOOKUP_KEY: Buffer.alloc(32, 7).toString('base64') };
const PATIENT = {
  resourceType: 'Patient',
  active: true,
  name: [{ family: 'Cruz', given: ['Ana'] }],
  identifier: [{ system: 'http://hospital.example', value: '7' }],
  gender: 'female',
  birthDate: '1970-02-03',
};

/** Creates two patients, deletes a third, and runs the workflow, which fills the tables. */
async function start() {
  const clock = createFakeClock();
  const services = createServices(clock);
  const scenario = createScenario(services, clock);
  const tables = createMemoryTableStore({ clock });
  const kit = createTestKit({ settings: SETTINGS });
  const newest = new Map<string, { version: number; change: string; n: number }>();
  for (const [n, id] of ['a', 'b', 'gone'].entries()) {
    scenario.update({ ...PATIENT, id });
    if (id === 'gone') scenario.remove('Patient', id);
    const event = fhirEvent({ resourceId: id, host: HOST });
    newest.set(digest(resourceOf(event)), { version: 1, change: 'created', n });
    const resource = { ...PATIENT, id, meta: { versionId: '1' } } as FhirResource;
    if (id !== 'gone') await kit.run(patientRegistry, event, { resource });
  }
  await tables.create('patients');
  await tables.create('patientkeys');
  for (const { partition, key, row } of kit.rows('patientkeys'))
    await tables.commit('patientkeys', partition, [{ kind: 'insert', key, row }]);
  const write = (partition: string, key: string, row: Row) =>
    tables.commit('patients', partition, [{ kind: 'insert', key, row }]);
  const [first, second] = kit.rows('patients') as [Stored, Stored];
  const check = (hasCompleted = (_n: number) => true) =>
    checkPatients.check({ tables, services, newest, since: new Date(0), isWhole: true, hasCompleted });
  return { first, second, write, check };
}

type Stored = { partition: string; key: string; row: Row };

describe('when the patients of a run are compared with its service', () => {
  it('given each has its row, then all is well, also with marks and rows of others beside them', async () => {
    const { first, second, write, check } = await start();
    for (const { partition, key, row } of [first, second]) await write(partition, key, row);
    await write('0', 'mark', { _removed: true });
    await write('0', 'other', { ...first.row, host: 'other.fhir.example', version: 9 });

    expect(await check()).toEqual({ rows: 2, problems: [] });
  });

  it.each([
    { given: 'an older version', change: { version: 0 }, wrong: 'version' },
    { given: 'another day of birth', change: { birthDate: '1970-02-04' }, wrong: 'birthDate' },
    { given: 'another gender', change: { gender: 'male' }, wrong: 'gender' },
    { given: 'another state', change: { active: false }, wrong: 'active' },
    { given: 'another name', change: { names: '[{"family":"Novak"}]' }, wrong: 'names' },
    { given: 'no identifier', change: { identifiers: '[]' }, wrong: 'identifiers' },
    { given: 'something left undone', change: { unsure: '0abc' }, wrong: 'unsure' },
  ])('given $given, then it is a problem without a value', async ({ change, wrong }) => {
    const { first, second, write, check } = await start();
    await write(first.partition, first.key, { ...first.row, ...change } as Row);
    await write(second.partition, second.key, second.row);

    expect(await check()).toEqual({ rows: 2, problems: [`a row is not as version 1 is: ${wrong}`] });
  });

  it('given a missing row, and a row of a deleted patient, then both are problems', async () => {
    const { first, write, check } = await start();
    await write(first.partition, first.key, first.row);
    await write('0', 'gone', { ...first.row, resourceId: 'gone' });

    expect(await check()).toEqual({
      rows: 2,
      problems: [
        'a row is there at version 1 for a patient who is gone, or twice',
        'a row is missing for a patient at version 1',
      ],
    });
  });

  it('given their newest events have not been completed, then wrong rows are no problem', async () => {
    const { first, write, check } = await start();
    await write(first.partition, first.key, { ...first.row, version: 0 });

    expect(await check(() => false)).toEqual({ rows: 1, problems: [] });
  });
});
