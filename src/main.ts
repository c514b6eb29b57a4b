import { registerApp } from './functions/register.js';
import { workflows } from './workflows/index.js';

registerApp({ workflows });
