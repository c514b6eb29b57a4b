import { defineWorkflow, fhir, seconds } from '../workflow.js';

/** The workflow fails once for resources with this prefix. */
export const FLAKY_PREFIX = 'demo-flaky-';

/** A workflow of the demonstration that fails at its first try and succeeds at the second. */
export const demoFlaky = defineWorkflow({
  name: 'demo-flaky',
  on: fhir('Basic'),
  retry: { from: seconds(1), to: seconds(2) },
  handle(event, { attempt }) {
    if (event.resourceId.startsWith(FLAKY_PREFIX) && attempt === 1) throw new Error('Fails at its first try.');
  },
});
