import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// node src/local/setup.mjs [--no-build] <script> [arguments]: installs missing packages, builds changed sources, and
// runs a script of the project with the project's own Node. This file itself runs on an older Node, without any
// package.

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const IS_WINDOWS = process.platform === 'win32';
const INSTALL = ['ci', '--loglevel=error'];
const INSTALLED = join(ROOT, 'node_modules', '.package-lock.json');
const STAMP = join(ROOT, 'dist', '.built-from');

const [first, ...rest] = process.argv.slice(2);
const [script, ...options] = first === '--no-build' ? rest : [first, ...rest];

process.chdir(ROOT);
if (mustInstall()) install();
if (first !== '--no-build') build();
if (script) run([script, ...options]);

function mustInstall() {
  return !existsSync(INSTALLED) || statSync(INSTALLED).mtimeMs < statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

function install() {
  const beganAt = performance.now();
  console.error(
    `Installing ${countPackages()} packages with npm ci, some 800 MB in node_modules: the Azure SDKs, Azurite, the compiler, tools for tests.`,
  );
  console.error('This takes one to two minutes, and happens again only when package-lock.json changes.');
  const npm = process.env.npm_execpath;
  const { status } = npm
    ? spawnSync(process.execPath, [npm, ...INSTALL], { stdio: 'inherit' })
    : spawnSync('npm', INSTALL, { stdio: 'inherit', shell: IS_WINDOWS });
  if (status !== 0) end('npm ci failed, see above; nothing was started.');
  utimesSync(INSTALLED, new Date(), new Date()); // npm leaves the time as it is where nothing changed
  console.error(`Installed in ${secondsSince(beganAt)} s.`);
}

/** Returns the number of packages that are installed on every platform. */
function countPackages() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).filter(([path, { optional }]) => path !== '' && !optional).length;
}

/**
 * Builds into an empty `dist` if a source has another name, size or time than at the last build. While
 * `npm start -- --watch` runs, that process keeps `dist` up to date, and the running app needs its files.
 */
function build() {
  const sources = fingerprint();
  const stamp = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  if (stamp === sources || isWatched(stamp)) return;
  const beganAt = performance.now();
  console.error('Building the app with TypeScript: some seconds.');
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const args of [[compiler, '-p', 'tsconfig.build.json'], [join('dist', 'local', 'ui', 'main.js')]]) {
    const { status } = spawnSync(nodePath(), args, { stdio: 'inherit' });
    if (status !== 0) end('The build failed, see above; nothing was started.');
  }
  writeFileSync(STAMP, sources);
  console.error(`Built in ${secondsSince(beganAt)} s.`);
}

function isWatched(stamp) {
  const [, pid] = /^watch (\d+)$/.exec(stamp) ?? [];
  try {
    return pid !== undefined && process.kill(Number(pid), 0);
  } catch {
    return false;
  }
}

function fingerprint() {
  const inSrc = readdirSync('src', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const lines = [...inSrc, 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].sort().map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
  });
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** Ends with the script's exit code. Signals are passed on to the script, which ends its work first. */
function run(args) {
  const child = spawn(nodePath(), args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal) process.exitCode = signal === 'SIGKILL' ? 137 : 1;
  });
}

function nodePath() {
  return join(ROOT, 'node_modules', 'node', 'bin', IS_WINDOWS ? 'node.exe' : 'node');
}

function secondsSince(beganAt) {
  return Math.round((performance.now() - beganAt) / 1000);
}

function end(message) {
  console.error(message);
  process.exit(1);
}
