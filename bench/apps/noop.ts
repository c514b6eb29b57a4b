import { defineWorkflow, fhir } from '../../src/workflow.js';

/**
 * Does nothing: what an event costs then is what the app itself takes. A handler that ends at once needs no limit to how
 * many run, and writes share transactions only with what else is under way.
 */
export const noop = defineWorkflow({ name: 'bench-noop', on: fhir('*'), concurrency: 2000, handle() {} });
