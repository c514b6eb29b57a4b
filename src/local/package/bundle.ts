import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { StartError } from '../host/start-error.js';

/** The host injects this module. It is in no registry, and the worker finds it by this name. */
const INJECTED = '@azure/functions-core';
/** CommonJS packages load Node's modules and the injected module by `require`, which ESM lacks. */
const REQUIRE =
  "import { createRequire as createRequireOf } from 'node:module';\nconst require = createRequireOf(import.meta.url);";
const WRONG_IMPORT_META = 'import.meta is of another file in a bundle: import what it would find';
const BESIDE_ENTRY = "new URL('page/', import.meta.url)";
/** Matches a module of the project that loads a package synchronously, at its first use. */
const LOADED_LATER = /createRequire\(import\.meta\.url\)\('([^']+)'\)/g;

// Names, lines and comments stay: a stack trace then names the function, and the comment above it names the source
// file. Source maps would triple the size, and Node reads them only with a flag that slows down every start.
const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  metafile: true,
  legalComments: 'eof',
  logLevel: 'silent',
} satisfies BuildOptions;

/**
 * Bundles `src/main.ts` of the project in `root` into `main.js` and chunks in the folder `to`. Lazy imports stay in
 * chunks of their own. Returns the files in the bundle, of the project and of packages, as paths from `root`.
 * @throws StartError where the bundle would look for a module that is not in it.
 */
export async function bundleApp(root: string, to: string): Promise<{ readonly inputs: readonly string[] }> {
  const loadedLater = new Set<string>();
  const main = await bundle({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: { main: 'src/main.ts' },
    outdir: to,
    format: 'esm',
    splitting: true,
    external: [INJECTED],
    banner: { js: REQUIRE },
    plugins: [renameLoadedLater(loadedLater), withoutRemoteSettings(), withoutUndici()],
  });
  const others = await Promise.all(
    [...loadedLater].map((name) =>
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

/**
 * Leaves out the timer by which the exporter of Azure Monitor asks a service of Microsoft for settings, such as another
 * endpoint for telemetry. The exporter has no option for that.
 */
function withoutRemoteSettings(): Plugin {
  return {
    name: 'without-remote-settings',
    setup({ onLoad }) {
      const filter = /monitor-opentelemetry-exporter[\\/].*[\\/]_configuration[\\/]configurationWorker\.js$/;
      onLoad({ filter }, () => ({ contents: 'export class ConfigurationWorker { shutdown() {} }' }));
    },
  };
}

/**
 * Loads `node:http` by `require`. An ESM import reads all its exports, and `WebSocket` among them loads Node's whole
 * undici: a seventh of the time of a start.
 */
function withoutUndici(): Plugin {
  return {
    name: 'without-undici',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
        kind === 'require-call' ? { path: 'node:http', external: true } : { path: 'http', namespace: 'required' },
      );
      onLoad({ filter: /^http$/, namespace: 'required' }, () => ({
        contents: "module.exports = require('node:http');",
      }));
    },
  };
}

/** Bundles a package behind `createRequire`, which a bundler cannot follow, into a file of its own. */
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
        // The entry and its bundle both lie beside the folder of the page.
        const rest = contents.replaceAll('createRequire(import.meta.url)', '').replaceAll(BESIDE_ENTRY, '');
        return rest.includes('import.meta')
          ? { errors: [{ text: WRONG_IMPORT_META, location: { file: path } }] }
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
