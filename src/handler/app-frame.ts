import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A stack can have any length, if a workflow raises its limit. */
const MAX_FRAMES = 100;
/** A file of the app, as a path from the app's folder of code. */
const FILE = /^(?!node_modules\/)(?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.[cm]?[jt]s$/;
const MAX_PATH = 150;
/** The handler and the pipeline run every job, so a frame of theirs says nothing of the cause. */
const MACHINERY = /^(handler|pipeline)\//;
const WORKFLOWS = 'workflows/';
/** The comment that esbuild writes before each module in a bundle. */
const MODULE = /^\/\/ (?:src\/(\S+)\.ts|\S+\.[cm]?js(?:on)?)$/;

type Frame = { readonly path: string; readonly line: number };
type Place = { readonly file: string; readonly line: number };
/** `module` is undefined for a module of a package. */
type Section = { readonly module: string | undefined; readonly begins: number };

/**
 * Returns where the app's own code has failed: the first frame in `workflows`, else the first frame of the app outside
 * of the machinery, as `workflows/potassium-alert.js:42`; '' if there is none. The line is that of the compiled file; in
 * the package, that of the compiled module in its bundle.
 *
 * P1: nothing of the error's message can get in. The frames are V8's own, never text of the stack: V8 makes the text at
 * its first reading, and passes the frames to `Error.prepareStackTrace`. A stack that was read before has no frames any
 * more, and a getter of a hostile error makes none of this error.
 */
export function appFrameOf(error: Error, root: string = ROOT): string {
  const frames = callSitesOf(error)
    .slice(0, MAX_FRAMES)
    .flatMap((site) => frameOf(placeOf(site), root) ?? []);
  const found =
    frames.find(({ path }) => path.startsWith(WORKFLOWS)) ?? frames.find(({ path }) => !MACHINERY.test(path));
  return found ? `${found.path}:${found.line}` : '';
}

/** Returns the frames of an error whose stack nobody has read; of any other error, none. Never throws. */
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

/** By file of the bundle: where its modules begin. */
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
    return []; // the file of the bundle is known all the same
  }
}

/** This file, as V8 names it: in a bundle, a module cannot ask for its own path. */
const HERE = placeOf(callSitesOf(new Error())[0] as NodeJS.CallSite)?.file ?? '';
const IS_BUNDLED = !/\/handler\/app-frame\.[jt]s$/.test(HERE);
/** The folder of the app's code: `dist` or `src`, or that of the bundle. */
const ROOT = IS_BUNDLED ? dirname(HERE) : dirname(dirname(HERE));
