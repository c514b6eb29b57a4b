import { bulkImport } from './bulk-import.js';
import { clinicDay, outage } from './clinic-day.js';
import { correctionStorm } from './correction-storm.js';
import { imagingNight } from './imaging-night.js';
import type { Scenario } from './scenario.js';
import { silentHour } from './silent-hour.js';

/** All scenarios. To add a scenario, export it from a file in this folder, and add it to this list. */
export const scenarios: readonly Scenario[] = [
  clinicDay,
  bulkImport,
  imagingNight,
  correctionStorm,
  outage,
  silentHour,
];
