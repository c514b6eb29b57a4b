import { registerApp } from './functions/register.js';
import { workflows } from './workflows/index.js';

await registerApp({
  workflows,
  loadSimulator: () => import('./simulator/register.js'),
  ui: new URL('page/', import.meta.url),
});
