import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const contributing = readFileSync('CONTRIBUTING.md', 'utf8');
const testFiles = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.includes('test-commands'))
  .map((name) => join('test', name));

/** Runs `npm test -- …`, and returns its status and output. */
function runTests(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['test/run.mjs', ...args], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n'), all: stdout + stderr };
}

describe('when a developer runs npm test', () => {
  it('given --help, then it prints the ways to run tests and runs no test', () => {
    const { status, all } = runTests('--help');

    expect(status).toBe(0);
    for (const command of ['npm run test:quick', 'npm test -- PATTERN']) expect(all).toContain(command);
    expect(all).not.toMatch(/\d passed/);
  });

  it('given a pattern, then the last line counts passed and failed tests, and no line names a results file', () => {
    const { status, lines, all } = runTests('test/digest');

    expect(status).toBe(0);
    expect(lines.at(-1)).toMatch(/^[1-9]\d* passed, 0 failed$/);
    expect(all).not.toContain('results');
  });

  it('given a pattern that matches no test, then the command fails', () => {
    const { status, lines } = runTests('test/there-is-no-such-test');

    expect({ status, last: lines.at(-1) }).toEqual({ status: 1, last: '0 passed, 1 failed' });
  });

  it('given a copy of the project that an interrupted test has left in .local, then the code is checked all the same', () => {
    mkdirSync('.local', { recursive: true });
    const copy = mkdtempSync(join('.local', 'copy-'));
    copyFileSync('biome.json', join(copy, 'biome.json'));

    const biome = ['node_modules/@biomejs/biome/bin/biome', 'check'];
    const { stderr } = spawnSync(process.execPath, biome, { encoding: 'utf8' });

    rmSync(copy, { recursive: true });
    expect(stderr).toMatch(/^Checked \d+ files/m);
  });
});

describe('when the documentation and settings name tests', () => {
  it('given npm scripts in CONTRIBUTING.md, then package.json has them, and the docs recommend test:quick for daily work', () => {
    const named = [...contributing.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);

    for (const name of named) expect(scripts).toHaveProperty([name]);
    expect(contributing).toMatch(/test:quick.*daily work/);
    expect(readFileSync('README.md', 'utf8')).toMatch(/daily work.*test:quick/);
  });

  it('given durations.json, then every file that it names exists', () => {
    const { files } = JSON.parse(readFileSync('test/durations.json', 'utf8')) as { files: Record<string, number> };

    expect(Object.keys(files).filter((file) => !existsSync(file))).toEqual([]);
  });

  it('given that machines may be slow, then no test sets its own time limit', () => {
    const limit = /jest\.setTimeout\(|^ *\}, [\d_]+\);$/m;

    expect(testFiles.filter((file) => limit.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
});
