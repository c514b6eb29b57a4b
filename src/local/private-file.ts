import { appendFileSync, closeSync, fchmodSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';

const LOCAL = '.local';
const OWNER_ONLY = 0o600;

export type PrivateFile = { write(text: string): void; close(): void };

/** Returns why a file of clinical data must not be at `path`, or undefined. Git ignores only `.local/`. */
export function problemOfPlace(path: string, projectRoot: string): string | undefined {
  const inProject = relative(projectRoot, path);
  const [first = ''] = inProject.split(sep);
  if (first === '..' || isAbsolute(inProject) || first === LOCAL) return undefined;
  return `is in the project, where git would find clinical data: use a path in ${LOCAL}/, or one outside of the project`;
}

/** Opens an empty file that only its owner can read and write. A device, such as /dev/stdout, keeps its mode. */
export function openPrivateFile(path: string, projectRoot: string): PrivateFile {
  const folder = dirname(path);
  if (folder === resolve(projectRoot, LOCAL)) mkdirSync(folder, { recursive: true });
  const file = openSync(path, 'w', OWNER_ONLY);
  if (fstatSync(file).isFile()) fchmodSync(file, OWNER_ONLY); // else an existing file would keep its mode
  return { write: (text) => appendFileSync(file, text), close: () => closeSync(file) };
}
