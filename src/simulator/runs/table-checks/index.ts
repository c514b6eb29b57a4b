import { checkStudies } from './imaging-studies.js';
import { checkAlerts } from './observation-alerts.js';
import { checkPatients } from './patient-registry.js';
import { checkIndex } from './resource-index.js';
import type { TableCheck } from './table-check.js';

/** A check for each built-in workflow that keeps tables. */
export const TABLE_CHECKS: readonly TableCheck[] = [checkIndex, checkPatients, checkAlerts, checkStudies];
