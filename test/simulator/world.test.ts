import type { ServiceChange } from '../../src/simulator/changes.js';
import type { SimulatorAnswer } from '../../src/simulator/http.js';
import { currentResources } from '../../src/simulator/runs/table-checks/reads.js';
import { seededRandom } from '../../src/simulator/seeded.js';
import { createServices } from '../../src/simulator/services.js';
import { createWorld } from '../../src/simulator/world.js';
import { createFakeClock } from '../../src/testing/index.js';
import { currentOf } from './fhir/fhir-world.js';

/** Creates real services; with `answer`, the FHIR service gives this answer to every request. */
function createTestWorld(answer?: SimulatorAnswer) {
  const clock = createFakeClock();
  const published: ServiceChange[] = [];
  const deps = {
    name: 'test',
    clock,
    random: seededRandom(1),
    publish: (all: readonly ServiceChange[]) => published.push(...all),
  };
  const services = createServices(deps as never);
  if (answer) services.fhir.answer = () => answer;
  const gone: object[] = [];
  const whenHardDeleted = (resource: object) => void gone.push(resource);
  const world = createWorld({ services, random: seededRandom(1), clock, left: () => 3, whenHardDeleted });
  return { world, services, clock, published, gone };
}

const PATIENT = { resourceType: 'Patient', id: 'p1' };
const IMAGE = {
  '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
  '00080018': { vr: 'UI', Value: ['1.2.3.4.5'] },
  '00100020': { vr: 'LO', Value: ['P1'] },
  '0020000D': { vr: 'UI', Value: ['1.2'] },
  '0020000E': { vr: 'UI', Value: ['1.2.3'] },
};

describe('when a scenario changes a service', () => {
  it.each([
    { what: 'create', run: ({ world }: ReturnType<typeof createTestWorld>) => world.create(PATIENT) },
    { what: 'update', run: ({ world }: ReturnType<typeof createTestWorld>) => world.update(PATIENT) },
    { what: 'remove', run: ({ world }: ReturnType<typeof createTestWorld>) => world.remove('Patient', 'p1') },
    {
      what: 'hardDelete',
      run: ({ world }: ReturnType<typeof createTestWorld>) => world.hardDelete('Patient', 'p1'),
    },
    {
      what: 'transact',
      run: ({ world }: ReturnType<typeof createTestWorld>) =>
        world.transact([{ fullUrl: 'urn:uuid:1', resource: PATIENT }]),
    },
  ])('given FHIR refuses $what, then an error with the reason is thrown', ({ run }) => {
    const refusing = createTestWorld({
      status: 422,
      body: JSON.stringify({ issue: [{ diagnostics: 'no such thing' }] }),
    });

    expect(() => run(refusing)).toThrow('The scenario made a change that was refused: 422, no such thing');
  });

  it.each([
    {
      what: 'an image',
      run: ({ world }: ReturnType<typeof createTestWorld>) => world.store({ '00080018': IMAGE['00080018'] }),
      why: "DICOM100: (0008,0016) - The required tag '(0008,0016)' is missing.",
    },
    {
      what: 'an update of a study',
      run: ({ world }: ReturnType<typeof createTestWorld>) =>
        world.updateStudy('1.2.3', { '00080060': { vr: 'CS', Value: ['MR'] } }),
      why: 'DICOM100: (0008,0060) - Updating the tag is not supported',
    },
  ])('given DICOM refuses $what, then an error with the reason is thrown', ({ run, why }) => {
    expect(() => run(createTestWorld())).toThrow(`The scenario made a change that was refused: ${why}`);
  });

  it('given an image, then only its first store is new, until its study is removed', () => {
    const { world, published } = createTestWorld();

    expect([world.store(IMAGE), world.store(IMAGE)]).toEqual([true, false]);
    world.updateStudy('1.2', { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Roe^Jane' }] } });
    world.removeImages({ studyUid: '1.2' });
    expect(world.store(IMAGE)).toBe(true);
    expect(published.map(({ change }) => change)).toEqual(['created', 'updated', 'deleted', 'created']);
  });

  it('given a created resource, then the scenario gets the id that the service has given', () => {
    const { world, services } = createTestWorld();

    const id = world.create({ resourceType: 'Patient' });

    expect(currentOf(services.fhir, 'Patient', id)).toEqual({ version: 1, deleted: false });
  });

  it('given an update, a removal and a hard delete, then events are as over HTTP, and the run gets the hard delete', () => {
    const { world, services, published, gone } = createTestWorld();

    world.update(PATIENT);
    world.update({ ...PATIENT, active: true });
    world.remove('Patient', 'p1');
    world.hardDelete('Patient', 'p1');

    expect(published.map(({ change }) => change)).toEqual(['created', 'updated', 'deleted']);
    expect(currentOf(services.fhir, 'Patient', 'p1')).toBeUndefined();
    expect(gone).toEqual([{ host: services.fhir.host, resourceType: 'Patient', resourceId: 'p1' }]);
  });

  it('given a switch of events, then it applies to both services', () => {
    const { world, services } = createTestWorld();

    world.switchEvents(false);
    expect(services.makesEvents).toEqual({ fhir: false, dicom: false });

    world.switchEvents(true);
    expect(services.makesEvents).toEqual({ fhir: true, dicom: true });
  });

  it('given a transaction, then a reference to a fullUrl leads to its resource', () => {
    const { world, services, published } = createTestWorld();
    const subject = { reference: 'urn:uuid:1' };

    world.transact([
      { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Patient' } },
      { fullUrl: 'urn:uuid:2', resource: { resourceType: 'Observation', subject } },
    ]);

    expect(published.map(({ change }) => change)).toEqual(['created', 'created']);
    expect([...currentResources(services.fhir, 'Observation')]).toMatchObject([
      { subject: { reference: expect.stringMatching(/^Patient\/.{36}$/) } },
    ]);
    expect(subject.reference).toBe('urn:uuid:1');
  });

  it('given two calls within a millisecond, then the second time is later, and not behind the clock', () => {
    const { world, clock } = createTestWorld();

    const times = [world.now(), world.now(), world.now()];
    clock.advance(100);

    expect([...times, world.now()].map((at) => at.toISOString())).toEqual([
      '2026-01-01T12:00:00.000Z',
      '2026-01-01T12:00:00.001Z',
      '2026-01-01T12:00:00.002Z',
      '2026-01-01T12:00:00.100Z',
    ]);
  });
});
