import { registerApp } from '../../../src/functions/register.js';
import { defineWorkflow, fhir, seconds } from '../../../src/workflow.js';
import { resourceIndex } from '../../../src/workflows/resource-index.js';

// Handlers that report each run to the server of the test, before they do anything.

async function report(workflow, event, { idempotencyKey, signal }) {
  const { id, resourceId, change, version, time } = event;
  const body = JSON.stringify({ workflow, address: idempotencyKey, eventId: id, resourceId, change, version, time });
  await (await fetch(process.env.RECONCILE_SERVER, { method: 'POST', body, signal })).text();
}

const tally = defineWorkflow({
  name: 'tally',
  on: fhir('Patient'),
  handle: (event, context) => report('tally', event, context),
});

/** Its timeout exceeds the deadline, so its jobs start only from rows. */
const long = defineWorkflow({
  name: 'long',
  on: fhir('Patient'),
  timeout: seconds(30),
  handle: (event, context) => report('long', event, context),
});

const newest = defineWorkflow({
  name: 'newest',
  on: fhir('Patient'),
  ordering: 'latest',
  async handle(event, context) {
    await report('newest', event, context);
    const { resourceId, change, version } = event;
    await context.tables('newest').change('p', resourceId, () => ({ change, version }));
  },
});

await registerApp({ workflows: [resourceIndex, tally, long, newest] });
