import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

jest.setTimeout(120_000);

const MAIN = resolve('src/local/new-workflow/main.ts');
const LOADER = resolve('test/local/run-typescript.mjs');
const bin = (path: string) => resolve('node_modules', path);

/** A copy of the project beside the real one: it finds the packages, and nothing that is written stays. */
let folder = '';
beforeAll(() => {
  mkdirSync('.local', { recursive: true });
  folder = mkdtempSync(join(resolve('.local'), 'new-workflow-'));
  cpSync('src', join(folder, 'src'), { recursive: true });
  mkdirSync(join(folder, 'test', 'workflows'), { recursive: true });
  for (const file of ['tsconfig.json', 'biome.json', 'package.json']) copyFileSync(file, join(folder, file));
});
afterAll(() => rmSync(folder, { recursive: true }));

function newWorkflow(...args: string[]) {
  return run(['--import', LOADER, MAIN, ...args]);
}

function run(args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('when somebody begins a workflow', () => {
  it('given a type of FHIR and dicom, then what is written passes its tests, the compiler and the lint', () => {
    const names = ['glucose-trend', 'longest-of-them-all-for-lines-that-must-be-broken', 'route-ct'];
    const [fhir, long, dicom] = names as [string, string, string];

    expect(newWorkflow('Observation', fhir)).toMatchObject({ status: 0, stderr: '' });
    expect(newWorkflow('MedicinalProductContraindication', long)).toMatchObject({ status: 0 });
    expect(newWorkflow('dicom', dicom)).toMatchObject({ status: 0 });

    const index = readFileSync(join(folder, 'src/workflows/index.ts'), 'utf8');
    expect(index).toMatch(/resourceIndex,.*glucoseTrend,.*longestOfThemAllForLinesThatMustBeBroken,.*routeCt/s);
    writeFileSync(join(folder, 'jest.config.mjs'), jestConfig());
    const tests = run([bin('jest/bin/jest.js'), '--rootDir', folder, '--json']);
    const { numPassedTests, numFailedTests } = JSON.parse(tests.stdout);
    expect({ numPassedTests, numFailedTests }).toEqual({ numPassedTests: 12, numFailedTests: 0 });
    const own = names.flatMap((name) => [`src/workflows/${name}.ts`, `test/workflows/${name}.test.ts`]);
    expect(run([bin('@biomejs/biome/bin/biome'), 'check', 'src/workflows/index.ts', ...own])).toMatchObject({
      status: 0,
    });
    expect(run([bin('typescript/bin/tsc'), '-p', 'tsconfig.json'])).toMatchObject({ status: 0, stdout: '' });
  });

  it.each([
    { given: 'no name', args: ['Observation'], says: 'It takes two arguments; there are 1.' },
    { given: 'another case', args: ['observation', 'x'], says: 'did you mean Observation?' },
    { given: 'no type', args: ['Potato', 'x'], says: "'Potato' is neither dicom nor a type of FHIR R4." },
    { given: 'a name that is none', args: ['Observation', '../x'], says: "'../x' must be 1 to 63 of a-z" },
    {
      given: 'a name that is taken',
      args: ['Observation', 'resource-index'],
      says: "There is a workflow named 'resource-index'.",
    },
    { given: 'an unknown option', args: ['--force'], says: "Unknown option '--force'" },
  ])('given $given, then it says so, and nothing is written', ({ args, says }) => {
    const before = readFileSync(join(folder, 'src/workflows/index.ts'), 'utf8');

    const { status, stdout, stderr } = newWorkflow(...args);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect(readFileSync(join(folder, 'src/workflows/index.ts'), 'utf8')).toBe(before);
    expect(existsSync(join(folder, 'src/workflows/x.ts'))).toBe(false);
  });

  it('given --help, then how it is used', () => {
    expect(newWorkflow('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('npm run new:workflow') });
  });
});

function jestConfig(): string {
  const transform = {
    '^.+\\.ts$': [
      bin('@swc/jest'),
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'commonjs' } },
    ],
  };
  const moduleNameMapper = { '^(\\.{1,2}/.*)\\.js$': '$1' };
  return `export default ${JSON.stringify({ testMatch: ['**/*.test.ts'], transform, moduleNameMapper, roots: ['<rootDir>/test'] })};\n`;
}
