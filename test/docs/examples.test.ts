import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { transformSync } from '@swc/core';

const ROOT = resolve(__dirname, '../..');
const examples = sourceFiles().flatMap((file) =>
  examplesIn(readFileSync(join(ROOT, file), 'utf8')).map((code, at) => ({ name: `${file} ${at + 1}`, code })),
);

describe('when a reader copies an example from the sources', () => {
  it.each(examples)('given $name, then it runs', ({ code }) => run(code));

  it('given all examples, then they compile', () => {
    typeCheck(examples.map(({ code }) => code));
  });

  it('given an example with a wrong type, then the check reports the error', () => {
    expect(() => typeCheck(["const n: number = 'one';\nassert.ok(n);"])).toThrow('TS2322');
  });

  it('given the workflow API and the testing kit, then each has an example', () => {
    const files = examples.map(({ name }) => name.split(' ')[0]);
    expect(files).toEqual(expect.arrayContaining(['src/workflow/define-workflow.ts', 'src/testing/test-kit.ts']));
  });
});

function sourceFiles(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join('src', path));
}

/** The code after each `@example`, up to the next tag or the end of its comment. */
function examplesIn(source: string): string[] {
  const comments = [...source.matchAll(/\/\*\*[\s\S]*?\*\//g)].map(([comment]) => comment.replace(/^\s*\* ?/gm, ''));
  return comments.flatMap((comment) =>
    comment.split(/^@/m).flatMap((tag) => /^example\n([\s\S]*?)\/?$/.exec(tag)?.[1] ?? []),
  );
}

/** Runs an example, which imports like a file in test/ and may use `assert`. */
async function run(code: string): Promise<void> {
  const { code: script } = transformSync(code, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
    module: { type: 'commonjs' },
  });
  const load = (name: string) =>
    require(name.startsWith('../src/') ? join(ROOT, name.slice(3).replace(/\.js$/, '')) : name);
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await new AsyncFunction('require', 'exports', 'assert', script)(load, {}, assert);
}

/** @throws Error with the output of the compiler */
function typeCheck(codes: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'examples-'));
  try {
    for (const name of ['src', 'node_modules']) symlinkSync(join(ROOT, name), join(folder, name), 'junction');
    mkdirSync(join(folder, 'test'));
    for (const [at, code] of codes.entries()) {
      writeFileSync(join(folder, 'test', `${at}.ts`), `import assert from 'node:assert/strict';\n${code}`);
    }
    const compilerOptions = { noEmit: true, noUnusedLocals: false, types: ['node'] };
    const config = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['test'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    throw stdout === undefined ? error : new Error(`Examples do not compile, in ${basename(folder)}:\n${stdout}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
