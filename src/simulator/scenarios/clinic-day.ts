import { makeCondition, makeEncounter, makeImagingStudy, makeObservation } from './clinical.js';
import { makeImage, makeStudy } from './images.js';
import { makeAddress, makePatient } from './people.js';
import { between, pick, type Scenario, type World } from './scenario.js';

type Visit = { patient: string; encounter: string; observations: string[] };

/** The number of patients in the clinic at once; some leave before more arrive. */
const MAX_VISITS = 200;
const MAX_OBSERVATIONS = 20;

export const clinicDay: Scenario = {
  name: 'clinic-day',
  summary: 'patients come and go: encounters, observations and their corrections, conditions, images',
  defaults: { events: 1000, rate: 200, timeScale: 1 },
  *play(world) {
    const visits: Visit[] = [];
    for (;;) {
      const dice = world.random.number();
      const visit = pick(world.random, visits);
      if (visit === undefined || (dice < 0.12 && visits.length < MAX_VISITS)) yield* arrive(world, visits);
      else if (dice < 0.2) yield* leave(world, visits);
      else if (dice < 0.24) yield* correct(world, visit);
      else if (dice < 0.28) yield* move(world, visit);
      else if (dice < 0.33) yield* diagnose(world, visit);
      else if (dice < 0.36) yield* image(world, visit);
      else yield* observe(world, visit);
    }
  },
};

function* arrive(world: World, visits: Visit[]): Generator<void> {
  const patient = `Patient/${world.create(makePatient(world.random))}`;
  yield;
  const encounter = `Encounter/${world.create(makeEncounter({ patient, at: world.now(), status: 'in-progress' }))}`;
  visits.push({ patient, encounter, observations: [] });
  yield;
}

function* leave(world: World, visits: Visit[]): Generator<void> {
  const [visit] = visits.splice(Math.floor(world.random.number() * visits.length), 1);
  if (!visit) return;
  const { patient } = visit;
  world.update({ ...makeEncounter({ patient, at: world.now(), status: 'finished' }), id: idOf(visit.encounter) });
  yield;
}

function* observe(world: World, visit: Visit): Generator<void> {
  const made = makeObservation(world.random, { ...visit, at: world.now(), status: 'preliminary' });
  visit.observations.push(world.create(made));
  if (visit.observations.length > MAX_OBSERVATIONS) visit.observations.shift();
  yield;
}

/** Makes a result final, corrects it, or moves it to another patient. */
function* correct(world: World, visit: Visit): Generator<void> {
  const id = pick(world.random, visit.observations);
  if (id === undefined) return;
  const status = pick(world.random, ['final', 'final', 'corrected', 'entered-in-error'] as const);
  world.update({ ...makeObservation(world.random, { ...visit, at: world.now(), status }), id });
  yield;
}

function* move(world: World, visit: Visit): Generator<void> {
  const patient = { ...makePatient(world.random), address: [makeAddress(world.random)] };
  world.update({ ...patient, id: idOf(visit.patient) });
  yield;
}

function* diagnose(world: World, visit: Visit): Generator<void> {
  const id = world.create(makeCondition(world.random, { ...visit, at: world.now() }));
  yield;
  if (world.random.number() > 0.2) return;
  world.remove('Condition', id);
  yield;
}

function* image(world: World, { patient }: Visit): Generator<void> {
  const study = makeStudy(world.random, world.now());
  const images = between(world.random, 2, 8);
  for (let number = 1; number <= images; number += 1) {
    world.store(makeImage(world.random, study, number));
    yield;
  }
  world.create(makeImagingStudy({ ...study, patient }));
  yield;
}

function idOf(reference: string): string {
  return reference.slice(reference.indexOf('/') + 1);
}

export const outage: Scenario = {
  name: 'outage',
  summary:
    'a clinic day while the receiver is down for more than 24 hours; then what Event Grid gave up on is redriven',
  defaults: { events: 300, rate: 200, timeScale: 1440 },
  isReceiverDown: true,
  play: (world) => clinicDay.play(world),
};
