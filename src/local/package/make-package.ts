import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../host/start-error.js';
import { bundleApp } from './bundle.js';
import { thirdPartyNotices } from './notices.js';
import type { File } from './zipped-size.js';

/** What of the project goes along as it is. */
const COPIED = ['host.json', 'LICENSE'];
/** A folder that need not be there: files that settings name, such as one's own alert rules. */
const ASSETS = 'assets';
const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/**
 * Makes anew, in the folder `to`, what is deployed of the project in `root`: the app as one bundle, and nothing that has
 * to be installed or built where it runs.
 * @throws StartError where it would not be whole.
 */
export async function makePackage(root: string, to: string): Promise<readonly File[]> {
  checkIsOurs(to);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const { inputs } = await bundleApp(root, to);
  for (const file of COPIED) cpSync(join(root, file), join(to, file));
  if (existsSync(join(root, ASSETS))) cpSync(join(root, ASSETS), join(to, ASSETS), { recursive: true });
  writeFileSync(join(to, NOTICES), thirdPartyNotices(root, inputs));
  writeFileSync(join(to, 'package.json'), manifestOf(readFileSync(join(root, 'package.json'), 'utf8')));
  return readFiles(to);
}

/** The files in a folder and below it, by their paths from there. */
export function readFiles(folder: string): File[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: path.slice(folder.length + 1), content: readFileSync(path) }));
}

/** No scripts and no dependencies: a build on the other side would find nothing to do. */
function manifestOf(projectManifest: string): string {
  const { name, version, license } = JSON.parse(projectManifest);
  const manifest = { name, version, license, private: true, type: 'module', main: 'main.js' };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** It is emptied first: never a folder with something else in it. */
function checkIsOurs(folder: string): void {
  const isFree = !existsSync(folder) || readdirSync(folder).length === 0;
  if (isFree || existsSync(join(folder, NOTICES))) return;
  throw new StartError(`${folder} has files in it that are no package: name another folder, or empty it.`);
}
