import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { StartError } from '../host/start-error.js';

/** Files of the project and of packages that went into the bundle, as paths from the project. */
export type Bundled = { readonly inputs: readonly string[] };

/** The host injects it: it is in no registry, and its name must stay what the worker looks for. */
const INJECTED = '@azure/functions-core';
/** Packages made for CommonJS ask for Node's modules and for the injected one by `require`, which ESM lacks. */
const REQUIRE =
  "import { createRequire as createRequireOf } from 'node:module';\nconst require = createRequireOf(import.meta.url);";
const ELSEWHERE = 'import.meta is of another file in a bundle: import what it would find';
/** A module of ours that loads a package when it is first needed, without waiting. */
const LOADED_LATER = /createRequire\(import\.meta\.url\)\('([^']+)'\)/g;

// Names, lines and comments stay: a stack trace then tells the function, and the line above it the source. Source maps
// would make three times the size, and Node reads them only with a flag that costs every start.
const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  metafile: true,
  legalComments: 'eof',
  logLevel: 'silent',
} satisfies BuildOptions;

/**
 * Writes `src/main.ts` of the project in `root` and all that it needs to `main.js` and chunks beside it in `to`. What is
 * imported lazily stays in chunks of its own.
 * @throws StartError where anything would have to be found at run time that is not there.
 */
export async function bundleApp(root: string, to: string): Promise<Bundled> {
  const later = new Set<string>();
  const main = await bundle({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: { main: 'src/main.ts' },
    outdir: to,
    format: 'esm',
    splitting: true,
    external: [INJECTED],
    banner: { js: REQUIRE },
    plugins: [renameLoadedLater(later)],
  });
  const others = await Promise.all(
    [...later].map((name) =>
      bundle({
        ...COMMON,
        absWorkingDir: root,
        stdin: { contents: `module.exports = require(${JSON.stringify(name)});`, resolveDir: root },
        outfile: `${to}/${fileOf(name)}`,
        format: 'cjs',
      }),
    ),
  );
  return { inputs: [main, ...others].flatMap(({ inputs }) => Object.keys(inputs)) };
}

/** A bundler does not see into `createRequire`: such a package becomes a file beside the others, and is asked for there. */
function renameLoadedLater(found: Set<string>): Plugin {
  return {
    name: 'loaded-later',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replace(LOADED_LATER, (_, name: string) => {
          found.add(name);
          return `createRequire(import.meta.url)('./${fileOf(name)}')`;
        });
        const rest = contents.replaceAll('createRequire(import.meta.url)', '');
        return rest.includes('import.meta')
          ? { errors: [{ text: ELSEWHERE, location: { file: path } }] }
          : { contents, loader: 'ts' };
      });
    },
  };
}

function fileOf(packageName: string): string {
  return `${basename(packageName)}.cjs`;
}

async function bundle(options: BuildOptions): Promise<Metafile> {
  const { metafile, warnings } = await build({ ...options, metafile: true }).catch((error: Error) => {
    throw new StartError(error.message, { cause: error });
  });
  const problems = warnings.map(({ text, location }) => `${location?.file ?? ''}: ${text}`);
  if (problems.length > 0) throw new StartError(`The package would not be whole:\n- ${problems.join('\n- ')}`);
  return metafile;
}
