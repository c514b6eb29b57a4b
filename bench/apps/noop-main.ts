import { registerApp } from '../../src/functions/register.js';
import { noop } from './noop.js';

await registerApp({ workflows: [noop] });
