import { registerBeside } from './beside.js';

registerBeside(() => {
  throw new Error('It always fails.');
});
