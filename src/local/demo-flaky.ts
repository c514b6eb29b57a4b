import { defineWorkflow, fhir, seconds } from '../workflow.js';

/** Resources of the demonstration that it is to fail for, once. */
export const FLAKY_PREFIX = 'demo-flaky-';

/** Only for the demonstration: fails at its first try, succeeds at the second. */
export const demoFlaky = defineWorkflow({
  name: 'demo-flaky',
  on: fhir('Basic'),
  retry: { from: seconds(1), to: seconds(2) },
  handle(event, { attempt }) {
    if (event.resourceId.startsWith(FLAKY_PREFIX) && attempt === 1) throw new Error('Fails at its first try.');
  },
});
