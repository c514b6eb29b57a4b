import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import fc from 'fast-check';
import { appFrameOf } from '../../src/handler/app-frame.js';
import { bundleApp } from '../../src/local/package/bundle.js';

const ROOT = '/app/dist';
const SECRET = 'Muellerphi';

/** Returns the error that `make` makes, called through files of these paths, the last one first in its stack. */
function errorThrough(paths: readonly string[], make: () => Error = () => new Error('no')): Error {
  return paths.reduceRight<() => Error>((inner, path) => {
    const call: (next: () => Error) => Error = new Script('\n(next) => next()', { filename: path }).runInThisContext();
    return () => call(inner);
  }, make)();
}

describe('the frame of an error', () => {
  it.each([
    { given: 'a workflow', paths: ['/app/dist/workflows/bad.js'], frame: 'workflows/bad.js:2' },
    {
      given: 'a workflow below the pipeline, that calls a helper and a package',
      paths: [
        '/app/dist/pipeline/job.js',
        '/app/dist/handler/run-handler.js',
        '/app/dist/workflows/alerts/potassium-alert.js',
        '/app/dist/clients/send.js',
        '/app/node_modules/zod/index.js',
      ],
      frame: 'workflows/alerts/potassium-alert.js:2',
    },
    {
      given: 'no workflow, but other code of the app',
      paths: ['/app/dist/pipeline/job.js', '/app/dist/hl7/segments.js', '/app/dist/clients/send.js'],
      frame: 'clients/send.js:2',
    },
    {
      given: 'only the folders that run every job',
      paths: ['/app/dist/pipeline/job.js', '/app/dist/handler/run.js'],
      frame: '',
    },
    { given: 'files of ES modules', paths: ['file:///app/dist/workflows/bad.mjs'], frame: 'workflows/bad.mjs:2' },
    {
      given: 'paths of Windows',
      paths: ['C:\\app\\dist\\workflows\\bad.js'],
      root: 'C:/app/dist',
      frame: 'workflows/bad.js:2',
    },
    { given: 'a package below the folder', paths: ['/app/dist/node_modules/zod/index.js'], frame: '' },
    { given: 'a file elsewhere', paths: ['/app/distant/workflows/bad.js', '/srv/dist/workflows/bad.js'], frame: '' },
    { given: 'a path that leads out', paths: ['/app/dist/../workflows/bad.js'], frame: '' },
    { given: 'a path with other characters', paths: [`/app/dist/workflows/${SECRET} 42.js`], frame: '' },
    { given: 'a path that is too long', paths: [`/app/dist/workflows/${'a'.repeat(150)}.js`], frame: '' },
    { given: 'a URL that is no path', paths: ['file://host/app/dist/workflows/bad.js', 'file:///%2F'], frame: '' },
    { given: 'a file that is no code', paths: ['/app/dist/workflows/bad.txt'], frame: '' },
  ])('given $given, then the frame is "$frame"', ({ paths, root = ROOT, frame }) => {
    expect(appFrameOf(errorThrough(paths), root)).toBe(frame);
  });

  it('given the folder of this app, then the frame names its code', () => {
    expect(appFrameOf(new Error('no'), process.cwd())).toMatch(/^test\/handler\/app-frame\.test\.ts:\d+$/);
    expect(appFrameOf(new Error('no'))).toBe('');
  });

  it('given the frame was read, then the stack still has a text, and the hook of the process is as before', () => {
    const error = errorThrough(['/app/dist/workflows/bad.js']);
    const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');

    appFrameOf(error, ROOT);

    expect(error.stack).toMatch(/^Error: no\n {4}at .*\n(.*\n)*.*bad\.js:2/);
    expect(Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')).toEqual(before);
  });
});

describe('the frame of a hostile error (P1)', () => {
  const FAKE = `\n    at ${SECRET} (${ROOT}/workflows/${SECRET}.js:4711:1)`;

  it('given any name and message, also changed later, then the frame has no part of them', () => {
    const lines = fc.array(fc.constantFrom(FAKE, `    at ${ROOT}/workflows/x.js:1:1`, '\n', 'Error: ', 'no'));
    const text = fc.oneof(
      lines.map((all) => all.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(text, text, text, (message, later, name) => {
        const error = errorThrough(['/app/dist/workflows/bad.js'], () => Object.assign(new Error(message), { name }));
        error.message = later;

        expect(appFrameOf(error, ROOT)).toBe('workflows/bad.js:2');
      }),
    );
  });

  it('given a stack that was read before, which is text from then on, then there is no frame', () => {
    const error = errorThrough(['/app/dist/workflows/bad.js'], () => new Error(FAKE));
    expect(error.stack).toContain(SECRET);

    expect(appFrameOf(error, ROOT)).toBe('');
  });

  it.each<{ given: string; error: () => Error }>([
    { given: 'its own text as the stack', error: () => Object.assign(new Error(), { stack: `Error${FAKE}` }) },
    {
      given: 'a getter that throws',
      error: () =>
        Object.defineProperty(new Error(), 'stack', {
          get() {
            throw new Error(FAKE);
          },
        }),
    },
    {
      given: 'a getter that makes other errors, and calls the hook itself',
      error: () => {
        const error = new Error();
        return Object.defineProperty(error, 'stack', {
          get() {
            const other = errorThrough(['/app/dist/workflows/bad.js']);
            return [Error.prepareStackTrace?.(other, []), other.stack];
          },
        });
      },
    },
    { given: 'a proxy', error: () => new Proxy(errorThrough(['/app/dist/workflows/bad.js']), {}) },
    {
      given: 'a name that cannot become text',
      error: () => Object.defineProperty(new Error(), 'name', { value: Symbol(SECRET) }),
    },
  ])('given $given, then there is no frame, and nothing is thrown', ({ error }) => {
    expect(appFrameOf(error(), ROOT)).toBe('');
  });

  it('given a hook that the workflow has set, then the frames come from V8 all the same, and the hook stays', () => {
    const own = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
    const hook = () => FAKE;
    Error.prepareStackTrace = hook;
    try {
      expect(appFrameOf(errorThrough(['/app/dist/workflows/bad.js']), ROOT)).toBe('workflows/bad.js:2');
      expect(Error.prepareStackTrace).toBe(hook);
    } finally {
      if (own) Object.defineProperty(Error, 'prepareStackTrace', own);
      else Reflect.deleteProperty(Error, 'prepareStackTrace');
    }
  });

  it('given a stack without end, or no stack, then nothing is thrown', () => {
    const { stackTraceLimit } = Error;
    const deep = (left: number): Error => (left === 0 ? new Error('no') : deep(left - 1));
    try {
      Error.stackTraceLimit = Number.POSITIVE_INFINITY;
      expect(
        appFrameOf(
          errorThrough(['/app/dist/workflows/bad.js'], () => deep(3000)),
          ROOT,
        ),
      ).toBe('');
      Error.stackTraceLimit = 0;
      expect(appFrameOf(errorThrough(['/app/dist/workflows/bad.js']), ROOT)).toBe('');
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });
});

it('given the bundle, then the frame names the module in it, and never that of a package', async () => {
  const root = mkdtempSync(join(tmpdir(), 'app-frame-'));
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  try {
    write('package.json', '{ "type": "module" }');
    write('node_modules/lib/package.json', '{ "type": "module", "main": "index.js" }');
    write('node_modules/lib/index.js', 'export const fail = () => {\n  throw new Error("no");\n};\n');
    write('src/workflows/bad.ts', "import { fail } from 'lib';\nexport const bad = (): void => {\n  fail();\n};\n");
    write('src/handler/app-frame.ts', '');
    copyFileSync('src/handler/app-frame.ts', join(root, 'src/handler/app-frame.ts'));
    write(
      'src/main.ts',
      `import { fail } from 'lib';
       import { appFrameOf } from './handler/app-frame.js';
       import { bad } from './workflows/bad.js';
       for (const call of [bad, fail]) {
         try { call(); } catch (error) { console.log(appFrameOf(error as Error)); }
       }`,
    );
    await bundleApp(root, join(root, 'out'));

    const printed = execFileSync(process.execPath, [join(root, 'out/main.js')], { encoding: 'utf8' });

    expect(printed).toMatch(/^workflows\/bad\.js:2\nmain\.js:\d\n$/);
  } finally {
    rmSync(root, { recursive: true });
  }
});
