import type { Workflow } from '../workflow.js';
import { imagingStudies } from './imaging-studies/imaging-studies.js';
import { observationAlerts } from './observation-alerts/observation-alerts.js';
import { patientRegistry } from './patient-registry/patient-registry.js';
import { resourceIndex } from './resource-index.js';

/** The workflows that run. Add yours here; remove those that you do not need. */
export const workflows: readonly Workflow[] = [resourceIndex, patientRegistry, observationAlerts, imagingStudies];
