import { bulkImport } from './bulk-import.js';
import { clinicDay } from './clinic-day.js';
import { correctionStorm } from './correction-storm.js';
import { imagingNight } from './imaging-night.js';
import { outage } from './outage.js';
import type { Scenario } from './scenario.js';

/** One of your own: a file here that exports a `Scenario`, and its line in this list. */
export const scenarios: readonly Scenario[] = [clinicDay, bulkImport, imagingNight, correctionStorm, outage];
