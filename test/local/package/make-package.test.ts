import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makePackage, zippedSize } from '../../../src/local/package/make-package.js';
import { packageFolderOf } from '../../../src/local/package/notices.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ahds-project-'));
  write({
    'package.json': '{ "name": "app", "version": "1.2.3", "scripts": { "build": "x" }, "dependencies": { "a": "1" } }',
    'host.json': '{}',
    LICENSE: 'ours',
    'src/main.ts': `import { a } from 'a';\nconsole.log(a satisfies number);\n`,
    'node_modules/a/package.json': '{ "name": "a", "version": "1.0.0", "license": "MIT", "type": "module" }',
    'node_modules/a/index.js': 'export const a = 1;\n',
    'node_modules/a/LICENCE.md': 'theirs',
  });
});
afterEach(() => rmSync(root, { recursive: true }));

describe('when a package is made', () => {
  it('given a project, then the folder holds it whole, without scripts and dependencies', async () => {
    const files = await make();

    expect(files.map(({ name }) => name)).toEqual([
      'LICENSE',
      'THIRD-PARTY-NOTICES.txt',
      'host.json',
      'main.js',
      'package.json',
    ]);
    expect(read('package.json')).toBe(
      '{\n  "name": "app",\n  "version": "1.2.3",\n  "private": true,\n  "type": "module",\n  "main": "main.js"\n}\n',
    );
    expect(read('THIRD-PARTY-NOTICES.txt')).toContain('a 1.0.0 (MIT)\n\ntheirs');
  });

  it('given files in assets/ and its folders, then the package has these files', async () => {
    write({ 'assets/rules.json': '{}', 'assets/more/rules.json': '[]' });

    await make();

    expect([read('assets/rules.json'), read('assets/more/rules.json')]).toEqual(['{}', '[]']);
  });

  it('given files of an earlier package, then they are removed', async () => {
    await make();
    writeFileSync(join(root, 'out/old.js'), '');

    const files = await make();

    expect(files.map(({ name }) => name)).not.toContain('old.js');
  });

  it('given a package that is loaded later by createRequire, then it becomes a file beside main.js', async () => {
    write({ 'src/main.ts': `import { createRequire } from 'node:module';\ncreateRequire(import.meta.url)('a');\n` });

    await make();

    expect(read('main.js')).toContain("createRequire(import.meta.url)('./a.cjs')".replaceAll("'", '"'));
    expect(read('a.cjs')).toContain('1');
    expect(read('THIRD-PARTY-NOTICES.txt')).toContain('a 1.0.0 (MIT)');
  });

  it.each([
    { given: 'an import of what is not installed', files: { 'src/main.ts': `import 'b';` }, says: /resolve "b"/ },
    {
      given: 'a package loaded later that is not installed',
      files: { 'src/main.ts': `createRequire(import.meta.url)('b');` },
      says: /resolve "b"/,
    },
    {
      given: 'what the bundler warns of',
      files: { 'src/main.ts': 'console.log({ a: 1, a: 2 });' },
      says: /^The package would not be whole:\n- src\/main\.ts: Duplicate key/,
    },
    {
      given: 'a file that a bundler does not see',
      files: { 'src/main.ts': `console.log(new URL('./data.json', import.meta.url));` },
      says: /import\.meta is of another file/,
    },
    {
      given: 'a package that names no licence',
      files: { 'node_modules/a/package.json': '{ "name": "a", "version": "1.0.0", "type": "module" }' },
      says: /^a 1\.0\.0 names no licence/,
    },
    { given: 'a folder of somebody else', files: { 'out/mine.txt': 'x' }, says: /holds files that are no package/ },
  ])('given $given, then the error says so', async ({ files, says }) => {
    write(files);

    await expect(make()).rejects.toMatchObject({ name: 'StartError', message: expect.stringMatching(says) });
  });

  it('given a folder that holds other files, then nothing in it changes', async () => {
    write({ 'out/mine.txt': 'x' });

    await make().catch(() => {});

    expect(read('mine.txt')).toBe('x');
  });
});

describe('when a licence is looked for', () => {
  it.each([
    { input: 'node_modules/a/dist/a.js', folder: 'node_modules/a' },
    { input: 'node_modules/@a/b/dist/node_modules.js', folder: 'node_modules/@a/b' },
    { input: 'node_modules/@a/b/node_modules/c/c.js', folder: 'node_modules/@a/b/node_modules/c' },
    { input: 'src/main.ts', folder: undefined },
  ])('given $input, then the licence is that of $folder', ({ input, folder }) => {
    expect(packageFolderOf(input)).toBe(folder);
  });
});

describe('when the size of an archive is computed', () => {
  it('given the archive that zip makes of the same files, then the size is equal', () => {
    // printf hello > a; printf %01000d 0 > bb; zip -X archive.zip a bb
    const files = [
      { name: 'a', content: Buffer.from('hello') },
      { name: 'bb', content: Buffer.from('0'.repeat(1000)) },
    ];

    expect(zippedSize(files)).toBe(196);
  });
});

function make() {
  return makePackage(root, join(root, 'out'));
}

function read(name: string): string {
  return readFileSync(join(root, 'out', name), 'utf8');
}

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}
