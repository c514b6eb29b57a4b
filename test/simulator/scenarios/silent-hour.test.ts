import type { FhirChange, ServiceChange } from '../../../src/simulator/changes.js';
import { silentHour } from '../../../src/simulator/scenarios/silent-hour.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { createServices } from '../../../src/simulator/services.js';
import { createWorld } from '../../../src/simulator/world.js';
import { createFakeClock } from '../../../src/testing/index.js';
import { currentOf } from '../fhir/fhir-world.js';

const EVENTS = 3000;

/** Plays the scenario in services of its own, 1 ms after each change. */
function playHour(seed = 7) {
  const clock = createFakeClock();
  const random = seededRandom(seed);
  const made: { change: ServiceChange; isSilent: boolean }[] = [];
  const gone: { resource: string; after: number }[] = [];
  const keep = (isSilent: boolean) => (changes: readonly ServiceChange[]) =>
    void made.push(...changes.map((change) => ({ change, isSilent })));
  const services = createServices({ name: 'hour', clock, random, publish: keep(false), withhold: keep(true) });
  const world = createWorld({
    services,
    random,
    clock,
    left: () => EVENTS - made.length,
    whenHardDeleted: ({ resourceType, resourceId }) =>
      void gone.push({ resource: `${resourceType}/${resourceId}`, after: made.length }),
  });
  const steps = silentHour.play(world);
  while (world.left() > 0) {
    steps.next();
    clock.advance(1);
  }
  return { services, made, gone };
}

const isOf =
  (resource: string) =>
  (change: ServiceChange): change is FhirChange =>
    change.service === 'fhir' && `${change.resourceType}/${change.resourceId}` === resource;

describe('when the silent hour is played', () => {
  let hour: ReturnType<typeof playHour>;
  beforeAll(() => {
    hour = playHour();
  });

  it('given the middle third of its changes, then only these make no events, in both services', () => {
    const { made } = hour;

    expect(made).toHaveLength(EVENTS);
    expect(made.flatMap(({ isSilent }, n) => (isSilent ? [n] : []))).toEqual(
      Array.from({ length: EVENTS / 3 }, (_, n) => n + EVENTS / 3),
    );
    const silent = made.filter(({ isSilent }) => isSilent).map(({ change }) => change.service);
    expect(new Set(silent)).toEqual(new Set(['fhir', 'dicom']));
  });

  it('given hard deletes, then there are many, and they leave nothing in history', () => {
    const { services, made, gone } = hour;

    expect(gone.length).toBeGreaterThan(80);
    for (const { resource, after } of gone) {
      const [resourceType = '', id = ''] = resource.split('/');
      const later = made.slice(after).filter(({ change }) => isOf(resource)(change));
      if (later.length === 0) expect(currentOf(services.fhir, resourceType, id)).toBeUndefined();
    }
  });

  it('given recreated resources, then they begin at version 1, long after their first creation', () => {
    const { made, gone } = hour;

    const recreated = gone.flatMap(({ resource, after }) => {
      const later = made.slice(after).find(({ change }) => isOf(resource)(change));
      return later ? [later.change] : [];
    });

    expect(recreated.length).toBeGreaterThan(10);
    for (const change of recreated) expect(change).toMatchObject({ change: 'created', version: 1 });
  });

  it('given the same seed, then the hour is the same; given another seed, then it is another', () => {
    const short = ({ made, gone }: ReturnType<typeof playHour>) => JSON.stringify([made, gone]);

    expect(short(playHour())).toBe(short(hour));
    expect(short(playHour(8))).not.toBe(short(hour));
  });
});
