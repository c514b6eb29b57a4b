import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const contributing = readFileSync('CONTRIBUTING.md', 'utf8');
const testFiles = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.includes('test-commands'))
  .map((name) => join('test', name));

/** What `npm test -- …` prints, line by line. */
function runTests(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['test/run.mjs', ...args], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n'), all: stdout + stderr };
}

describe('when somebody runs npm test', () => {
  it('given --help, then it prints the ways to run tests, and runs none', () => {
    const { status, all } = runTests('--help');

    expect(status).toBe(0);
    for (const command of ['npm run test:quick', 'npm test -- PATTERN']) expect(all).toContain(command);
    expect(all).not.toMatch(/\d passed/);
  });

  it('given a pattern, then the last line is the verdict, and no line names a file of results', () => {
    const { status, lines, all } = runTests('test/digest');

    expect(status).toBe(0);
    expect(lines.at(-1)).toMatch(/^[1-9]\d* passed, 0 failed$/);
    expect(all).not.toContain('results');
  });

  it('given a pattern that matches nothing, then that is a failure', () => {
    const { status, lines } = runTests('test/there-is-no-such-test');

    expect({ status, last: lines.at(-1) }).toEqual({ status: 1, last: '0 passed, 1 failed' });
  });
});

describe('the commands to run tests', () => {
  it('given a script of npm in CONTRIBUTING.md, then package.json has it; and test:quick is the one for daily work', () => {
    const named = [...contributing.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);

    for (const name of named) expect(scripts).toHaveProperty([name]);
    expect(contributing).toMatch(/test:quick.*daily work/);
    expect(readFileSync('README.md', 'utf8')).toMatch(/daily work.*test:quick/);
  });

  it('given durations.json, then each file that it names is there', () => {
    const { files } = JSON.parse(readFileSync('test/durations.json', 'utf8')) as { files: Record<string, number> };

    expect(Object.keys(files).filter((file) => !existsSync(file))).toEqual([]);
  });

  it('given a slow machine, then no test has a time limit of its own', () => {
    const limit = /jest\.setTimeout\(|^ *\}, [\d_]+\);$/m;

    expect(testFiles.filter((file) => limit.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
});
