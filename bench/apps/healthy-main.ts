import { registerBeside } from './beside.js';

registerBeside(() => {});
