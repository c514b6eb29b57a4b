import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { sep } from 'node:path';

// The number of tests and the durations of test files, from the last `npm run test:durations`.

const FILE = new URL('durations.json', import.meta.url);
/** durations.json omits shorter files, because their order does not matter. */
const MIN_SECONDS = 1;
/** The recorded number of tests is out of date if it differs from the real one by more than this share. */
const MAX_DIFFERENCE = 0.05;

const recorded = JSON.parse(readFileSync(FILE, 'utf8'));

/** The duration of a test file, 0 for a short or new file. `path` is relative to the root of the project. */
export function secondsOf(path) {
  return recorded.files[path.split(sep).join('/')] ?? 0;
}

/** The files that take longer than `seconds`. */
export function filesOver(seconds) {
  return Object.keys(recorded.files).filter((path) => recorded.files[path] > seconds);
}

export function announcement() {
  const { tests, seconds, cores } = recorded;
  return `About ${Math.round(tests / 100) * 100} tests; they take about ${Math.ceil(seconds / 60)} minutes on ${cores} cores.`;
}

/** Returns a message if a run of all tests shows that the recorded number of tests is out of date. */
export function complaint({ tests }) {
  if (Math.abs(tests - recorded.tests) <= MAX_DIFFERENCE * tests) return undefined;
  return `test/durations.json says ${recorded.tests} tests, and ${tests} ran: npm run test:durations records them anew.`;
}

/** Records a run of all tests. */
export function record({ tests, seconds, files }) {
  const long = Object.entries(files).filter(([, itsSeconds]) => itsSeconds >= MIN_SECONDS);
  const sorted = Object.fromEntries(long.map(([path, its]) => [path.split(sep).join('/'), Math.round(its)]).sort());
  const all = { tests, seconds: Math.round(seconds), cores: availableParallelism(), files: sorted };
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`);
}
