import { workflows } from '../../src/workflows/index.js';
import { registerMeasured } from './measured.js';

await registerMeasured(workflows);
