import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { announcement, complaint, filesOver, record } from './durations.mjs';
import { findBrowser } from './ui/find-browser.ts';

const HELP = `npm test                        type-checks, lints, and runs all tests
npm run test:quick              type-checks, lints, and runs the tests of events, storage, pipeline and workflows, without
                                those that take over 8 seconds
npm test -- PATTERN …           runs the tests whose path matches, without type check and lint
npm test -- test/events -t key  runs those of them whose name matches; any other option of jest works, too
npm run test:durations          runs all tests, and records their number and durations in test/durations.json
npm test -- --help              prints this text

The last line says how many tests passed and failed. CONTRIBUTING.md says how long each takes, and how to debug a test.
`;

const QUICK = ['test/events', 'test/storage', 'test/pipeline', 'test/workflows'];
const NO_BROWSER =
  'The tests of the page did not run: they need Chromium, Chrome or Edge. Install one, or set BROWSER_PATH.';
/** test:quick leaves out longer files, so that it ends within a minute. */
const MAX_QUICK_SECONDS = 8;

const [first, ...rest] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const bin = (name, path) => join(dirname(require.resolve(`${name}/package.json`)), path);
/** The tests start many processes from the same sources, so Node keeps what it has compiled. */
const NODE_COMPILE_CACHE = join(import.meta.dirname, '../.local/compile-cache');
const node = (args, env = {}) =>
  spawnSync(process.execPath, args, { stdio: 'inherit', env: { NODE_COMPILE_CACHE, ...process.env, ...env } })
    .status === 0;

switch (first) {
  case '--help':
  case '-h':
    process.stdout.write(HELP);
    break;
  case undefined:
  case '--record':
    console.log(announcement());
    end(isChecked() ? runTests([]) : undefined, { isAll: true, isRecorded: first === '--record' });
    break;
  case '--quick':
    end(isChecked() ? runTests([...QUICK, ...withoutLong(), ...rest]) : undefined);
    break;
  default:
    end(runTests([first, ...rest]));
}

function withoutLong() {
  return ['/node_modules/', ...filesOver(MAX_QUICK_SECONDS)].map((path) => `--testPathIgnorePatterns=${path}`);
}

function isChecked() {
  return (
    node([bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json']) &&
    node([bin('typescript', 'bin/tsc'), '-p', 'src/ui/tsconfig.json']) &&
    node([bin('typescript', 'bin/tsc'), '-p', 'infra/hooks/tsconfig.json']) &&
    node([bin('@biomejs/biome', 'bin/biome'), 'check'])
  );
}

function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'ahds-events-'));
  const results = join(folder, 'results.json');
  const reporters = ['--reporters=default', `--reporters=${join(import.meta.dirname, 'results-reporter.mjs')}`];
  const hasPassed = node([bin('jest', 'bin/jest.js'), ...args, ...reporters], { TEST_RESULTS: results });
  const run = read(results);
  rmSync(folder, { recursive: true });
  return { ...run, failed: run.failed || (hasPassed ? 0 : 1) };
}

/** Reads the results of the run. Without a results file, jest ended before it ran a test. */
function read(results) {
  try {
    return JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return { tests: 0, passed: 0, failed: 1 };
  }
}

function end(run, { isAll = false, isRecorded = false } = {}) {
  if (!run) console.log('No test ran: fix what is reported above. `npm run format` fixes the formatting.');
  const { passed, failed } = run ?? { passed: 0, failed: 1 };
  if (failed === 0 && isRecorded) record(run);
  else if (failed === 0 && isAll && complaint(run)) console.log(complaint(run));
  if (run && !findBrowser()) console.log(NO_BROWSER);
  if (process.stdout.isTTY) console.log(); // jest leaves control codes of the terminal at the beginning of a line
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
