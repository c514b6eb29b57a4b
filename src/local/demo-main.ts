import { registerApp } from '../functions/register.js';
import { workflows } from '../workflows/index.js';
import { demoFlaky } from './demo-flaky.js';

// Registers the app of src/main.ts, with one more workflow for the demonstration.
await registerApp({
  workflows: [...workflows, demoFlaky],
  loadSimulator: () => import('../simulator/register.js'),
  ui: new URL('../page/', import.meta.url),
});
