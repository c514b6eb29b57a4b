import { registerApp } from '../../../src/functions/register.js';
import { defineWorkflow, fhir, minutes, NonRetriableError, resourceOf, seconds } from '../../../src/workflow.js';
import { workflows } from '../../../src/workflows/index.js';

// The app with three more workflows, which report every run to the server of the test before they do anything.

const retry = { tries: 20, from: seconds(1), to: seconds(3), giveUpAfter: minutes(10) };

async function report(workflow, event, { idempotencyKey, attempt, signal }) {
  const startedMs = Date.now();
  const body = JSON.stringify({ workflow, address: idempotencyKey, attempt, id: event.id, startedMs });
  const answer = await fetch(process.env.NIGHT_SERVER, { method: 'POST', body, signal });
  const what = await answer.text();
  if (what === 'throw') throw new Error('The test server requested this failure.');
  if (what === 'for-good') throw new NonRetriableError('The test server requested this failure.');
}

const tally = defineWorkflow({
  name: 'tally',
  on: fhir('*'),
  retry,
  handle: (event, context) => report('tally', event, context),
});

const long = defineWorkflow({
  name: 'long',
  on: fhir('*', ['created']),
  timeout: seconds(30), // more than the deadline, so its jobs start only from rows
  retry,
  handle: (event, context) => report('long', event, context),
});

const newest = defineWorkflow({
  name: 'newest',
  on: fhir('*'),
  ordering: 'latest',
  retry,
  async handle(event, context) {
    await report('newest', event, context);
    const key = resourceOf(event).replaceAll(/\W/g, '');
    await context.tables('newest').change('p', key, () => ({ version: event.version }));
  },
});

// Their own retries would make the end of a night wait for hours.
const included = workflows.map((workflow) => ({ ...workflow, retry: tally.retry }));

await registerApp({ workflows: [...included, tally, long, newest] });
