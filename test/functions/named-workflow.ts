import { defineWorkflow, fhir } from '../../src/workflow.js';

/** A workflow of this name that does nothing, defined in this file. */
export const named = (name: string) => defineWorkflow({ name, on: fhir('*'), handle() {} });
