import { registerApp } from '../../src/functions/register.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';

await registerApp({ workflows: [resourceIndex] });
