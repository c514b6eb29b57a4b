import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';

const FILES = ['tsconfig.json', 'biome.json', 'package.json', 'host.json', 'local.settings.sample.json'];
const INDEX = `import type { Workflow } from '../workflow.js';
import { imagingStudies } from './imaging-studies/imaging-studies.js';
import { observationAlerts } from './observation-alerts/observation-alerts.js';
import { patientRegistry } from './patient-registry/patient-registry.js';
import { resourceIndex } from './resource-index.js';

/** The workflows that run. Put yours in here; take out what you do not want. */
export const workflows: readonly Workflow[] = [resourceIndex, patientRegistry, observationAlerts, imagingStudies];
`;
const bin = (path: string) => resolve('node_modules', path);

/** Copies the sources into a folder of the project, where they find the packages. The folder is deleted at the end. */
export function projectCopy() {
  let folder = '';
  beforeAll(() => {
    mkdirSync('.local', { recursive: true });
    folder = mkdtempSync(join(resolve('.local'), 'copy-'));
    cpSync('src', join(folder, 'src'), { recursive: true });
    // The copy is as cloned, even if somebody has followed the guide in the real folder.
    rmSync(join(folder, 'src/workflows/glucose-trend.ts'), { force: true });
    writeFileSync(join(folder, 'src/workflows/index.ts'), INDEX);
    mkdirSync(join(folder, 'test', 'workflows'), { recursive: true });
    for (const file of FILES) copyFileSync(file, join(folder, file));
    writeFileSync(join(folder, 'jest.config.mjs'), jestConfig());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const node = (args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  return {
    path: () => folder,

    /** Runs a script of the copy from its sources. */
    run: ([script = '', ...args]: readonly string[]) =>
      node(['--import', resolve('test/local/run-typescript.mjs'), join(folder, script), ...args]),

    /** Runs the tests that were written into the copy. */
    test(): { passed: number; failed: number } {
      const { stdout } = node([bin('jest/bin/jest.js'), '--rootDir', folder, '--json']);
      const { numPassedTests: passed, numFailedTests: failed, numRuntimeErrorTestSuites: broken } = JSON.parse(stdout);
      return { passed, failed: failed + broken };
    },

    /** Returns the problems that the compiler finds in the copy, and the linter in `files`; '' if there are none. */
    check(files: readonly string[]): string {
      const lint = node([bin('@biomejs/biome/bin/biome'), 'check', ...files]);
      const compiler = node([bin('typescript/bin/tsc'), '-p', 'tsconfig.json']);
      return `${lint.status === 0 ? '' : lint.stdout + lint.stderr}${compiler.status === 0 ? '' : compiler.stdout}`;
    },
  };
}

function jestConfig(): string {
  const parser = { syntax: 'typescript' };
  const transform = {
    '^.+\\.ts$': [bin('@swc/jest'), { jsc: { parser, target: 'es2024' }, module: { type: 'commonjs' } }],
  };
  const moduleNameMapper = { '^(\\.{1,2}/.*)\\.js$': '$1' };
  const testTimeout = 600_000; // No test fails because its machine is slow.
  const config = { testMatch: ['**/*.test.ts'], transform, moduleNameMapper, roots: ['<rootDir>/test'], testTimeout };
  return `export default ${JSON.stringify(config)};\n`;
}
