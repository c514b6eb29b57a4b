import { appendFileSync, closeSync, fchmodSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { OptionError, parseJsonOption, textOf, type Values } from '../options.js';

const LOCAL = '.local';
const OWNER_ONLY = 0o600;

type PrivateFile = { write(text: string): void; close(): void };

/** Returns the path of --out, if given. @throws OptionError for a place where git would find clinical data */
export function outPathOf(values: Values): string | undefined {
  const file = textOf(values, 'out');
  if (file === undefined) return undefined;
  const path = pathOf(file);
  const problem = problemOfPlace(path, process.cwd());
  if (problem !== undefined) throw new OptionError(`--out is '${file}', which ${problem}.`);
  return path;
}

/** Opens the empty file of --out, which only its owner can read and write. A device, such as /dev/stdout, keeps its mode. */
export function openOut(path: string, projectRoot = process.cwd()): PrivateFile {
  const folder = dirname(path);
  try {
    if (folder === resolve(projectRoot, LOCAL)) mkdirSync(folder, { recursive: true });
    const file = openSync(path, 'w', OWNER_ONLY);
    if (fstatSync(file).isFile()) fchmodSync(file, OWNER_ONLY); // else an existing file would keep its mode
    return { write: (text) => appendFileSync(file, text), close: () => closeSync(file) };
  } catch (error) {
    throw new OptionError(`--out: ${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** Names of files are relative to the folder in which npm was called. */
function pathOf(file: string): string {
  return resolve(process.env.INIT_CWD ?? '.', file);
}

/** Returns the content of the file of --edit. @throws OptionError if it cannot be read, or is not JSON. */
export function readJsonFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(pathOf(file), 'utf8');
  } catch (error) {
    throw new OptionError(`--edit: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  return parseJsonOption(text, `--edit: ${file} is`);
}

/** Returns why a file of clinical data must not be at `path`, or undefined. Git ignores only `.local/`. */
export function problemOfPlace(path: string, projectRoot: string): string | undefined {
  const inProject = relative(projectRoot, path);
  const [first = ''] = inProject.split(sep);
  if (first === '..' || isAbsolute(inProject) || first === LOCAL) return undefined;
  return `is in the project, where git would find clinical data: use a path in ${LOCAL}/, or one outside of the project`;
}
