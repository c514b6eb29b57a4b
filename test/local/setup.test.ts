import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const INSTALLS = `const { mkdirSync, writeFileSync } = require('node:fs');
mkdirSync('node_modules', { recursive: true });
writeFileSync('node_modules/.package-lock.json', '{}');
console.error('npm ' + process.argv.slice(2).join(' '));`;
const LOCK = {
  packages: { '': {}, 'node_modules/a': {}, 'node_modules/b': { dev: true }, 'node_modules/c': { optional: true } },
};

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'ahds-setup-'));
  mkdirSync(dirname(scriptOf()), { recursive: true });
  copyFileSync('src/local/setup.mjs', scriptOf());
  writeFileSync(join(project, 'package-lock.json'), JSON.stringify(LOCK));
});
afterEach(() => rmSync(project, { recursive: true }));

describe('when the project is set up', () => {
  it('given nothing is installed, then the first lines say what is installed, and how long that takes', () => {
    expect(setUp(INSTALLS).lines).toEqual([
      'Installing 2 packages with npm ci, some 800 MB in node_modules: the Azure SDKs, Azurite, the compiler, tools for tests.',
      'This takes one to two minutes, and happens again only when package-lock.json changes.',
      'npm ci --loglevel=error',
      expect.stringMatching(/^Installed in \d+ s\.$/),
    ]);
  });

  it('given all is installed, then it prints nothing', () => {
    setUp(INSTALLS);

    expect(setUp(INSTALLS)).toEqual({ status: 0, lines: [] });
  });

  it('given npm fails, then the last line says so, and the exit code is 1', () => {
    const { status, lines } = setUp('process.exit(3)');

    expect(status).toBe(1);
    expect(lines.at(-1)).toBe('npm ci failed, see above; nothing was started.');
  });
});

const scriptOf = () => join(project, 'src', 'local', 'setup.mjs');

/** Runs setup.mjs of a small project, with `npm` as the source of npm. */
function setUp(npm: string): { status: number | null; lines: string[] } {
  const stub = join(project, 'npm.cjs');
  writeFileSync(stub, npm);
  const env = { ...process.env, npm_execpath: stub };
  const { status, stderr } = spawnSync(process.execPath, [scriptOf(), '--no-build'], { env, encoding: 'utf8' });
  return { status, lines: stderr.split('\n').filter(Boolean) };
}
