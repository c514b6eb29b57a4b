import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import { build } from 'esbuild';
import { StartError } from '../host/start-error.js';

const INDEX = 'index.html';
/** Already compressed, or too small to gain from it. */
const STORED = /\.dcm$/;

/**
 * Bundles the page in `src/ui` of the project in `root` into the folder `to`: `index.html`, and files whose names hold a
 * hash of their content, each also compressed, so that the app compresses nothing while it runs. Returns the paths of
 * all bundled files, from `root`.
 * @throws StartError where the page does not compile. `to` then stays as it was.
 */
export async function buildUi(root: string, to: string): Promise<readonly string[]> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { page: 'src/ui/main.tsx' },
    tsconfig: 'src/ui/tsconfig.json',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'safari16'],
    loader: { '.dcm': 'file' },
    outdir: 'ui',
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    legalComments: 'none', // the package has the licences in THIRD-PARTY-NOTICES.txt
    metafile: true,
    write: false,
    logLevel: 'silent',
  }).catch((error: Error) => {
    throw new StartError(error.message, { cause: error });
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  files.set(INDEX, Buffer.from(indexOf(readFileSync(join(root, 'src/ui', INDEX), 'utf8'), [...files.keys()])));
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const [name, content] of files) writeCompressed(join(to, name), content);
  return Object.keys(metafile.inputs);
}

/** Builds the page of this project into `dist/page`, which the app serves. If that fails, prints why and returns false. */
export async function tryBuildPage(): Promise<boolean> {
  try {
    await buildUi(process.cwd(), join('dist', 'page'));
    return true;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return false;
  }
}

/** Returns the index with the names of the bundled files in place of `page.js` and `page.css`. */
function indexOf(template: string, names: readonly string[]): string {
  return template.replace(/page\.(js|css)/g, (_, extension: string) => {
    const name = names.find((one) => one.endsWith(`.${extension}`));
    if (name === undefined) throw new StartError(`The page has no .${extension} file.`);
    return name;
  });
}

function writeCompressed(path: string, content: Uint8Array): void {
  writeFileSync(path, content);
  if (STORED.test(path)) return;
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  const params = { [zlib.BROTLI_PARAM_QUALITY]: zlib.BROTLI_MAX_QUALITY };
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params }));
}
