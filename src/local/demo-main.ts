import { registerApp } from '../functions/register.js';
import { workflows } from '../workflows/index.js';
import { demoFlaky } from './demo-flaky.js';

// The app as src/main.ts registers it, with the workflow that the demonstration needs.
await registerApp({
  workflows: [...workflows, demoFlaky],
  loadSimulator: () => import('../simulator/register.js'),
});
