import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A workflow can raise the limit of the length of a stack. */
const MAX_FRAMES = 100;
/** A file of the app, as a path from the app's folder of code. */
const FILE = /^(?!node_modules\/)(?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.[cm]?[jt]s$/;
const MAX_PATH = 150;
/** The folders that run every job: their frames do not show the cause of an error. */
const RUNNERS = /^(handler|pipeline)\//;
const WORKFLOWS = 'workflows/';
/** The comment that esbuild writes before each module in a bundle. */
const MODULE = /^\/\/ (?:src\/(\S+)\.ts|\S+\.[cm]?js(?:on)?)$/;

type Frame = { readonly path: string; readonly line: number };
type Place = { readonly file: string; readonly line: number };
/** A module in a file of the bundle, and its first line. `module` is undefined for a module of a package. */
type Section = { readonly module: string | undefined; readonly begins: number };

/**
 * Returns the place where the app's own code has failed, such as `workflows/potassium-alert.js:42`, or '' if the stack has
 * no frame of the app. The place is the first frame in `workflows`. Without such a frame, the place is the first frame of
 * the app outside `RUNNERS`. The line is that of the compiled file; in a bundle, it counts from the start of the module.
 *
 * P1: the result cannot contain text of the error's message. V8 passes the frames to `Error.prepareStackTrace` when the
 * stack of an error is first read. So an error whose stack was read before has no frames, and neither has an error with a
 * getter `stack` of its own.
 */
export function appFrameOf(error: Error, root: string = ROOT): string {
  const frames = callSitesOf(error)
    .slice(0, MAX_FRAMES)
    .flatMap((site) => frameOf(placeOf(site), root) ?? []);
  const found = frames.find(({ path }) => path.startsWith(WORKFLOWS)) ?? frames.find(({ path }) => !RUNNERS.test(path));
  return found ? `${found.path}:${found.line}` : '';
}

/** Returns the frames of an error whose stack was not read before; [] for any other error. Never throws. */
function callSitesOf(error: Error): NodeJS.CallSite[] {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  let found: NodeJS.CallSite[] = [];
  const prepareStackTrace = (of: unknown, sites: NodeJS.CallSite[]) => {
    if (of === error) found = sites;
    return [String(of), ...sites].join('\n    at '); // the text that later readers get
  };
  try {
    Object.defineProperty(Error, 'prepareStackTrace', { value: prepareStackTrace, configurable: true, writable: true });
    Reflect.get(error, 'stack');
  } catch {
    // A getter of the error has thrown, or the workflow has frozen `Error`.
  } finally {
    restore(before);
  }
  return found;
}

function restore(before: PropertyDescriptor | undefined): void {
  if (before) Reflect.defineProperty(Error, 'prepareStackTrace', before);
  else Reflect.deleteProperty(Error, 'prepareStackTrace');
}

function placeOf(site: NodeJS.CallSite): Place | undefined {
  const name = site.getFileName();
  const line = site.getLineNumber();
  if (typeof name !== 'string' || line === null) return undefined;
  try {
    return { file: (name.startsWith('file:') ? fileURLToPath(name) : name).replaceAll('\\', '/'), line };
  } catch {
    return undefined; // a URL that is no path
  }
}

function frameOf(place: Place | undefined, root: string): Frame | undefined {
  if (!place?.file.startsWith(`${root}/`)) return undefined;
  const path = place.file.slice(root.length + 1);
  if (!FILE.test(path) || path.length > MAX_PATH) return undefined;
  const section = IS_BUNDLED ? sectionsOf(place.file).findLast(({ begins }) => begins < place.line) : undefined;
  if (!section) return { path, line: place.line };
  return section.module === undefined ? undefined : { path: section.module, line: place.line - section.begins };
}

/** The modules in each file of the bundle. */
const sections = new Map<string, readonly Section[]>();

/** Reads a file of the bundle once, some milliseconds for 3 MB. */
function sectionsOf(file: string): readonly Section[] {
  const known = sections.get(file) ?? readSections(file);
  sections.set(file, known);
  return known;
}

function readSections(file: string): Section[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((text, at) => {
        const found = MODULE.exec(text);
        return found ? { module: found[1] && `${found[1]}.js`, begins: at + 1 } : [];
      });
  } catch {
    return []; // the frame then names the file of the bundle
  }
}

/** This file, as V8 names it: in a bundle, a module cannot ask for its own path. */
const HERE = placeOf(callSitesOf(new Error())[0] as NodeJS.CallSite)?.file ?? '';
const IS_BUNDLED = !/\/handler\/app-frame\.[jt]s$/.test(HERE);
/** The folder of the app's code: `dist` or `src`, or that of the bundle. */
const ROOT = IS_BUNDLED ? dirname(HERE) : dirname(dirname(HERE));
