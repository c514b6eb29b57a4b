import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { StartError } from '../host/start-error.js';
import { buildUi } from '../ui/build-ui.js';
import { bundleApp } from './bundle.js';
import { thirdPartyNotices } from './notices.js';

/** Files of the project that are copied unchanged. */
const COPIED = ['host.json', 'LICENSE'];
/** An optional folder of files that settings name, such as alert rules. */
const ASSETS = 'assets';
const NOTICES = 'THIRD-PARTY-NOTICES.txt';
/** The sizes of a file's two headers, and of the archive's end. */
const HEADERS_BYTES = 30 + 46;
const END_BYTES = 22;

export type File = { readonly name: string; readonly content: Buffer };

/**
 * Writes the deployment package of the project in `root` to the folder `to`: the app as one bundle, with nothing to
 * install or build in Azure.
 * @throws StartError where the package would be incomplete.
 */
export async function makePackage(root: string, to: string): Promise<readonly File[]> {
  checkIsOurs(to);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const { inputs } = await bundleApp(root, to);
  const uiInputs = existsSync(join(root, 'src/ui')) ? await buildUi(root, join(to, 'page')) : [];
  for (const file of COPIED) cpSync(join(root, file), join(to, file));
  if (existsSync(join(root, ASSETS))) cpSync(join(root, ASSETS), join(to, ASSETS), { recursive: true });
  writeFileSync(join(to, NOTICES), thirdPartyNotices(root, [...inputs, ...uiInputs]));
  writeFileSync(join(to, 'package.json'), manifestOf(readFileSync(join(root, 'package.json'), 'utf8')));
  return readFiles(to);
}

/** Returns all files in a folder and its subfolders, by their paths from that folder. */
export function readFiles(folder: string): File[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: path.slice(folder.length + 1), content: readFileSync(path) }));
}

/** Returns a manifest without scripts and dependencies, so that Azure has nothing to build or install. */
function manifestOf(projectManifest: string): string {
  const { name, version, license } = JSON.parse(projectManifest);
  const manifest = { name, version, license, private: true, type: 'module', main: 'main.js' };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Refuses a folder with other files, because the folder is emptied first. */
function checkIsOurs(folder: string): void {
  const isFree = !existsSync(folder) || readdirSync(folder).length === 0;
  if (isFree || existsSync(join(folder, NOTICES))) return;
  throw new StartError(`${folder} holds files that are no package. Name another folder, or empty this one.`);
}

/** Returns the size of a zip archive of `files` in bytes. A file is deflated where that makes it smaller. */
export function zippedSize(files: readonly File[]): number {
  return files.reduce((sum, { name, content }) => {
    const data = Math.min(content.length, deflateRawSync(content).length);
    return sum + HEADERS_BYTES + 2 * Buffer.byteLength(name) + data; // both headers hold the name
  }, END_BYTES);
}
