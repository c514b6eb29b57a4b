import type { Dataset } from '../dicom/dataset.js';
import { makeImage, makeStudy, type Study } from './images.js';
import { between, pick, type Scenario, type World } from './scenario.js';

/** Older studies are deleted, as a clinic archives them elsewhere, so that the service's memory suffices. */
const MAX_STUDIES = 2000;

export const imagingNight: Scenario = {
  name: 'imaging-night',
  summary: 'series of images arrive, some sent twice, some corrected or deleted',
  defaults: { events: 2000, rate: 500, timeScale: 1 },
  *play(world) {
    const studies: Study[] = [];
    for (;;) {
      const study = makeStudy(world.random, world.now());
      yield* storeSeries(world, study);
      studies.push(study);
      const dice = world.random.number();
      if (studies.length > MAX_STUDIES) yield* remove(world, studies.shift());
      else if (dice < 0.1) yield* rename(world, pick(world.random, studies));
      else if (dice < 0.15) yield* remove(world, studies.splice(between(world.random, 0, studies.length - 1), 1)[0]);
    }
  },
};

function* storeSeries(world: World, study: Study): Generator<void> {
  let last: Dataset | undefined;
  for (let number = between(world.random, 20, 120), at = 1; at <= number; at += 1) {
    const isSentAgain = last !== undefined && world.random.number() < 0.02;
    last = isSentAgain && last ? last : makeImage(world.random, study, at);
    world.store(last); // a modality repeats an image that was not acknowledged in time
    yield;
  }
}

function* rename(world: World, { studyUid }: Study): Generator<void> {
  world.updateStudy(studyUid, { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Corrected^Name' }] } });
  yield;
}

function* remove(world: World, study: Study | undefined): Generator<void> {
  if (!study) return;
  world.removeImages({ studyUid: study.studyUid });
  yield;
}
