import { registerMeasured } from './measured.js';
import { noop } from './noop.js';

await registerMeasured([noop]);
