import { setTimeout as sleep } from 'node:timers/promises';
import { registerApp } from '../../../src/functions/register.js';
import { defineWorkflow, fhir, seconds } from '../../../src/workflow.js';

// Handlers that take as long as a server outside says, and tell it when they begin and when they are done.

async function tell(workflow, { id }, what) {
  const body = JSON.stringify({ workflow, id, what });
  return Number(await (await fetch(process.env.END_SERVER, { method: 'POST', body })).text());
}

/** Takes no notice of its signal, and its timeout is no longer than a delivery may take. */
const stubborn = defineWorkflow({
  name: 'stubborn',
  on: fhir('Patient', ['updated']),
  timeout: seconds(20),
  concurrency: 1000,
  async handle(event) {
    await sleep(await tell('stubborn', event, 'begins'));
    await tell('stubborn', event, 'done');
  },
});

/** Runs from rows alone, and ends when it is aborted. */
const long = defineWorkflow({
  name: 'long',
  on: fhir('Patient', ['created']),
  timeout: seconds(60),
  async handle(event, { signal }) {
    await sleep(await tell('long', event, 'begins'), undefined, { signal });
    await tell('long', event, 'done');
  },
});

await registerApp({ workflows: [stubborn, long] });
