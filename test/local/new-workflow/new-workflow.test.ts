import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectCopy } from '../project-copy.js';

const project = projectCopy();
const newWorkflow = (...args: string[]) => project.run(['src/local/new-workflow/main.ts', ...args]);
const inProject = (path: string) => join(project.path(), path);

describe('when somebody begins a workflow', () => {
  it('given a type of FHIR and dicom, then the new files pass their tests, the compiler and the lint', () => {
    const names = ['glucose-trend', 'longest-of-them-all-for-lines-that-must-be-broken', 'route-ct'];
    const [fhir, long, dicom] = names as [string, string, string];

    expect(newWorkflow('Observation', fhir)).toMatchObject({ status: 0, stderr: '' });
    expect(newWorkflow('MedicinalProductContraindication', long)).toMatchObject({ status: 0 });
    expect(newWorkflow('dicom', dicom)).toMatchObject({ status: 0 });

    const index = readFileSync(inProject('src/workflows/index.ts'), 'utf8');
    expect(index).toMatch(/resourceIndex,.*glucoseTrend,.*longestOfThemAllForLinesThatMustBeBroken,.*routeCt/s);
    expect(project.test()).toEqual({ passed: 12, failed: 0 });
    const own = names.flatMap((name) => [`src/workflows/${name}.ts`, `test/workflows/${name}.test.ts`]);
    expect(project.check(['src/workflows/index.ts', ...own])).toBe('');
  });

  it('given names that mean something in the language, then the new files work, too', () => {
    const before = project.test().passed;
    const named = [
      ['Patient', 'module'],
      ['Patient', 'async'],
      ['Encounter', 'encounter'],
      ['Observation', 'digest'],
      ['Patient', 'patients'],
      ['Patient', 'waiting'],
      ['dicom', 'instance'],
    ] as const;

    for (const [what, name] of named) expect(newWorkflow(what, name)).toMatchObject({ status: 0, stderr: '' });

    expect(project.test()).toEqual({ passed: before + 4 * named.length, failed: 0 });
    expect(project.check(named.map(([, name]) => `src/workflows/${name}.ts`))).toBe('');
    expect(readFileSync(inProject('src/workflows/patients.ts'), 'utf8')).toContain("tables('patientsrows')");
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
    { given: 'a word of the language', args: ['Patient', 'delete'], says: "'delete' is a word of the language" },
    { given: 'an unknown option', args: ['--force'], says: "Unknown option '--force'" },
    { given: 'control characters', args: ['Patient', '\x1b[31m\u202e'], says: "'\\u001b[31m\\u202e' must be" },
  ])('given $given, then the error says so, and nothing is written', ({ args, says }) => {
    const before = readFileSync(inProject('src/workflows/index.ts'), 'utf8');

    const { status, stdout, stderr } = newWorkflow(...args);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect(readFileSync(inProject('src/workflows/index.ts'), 'utf8')).toBe(before);
    for (const name of [args.at(-1), 'x'])
      expect(existsSync(inProject(`src/workflows/${name}.ts`))).toBe(name === 'resource-index');
  });

  it('given --help, then it prints its usage', () => {
    expect(newWorkflow('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('npm run new:workflow') });
  });
});
