import { isPageBuilt } from './build-ui.js';

/** Builds the page: the second half of `npm run build`. */
if (!(await isPageBuilt())) process.exit(1);
