import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { commandsOf, runHook, SHELLS_HERE } from './stand-ins.js';

const FOLDER = 'infra/hooks';
const NAMES = ['postdeploy', 'postprovision', 'prepackage', 'preprovision'];
const WITH_STEPS = NAMES.filter((name) => name !== 'prepackage');

type Hook = Record<'posix' | 'windows', { run: string; interactive: boolean }>;
const azure = parse(readFileSync('azure.yaml', 'utf8'));
const hooks: Record<string, Hook> = { ...azure.hooks, ...azure.services.app.hooks };

describe('when azd looks for hooks', () => {
  it('given azure.yaml, then it names every hook for sh and PowerShell, and no other hook exists', () => {
    const scripts = readdirSync(FOLDER).filter((file) => /\.(sh|ps1)$/.test(file));

    expect(Object.keys(hooks).sort()).toEqual(NAMES);
    expect(scripts.sort()).toEqual(NAMES.flatMap((name) => [`${name}.ps1`, `${name}.sh`]));
    for (const [name, hook] of Object.entries(hooks)) {
      expect(hook).toEqual({
        posix: { run: `${FOLDER}/${name}.sh`, interactive: true },
        windows: { run: `${FOLDER}/${name}.ps1`, interactive: true },
      });
    }
  });

  it.each(NAMES)(
    'given %s, then the sh script is executable and the PowerShell script runs the same command',
    (name) => {
      const [sh, ps1] = ['sh', 'ps1'].map((shell) => readFileSync(join(FOLDER, `${name}.${shell}`), 'utf8'));

      expect(statSync(join(FOLDER, `${name}.sh`)).mode & 0o111).toBe(0o111);
      const does = ({ exec = '', test = '' }) => ({ exec: exec.replaceAll('"', ''), test });
      const inSh = {
        exec: /^exec (.+)$/m.exec(sh ?? '')?.[1]?.replace('$(dirname "$0")', 'HERE'),
        test: /^ {2}echo '(.+)' >&2$/m.exec(sh ?? '')?.[1],
      };
      const inPowerShell = {
        exec: /^& (.+)$/m.exec(ps1 ?? '')?.[1]?.replace('$PSScriptRoot', 'HERE'),
        test: /WriteLine\('(.+)'\)$/m.exec(ps1 ?? '')?.[1],
      };
      expect(does(inPowerShell as object)).toEqual(does(inSh as object));
      expect(inSh.exec).toBe(name === 'prepackage' ? 'npm run package' : `node "HERE/steps/${name}.mjs"`);
      expect(ps1).toMatch(/\nexit \$LASTEXITCODE\n$/);
    },
  );
});

describe.each(SHELLS_HERE)('when a hook runs, with %s', (shell) => {
  it.each(WITH_STEPS)('given no node on the PATH, then %s names the address to install Node from', (name) => {
    const end = runHook(name, { shell, env: {}, answers: [], hasNode: false });

    expect(end).toMatchObject({ status: 1, calls: [] });
    expect(end.complained).toBe('node is not on the PATH: install Node 20 or later, https://nodejs.org\n');
  });

  it('given that azd packages the app, then the hook builds the package first', () => {
    const end = runHook('prepackage', { shell, env: {}, answers: [{ to: 'npm run package' }], programs: ['npm'] });

    expect(end.status).toBe(0);
    expect(commandsOf(end)).toEqual(['npm run package']);
  });

  it('given that the package build fails, then the hook fails with its exit code and message', () => {
    const answers = [{ to: 'npm', fails: 'It would not be whole.', status: 3 }];

    const end = runHook('prepackage', { shell, env: {}, answers, programs: ['npm'] });

    expect(end.status).toBe(3);
    expect(end.complained).toContain('It would not be whole.');
  });
});

describe('when azd deploys', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  const { app, ...others } = azure.services;

  it('given the service app, then azd uploads the output of npm run package unchanged', () => {
    expect(others).toEqual({});
    expect(app).toMatchObject({ project: '.', host: 'function', language: 'ts', remoteBuild: false });
    expect(readFileSync('src/local/package/main.ts', 'utf8')).toContain(`default: '${app.dist}'`);
    expect(manifest.scripts.package).toContain('dist/local/package/main.js');
    // azd also runs the script `build`, as for every Node app.
    expect(manifest.scripts.build).toBe('tsc -p tsconfig.build.json && node dist/local/ui/main.js');
  });

  it('given .funcignore, then it does not list node_modules, which azd refuses while remoteBuild is off', () => {
    const ignored = readFileSync('.funcignore', 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith('#'));

    expect(ignored.filter((line) => /node_modules|^\*$|^\/?\*\*/.test(line))).toEqual([]);
  });

  it('given azure.yaml, then it excludes the azd versions that delete resource groups which azd did not create', () => {
    expect(azure.requiredVersions.azd).toBe('>= 1.25.0');
  });
});
