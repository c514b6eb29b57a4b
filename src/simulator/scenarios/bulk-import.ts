import { uuidOf } from '../seeded.js';
import { makeCondition, makeEncounter, makeObservation } from './clinical.js';
import { makePatient } from './people.js';
import { between, type Resource, type Scenario, type World } from './scenario.js';

/** The service's limit for one bundle. */
const MAX_ENTRIES = 500;

export const bulkImport: Scenario = {
  name: 'bulk-import',
  summary: 'transactions of up to 500 entries, whole records of patients at once',
  defaults: { events: 10_000, rate: 2000, timeScale: 1 },
  *play(world) {
    for (;;) {
      world.transact(makeBundle(world, Math.min(MAX_ENTRIES, world.left())));
      yield;
    }
  },
};

function makeBundle(world: World, size: number): { fullUrl: string; resource: Resource }[] {
  const { random } = world;
  const entries: { fullUrl: string; resource: Resource }[] = [];
  const add = (resource: Resource): string => {
    const fullUrl = `urn:uuid:${uuidOf(random)}`;
    if (entries.length < size) entries.push({ fullUrl, resource });
    return fullUrl;
  };
  while (entries.length < size) {
    const at = world.now();
    const patient = add(makePatient(random));
    const encounter = add(makeEncounter({ patient, at, status: 'finished' }));
    // The loop leaves out the last entries only, so no entry refers to one that is left out.
    for (let n = between(random, 3, 20); n > 0; n -= 1) {
      if (entries.length < size) add(makeObservation(random, { patient, encounter, at, status: 'final' }));
    }
    if (entries.length < size) add(makeCondition(random, { patient, encounter, at }));
  }
  return entries;
}
