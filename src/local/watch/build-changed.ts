import { cpSync, existsSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import { tryBuildPage } from '../ui/build-ui.js';

const UI = join('src', 'ui') + sep;

/**
 * Builds these files of `src` into `dist`, without a check of types. If a file has an error, prints it and returns
 * false; `dist` then stays as it was.
 */
export async function buildChanged(changed: readonly string[]): Promise<boolean> {
  const paths = changed.filter((path) => !path.startsWith(UI));
  if (paths.length < changed.length && !(await tryBuildPage())) return false;
  const sources = paths.filter((path) => path.endsWith('.ts'));
  try {
    await build({
      entryPoints: sources.filter((path) => existsSync(path)),
      outbase: 'src',
      outdir: 'dist',
      format: 'esm',
      sourcemap: true,
      logLevel: 'error',
      tsconfig: 'tsconfig.build.json',
    });
  } catch {
    return false; // esbuild has printed the errors.
  }
  for (const path of sources.filter((source) => !existsSync(source))) {
    const script = builtPath(path).replace(/\.ts$/, '.js');
    for (const built of [script, `${script}.map`]) rmSync(built, { force: true });
  }
  for (const path of paths.filter((other) => other.startsWith('src') && other.endsWith('.json'))) {
    if (existsSync(path)) cpSync(path, builtPath(path));
    else rmSync(builtPath(path), { force: true });
  }
  return true;
}

function builtPath(path: string): string {
  return `dist/${relative('src', path)}`;
}
