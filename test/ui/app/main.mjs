import { pathToFileURL } from 'node:url';
import { registerApp } from '../../../src/functions/register.js';
import { defineWorkflow, fhir, NonRetriableError } from '../../../src/workflow.js';
import { workflows } from '../../../src/workflows/index.js';

// The app with one more workflow, which asks the server of the test whether it succeeds, and the page that the test has
// built.

const fragile = defineWorkflow({
  name: 'fragile',
  on: fhir('Observation'),
  async handle(_event, { signal }) {
    const answer = await fetch(process.env.PAGE_TEST_SERVER, { signal });
    if ((await answer.text()) !== 'ok')
      throw new NonRetriableError('The receiver refuses this patient: MARKER-MESSAGE');
  },
});

await registerApp({
  workflows: [...workflows, fragile],
  loadSimulator: () => import('../../../src/simulator/register.js'),
  ui: pathToFileURL(process.env.PAGE_FOLDER),
});
