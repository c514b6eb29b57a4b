import { setTimeout as sleep } from 'node:timers/promises';
import { registerApp } from '../../../src/functions/register.js';
import { defineWorkflow, fhir, seconds } from '../../../src/workflow.js';

// Handlers that report their begin and their end to the server of the test, which replies how long they take.

async function report(workflow, { id }, what) {
  const body = JSON.stringify({ workflow, id, what });
  return Number(await (await fetch(process.env.END_SERVER, { method: 'POST', body })).text());
}

/** Ignores its signal. Its timeout is no longer than the deadline, so its jobs start within a delivery. */
const stubborn = defineWorkflow({
  name: 'stubborn',
  on: fhir('Patient', ['updated']),
  timeout: seconds(20),
  concurrency: 1000,
  async handle(event) {
    await sleep(await report('stubborn', event, 'begins'));
    await report('stubborn', event, 'done');
  },
});

/** Its timeout exceeds the deadline, so its jobs start only from rows. Ends when its signal aborts. */
const long = defineWorkflow({
  name: 'long',
  on: fhir('Patient', ['created']),
  timeout: seconds(60),
  async handle(event, { signal }) {
    await sleep(await report('long', event, 'begins'), undefined, { signal });
    await report('long', event, 'done');
  },
});

await registerApp({ workflows: [stubborn, long] });
