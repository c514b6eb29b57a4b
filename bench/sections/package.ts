import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type File, makePackage, readFiles, zippedSize } from '../../src/local/package/make-package.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { median } from '../statistics.js';

const AIMS = { size: 0.1, startUp: 0.4 };
const SCRIPT = fileURLToPath(import.meta.resolve('../start-up-once.js'));
/** The folder of the built bench and sources. Their imports of packages resolve from here. */
const BUILT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Compares the bundle with the compiler's output and the dependencies of `npm ci --omit=dev`. */
export async function benchPackage({ startUp }: Plan, report: Report): Promise<void> {
  const root = process.cwd();
  const to = join(root, '.local/bench-package');
  const bundle = sizeOf(await makePackage(root, to));
  const plain = sizeOf(plainFiles(root));
  report({ what: 'bundle', ...bundle });
  report({ what: 'dist and node_modules', ...plain });
  report({
    what: '  zipped: the bundle to the other',
    result: bundle.zippedMb / plain.zippedMb,
    aim: { atMost: AIMS.size },
  });

  const times = { bundle: [] as number[], plain: [] as number[] };
  for (let round = 0; round < startUp.repetitions; round += 1) {
    times.bundle.push(await startOnce(join(to, 'main.js')));
    times.plain.push(await startOnce(join(BUILT, 'src/main.js')));
  }
  report({ what: 'bundle, from loading main to functions registered', p50Ms: median(times.bundle) });
  report({ what: 'dist and node_modules', p50Ms: median(times.plain) });
  const ratio = median(times.bundle.map((ms, round) => ms / (times.plain[round] ?? Number.NaN)));
  report({ what: '  the bundle to the other', result: ratio, aim: { atMost: AIMS.startUp } });
}

/** Starts a new process, because a process loads a module only once. */
async function startOnce(main: string): Promise<number> {
  const { stdout } = await run(process.execPath, [SCRIPT, main], {
    env: { PATH: process.env.PATH, AzureWebJobsStorage: 'UseDevelopmentStorage=true' },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '').ms;
}

function sizeOf(files: readonly File[]) {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  return { files: files.length, mb: bytes / 1e6, zippedMb: zippedSize(files) / 1e6 };
}

type Lock = { packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }> };

/** The files of an installation without devDependencies, which the lock file lists. */
function plainFiles(root: string): File[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const folders = Object.entries(lock.packages)
    .filter(([folder, { dev, devOptional, optional }]) => folder !== '' && !dev && !devOptional && !optional)
    .map(([folder]) => folder);
  const inner = (folder: string) => folders.filter((other) => other.startsWith(`${folder}/node_modules/`));
  const packages = folders.flatMap((folder) =>
    filesBelow(root, folder).filter(({ name }) => !inner(folder).some((other) => name.startsWith(`${other}/`))),
  );
  const own = filesBelow(BUILT, 'src').filter(({ name }) => name.endsWith('.js') && !name.startsWith('src/local/'));
  return [...packages, ...own];
}

function filesBelow(root: string, folder: string): File[] {
  return readFiles(join(root, folder)).map(({ name, content }) => ({ name: `${folder}/${name}`, content }));
}
