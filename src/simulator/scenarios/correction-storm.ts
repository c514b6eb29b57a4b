import { makeEncounter, makeObservation } from './clinical.js';
import { makePatient } from './people.js';
import { pick, type Scenario } from './scenario.js';

const RESOURCES = 20;

export const correctionStorm: Scenario = {
  name: 'correction-storm',
  summary: 'twenty results, corrected again and again: many versions of few resources',
  defaults: { events: 2000, rate: 500, timeScale: 1 },
  *play(world) {
    const { random } = world;
    const patient = `Patient/${world.create(makePatient(random))}`;
    yield;
    const encounter = `Encounter/${world.create(makeEncounter({ patient, at: world.now(), status: 'in-progress' }))}`;
    yield;
    const make = (status: 'preliminary' | 'corrected') =>
      makeObservation(random, { patient, encounter, at: world.now(), status });
    const ids: string[] = [];
    for (let n = 0; n < RESOURCES; n += 1) {
      ids.push(world.create(make('preliminary')));
      yield;
    }
    for (;;) {
      const id = pick(random, ids);
      if (random.number() < 0.03)
        world.remove('Observation', id); // the next correction creates it again
      else world.update({ ...make('corrected'), id });
      yield;
    }
  },
};
