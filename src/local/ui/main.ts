import { StartError } from '../host/start-error.js';
import { buildUi } from './build-ui.js';

/** Builds the page into `dist/page`, from where the function `ui` serves it: the second half of `npm run build`. */
try {
  await buildUi(process.cwd(), 'dist/page');
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
