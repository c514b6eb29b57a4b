import { clinicDay } from './clinic-day.js';
import { HardDeletes } from './hard-deletes.js';
import type { Scenario } from './scenario.js';

/** The part of the hour in which the services make no events: the middle 20 minutes. */
const SILENT = { from: 1 / 3, until: 2 / 3 };

export const silentHour: Scenario = {
  name: 'silent-hour',
  summary: 'an hour of a hospital, with hard deletes; for its middle 20 minutes, FHIR and DICOM service make no events',
  defaults: { events: 3000, rate: 200, timeScale: 1 },
  *play(world) {
    const events = world.left();
    const hardDeletes = new HardDeletes(world);
    const changes = clinicDay.play(hardDeletes.watched);
    for (;;) {
      const played = 1 - world.left() / events;
      world.switchEvents(played < SILENT.from || played >= SILENT.until);
      if (!hardDeletes.recreateOne()) changes.next();
      hardDeletes.hardDeleteSometimes();
      yield;
    }
  },
};
