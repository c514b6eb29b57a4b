import { tryBuildPage } from './build-ui.js';

/** Builds the page: the second half of `npm run build`. */
if (!(await tryBuildPage())) process.exit(1);
