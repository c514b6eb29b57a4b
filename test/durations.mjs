import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { sep } from 'node:path';

// How many tests there are and how long they take, as of the last `npm run test:durations`.

const FILE = new URL('durations.json', import.meta.url);
/** Shorter files are left out: their order does not matter. */
const MIN_SECONDS = 1;
/** From this share of difference on, the recorded number of tests is out of date. */
const MAX_DIFFERENCE = 0.05;

const recorded = JSON.parse(readFileSync(FILE, 'utf8'));

/** How long the file takes, `test/…` from the root of the project; 0 for a short or new one. */
export function secondsOf(path) {
  return recorded.files[path.split(sep).join('/')] ?? 0;
}

/** The files that take longer. */
export function filesOver(seconds) {
  return Object.keys(recorded.files).filter((path) => recorded.files[path] > seconds);
}

export function announcement() {
  const { tests, seconds, cores } = recorded;
  return `About ${Math.round(tests / 100) * 100} tests; they take about ${Math.ceil(seconds / 60)} minutes on ${cores} cores.`;
}

/** What is wrong with the recorded number of tests after a run of all of them, if anything. */
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
