import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Writes the results that test/run.mjs reads to the file that TEST_RESULTS names. */
export default class ResultsReporter {
  onRunComplete(_contexts, results) {
    const { numTotalTests, numPassedTests, numFailedTests, numRuntimeErrorTestSuites, startTime, testResults } =
      results;
    const files = testResults.map(({ testFilePath, perfStats }) => [
      relative(process.cwd(), testFilePath),
      (perfStats.end - perfStats.start) / 1000,
    ]);
    const run = {
      tests: numTotalTests,
      passed: numPassedTests,
      failed: numFailedTests + numRuntimeErrorTestSuites,
      seconds: (Date.now() - startTime) / 1000,
      files: Object.fromEntries(files),
    };
    writeFileSync(process.env.TEST_RESULTS, JSON.stringify(run));
  }
}
