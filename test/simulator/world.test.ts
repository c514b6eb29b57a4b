import { seededRandom } from '../../src/simulator/seeded.js';
import type { SwitchableServices } from '../../src/simulator/services.js';
import { createWorld } from '../../src/simulator/world.js';
import { createFakeClock } from '../../src/testing/index.js';

/** Creates services that give the same answer to every request. */
function createStubWorld(answers: { fhir?: object; dicom?: object } = {}) {
  const clock = createFakeClock();
  const asked: unknown[] = [];
  const answer =
    (value: unknown) =>
    (...all: unknown[]) => {
      asked.push(...all);
      return value;
    };
  const services = {
    fhir: { host: 'fhir.test', apply: answer(answers.fhir) },
    dicom: { store: answer(answers.dicom), delete: answer(answers.dicom), update: answer(answers.dicom) },
    makesEvents: { fhir: true, dicom: true },
  } as unknown as SwitchableServices;
  const gone: object[] = [];
  const whenHardDeleted = (resource: object) => void gone.push(resource);
  const world = createWorld({ services, random: seededRandom(1), clock, left: () => 3, whenHardDeleted });
  return { world, services, clock, asked, gone };
}

const PATIENT = { resourceType: 'Patient', id: 'p1' };
const IMAGE = {
  '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
  '00080018': { vr: 'UI', Value: ['1.2.3.4.5'] },
};

describe('when a scenario changes a service', () => {
  it.each([
    { what: 'create', run: ({ world }: ReturnType<typeof createStubWorld>) => world.create(PATIENT) },
    { what: 'update', run: ({ world }: ReturnType<typeof createStubWorld>) => world.update(PATIENT) },
    { what: 'remove', run: ({ world }: ReturnType<typeof createStubWorld>) => world.remove('Patient', 'p1') },
    {
      what: 'hardDelete',
      run: ({ world }: ReturnType<typeof createStubWorld>) => world.hardDelete('Patient', 'p1'),
    },
    {
      what: 'transact',
      run: ({ world }: ReturnType<typeof createStubWorld>) =>
        world.transact([{ fullUrl: 'urn:uuid:1', resource: PATIENT }]),
    },
  ])('given FHIR refuses $what, then that is thrown, with why', ({ run }) => {
    const refusing = createStubWorld({ fhir: { status: 422, problem: 'no such thing' } });

    expect(() => run(refusing)).toThrow('The scenario made a change that was refused: 422, no such thing');
  });

  it.each([
    { what: 'an image', run: ({ world }: ReturnType<typeof createStubWorld>) => world.store(IMAGE) },
    {
      what: 'an update of a study',
      run: ({ world }: ReturnType<typeof createStubWorld>) => world.updateStudy('1.2.3', {}),
    },
  ])('given DICOM refuses $what, then that is thrown, with why', ({ run }) => {
    const refusing = createStubWorld({ dicom: { status: 'refused', problems: ['one', 'two'] } });

    expect(() => run(refusing)).toThrow('The scenario made a change that was refused: one, two');
  });

  it.each([
    { status: 'stored', isNew: true },
    { status: 'existed', isNew: false },
  ])('given an image that is $status, then it says $isNew', ({ status, isNew }) => {
    expect(createStubWorld({ dicom: { status } }).world.store(IMAGE)).toBe(isNew);
  });

  it('given it creates a resource, then it gets the id that the service gave it', () => {
    const { world, asked } = createStubWorld({ fhir: { status: 201, id: 'given' } });

    expect(world.create(PATIENT)).toBe('given');
    expect(asked).toEqual([{ method: 'POST', resource: PATIENT }]);
  });

  it('given a hard delete, then the run hears of it, for no event will tell', () => {
    const { world, asked, gone } = createStubWorld({ fhir: { status: 204 } });

    world.hardDelete('Patient', 'p1');

    expect(asked).toEqual([{ method: 'DELETE', resourceType: 'Patient', id: 'p1', isHard: true }]);
    expect(gone).toEqual([{ host: 'fhir.test', resourceType: 'Patient', resourceId: 'p1' }]);
  });

  it('given events are switched, then those of both services are', () => {
    const { world, services } = createStubWorld();

    world.switchEvents(false);
    expect(services.makesEvents).toEqual({ fhir: false, dicom: false });

    world.switchEvents(true);
    expect(services.makesEvents).toEqual({ fhir: true, dicom: true });
  });

  it('given a transaction, then each resource is posted under its fullUrl', () => {
    const { world, asked } = createStubWorld({ fhir: { status: 200 } });

    world.transact([{ fullUrl: 'urn:uuid:1', resource: PATIENT }]);

    expect(asked).toEqual([
      {
        method: 'BUNDLE',
        bundle: {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ fullUrl: 'urn:uuid:1', resource: PATIENT, request: { method: 'POST', url: 'Patient' } }],
        },
      },
    ]);
  });

  it('given two calls within a millisecond, then the second time is later, and never behind the clock', () => {
    const { world, clock } = createStubWorld();

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
