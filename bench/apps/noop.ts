import { defineWorkflow, fhir } from '../../src/workflow.js';

/**
 * A workflow that does nothing, so that an event costs only the work of the app. Its concurrency is high, because
 * writes share transactions only with the writes of other running jobs.
 */
export const noop = defineWorkflow({ name: 'bench-noop', on: fhir('*'), concurrency: 2000, handle() {} });
