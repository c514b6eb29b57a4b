import { registerApp } from '../../../src/functions/register.js';
import { defineWorkflow, fhir, minutes, NonRetriableError, resourceOf, seconds } from '../../../src/workflow.js';
import { workflows } from '../../../src/workflows/index.js';

// The app with three workflows more, every run of which is told to a server outside before it does anything.

const retry = { tries: 20, from: seconds(1), to: seconds(3), giveUpAfter: minutes(10) };

async function tell(workflow, event, { idempotencyKey, attempt, signal }) {
  const body = JSON.stringify({ workflow, address: idempotencyKey, attempt, id: event.id });
  const answer = await fetch(process.env.NIGHT_SERVER, { method: 'POST', body, signal });
  const what = await answer.text();
  if (what === 'throw') throw new Error('as it was told to');
  if (what === 'for-good') throw new NonRetriableError('as it was told to');
}

const tally = defineWorkflow({
  name: 'tally',
  on: fhir('*'),
  retry,
  handle: (event, context) => tell('tally', event, context),
});

const long = defineWorkflow({
  name: 'long',
  on: fhir('*', ['created']),
  timeout: seconds(30), // more than the deadline: every run of it comes from a row
  retry,
  handle: (event, context) => tell('long', event, context),
});

const newest = defineWorkflow({
  name: 'newest',
  on: fhir('*'),
  ordering: 'latest',
  retry,
  async handle(event, context) {
    await tell('newest', event, context);
    const key = resourceOf(event).replaceAll(/\W/g, '');
    await context.tables('newest').change('p', key, () => ({ version: event.version }));
  },
});

await registerApp({ workflows: [...workflows, tally, long, newest] });
