import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../host/start-error.js';

const LICENSE_FILE = /^(licen[sc]e|notice|copying)/i;
const RULE = '-'.repeat(80);

/**
 * Returns the licences of the packages of `inputs`, paths from `root`. The licences require that a copy is passed on
 * with the bundle.
 * @throws StartError where a package names no licence.
 */
export function thirdPartyNotices(root: string, inputs: readonly string[]): string {
  const folders = [...new Set(inputs.flatMap((input) => packageFolderOf(input) ?? []))].sort();
  const sections = folders.map((folder) => noticeOf(join(root, folder)));
  const heading = `The app's bundle holds code of ${folders.length} packages, each under its own licence.`;
  return `${[heading, ...new Set(sections)].join(`\n\n${RULE}\n`)}\n`;
}

/**
 * Returns the folder of a file's package: node_modules/a/node_modules/@b/c for node_modules/a/node_modules/@b/c/d.js.
 */
export function packageFolderOf(input: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
}

function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string')
    throw new StartError(
      `${name} ${version} names no licence, so that it cannot be passed on with the package. Replace it.`,
    );
  const texts = readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version} (${license})`, ...texts].join('\n\n');
}
