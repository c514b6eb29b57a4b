import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StartError } from '../host/start-error.js';
import { makePackage, zippedSize } from './make-package.js';

const HELP = `npm run package [-- --to FOLDER]

Makes what is deployed: host.json, the app as one bundle, and the licences of what is in it.

  --to FOLDER  another folder than .local/package, which azure.yaml names; it is emptied first
  --help       this text
`;

try {
  const { to, help } = parseOptions();
  if (help) process.stdout.write(HELP);
  else await writePackage(resolve(to));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

async function writePackage(to: string): Promise<void> {
  const files = await makePackage(process.cwd(), to);
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  process.stdout.write(`${to}: ${files.length} files, ${megabytes(bytes)}, zipped ${megabytes(zippedSize(files))}\n`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function parseOptions(): { to: string; help: boolean } {
  const options = {
    to: { type: 'string', default: '.local/package' },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${HELP}`);
  }
}
