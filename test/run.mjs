// npm test [-- PATTERN …]: type-checks, lints, and runs the tests; the last line says how many passed and failed.
// With patterns, only the tests whose path matches, and no check.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const patterns = process.argv.slice(2);
const require = createRequire(import.meta.url);
const bin = (name, path) => join(dirname(require.resolve(`${name}/package.json`)), path);
const node = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0;

if (patterns.length === 0) {
  const isChecked =
    node(bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json') &&
    node(bin('typescript', 'bin/tsc'), '-p', 'infra/hooks/tsconfig.json') &&
    node(bin('@biomejs/biome', 'bin/biome'), 'check');
  if (!isChecked) {
    console.log('No test was run: mend what is said above. `npm run format` mends the format of files by itself.');
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'ahds-events-'));
const results = join(folder, 'results.json');
const hasPassed = node(bin('jest', 'bin/jest.js'), '--json', `--outputFile=${results}`, ...patterns);
const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = readResults();
rmSync(folder, { recursive: true });
const failed = numFailedTests + numRuntimeErrorTestSuites || (hasPassed ? 0 : 1);
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 && numPassedTests > 0 ? 0 : 1);

function readResults() {
  try {
    return JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 1 };
  }
}
