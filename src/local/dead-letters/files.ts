import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { placeOfError } from '../../json-place.js';
import { openPrivateFile, type PrivateFile, problemOfPlace } from '../private-file.js';
import { OptionError, textOf, type Values } from './options.js';

/** Returns the path of --out; refuses a place where git would find clinical data. */
export function outPathOf(values: Values): string | undefined {
  const file = textOf(values, 'out');
  if (file === undefined) return undefined;
  const path = pathOf(file);
  const problem = problemOfPlace(path, process.cwd());
  if (problem !== undefined) throw new OptionError(`--out is '${file}', which ${problem}.`);
  return path;
}

/** Opens the file of --out, which only its owner can read. */
export function openOut(path: string): PrivateFile {
  try {
    return openPrivateFile(path, process.cwd());
  } catch (error) {
    throw new OptionError(`--out: ${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** Names of files are relative to the folder in which npm was called. */
function pathOf(file: string): string {
  return resolve(process.env.INIT_CWD ?? '.', file);
}

/** Returns the JSON in the file of --edit. */
export function readJsonFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(pathOf(file), 'utf8');
  } catch (error) {
    throw new OptionError(`--edit: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new OptionError(`--edit: ${file} is not JSON: ${placeOfError(text)} is where it stops being JSON.`);
  }
}
