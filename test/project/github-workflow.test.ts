import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

type Step = { uses?: string; run?: string; with?: Record<string, unknown>; 'working-directory'?: string };
type Job = { steps: Step[]; permissions: Record<string, string>; env?: Record<string, string>; [key: string]: unknown };

const FOLDER = '.github/workflows';
type Workflow = { on: Record<string, unknown>; permissions: object; jobs: Record<string, Job> };

const files = readdirSync(FOLDER).sort();
const all = files.map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const workflow = parse(text) as Workflow;
  return { file, text, workflow, steps: Object.values(workflow.jobs).flatMap((job) => job.steps) };
});
const workflow = all[0]?.workflow as Workflow;
const { build, attest, deploy } = workflow.jobs as Record<'build' | 'attest' | 'deploy', Job>;
const azure = parse(readFileSync('azure.yaml', 'utf8'));
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

const runs = ({ steps: all }: Job) => all.flatMap(({ run }) => run ?? []);

describe('when GitHub runs the workflow', () => {
  it('given a push, a pull request or a manual start, then the workflow builds and tests, and deploys only main', () => {
    expect(files).toEqual(['build-and-deploy.yml', 'codeql.yml', 'dependency-review.yml']);
    expect(Object.keys(workflow.on)).toEqual(['push', 'pull_request', 'workflow_dispatch']);
    expect(build).not.toHaveProperty('if');
    const bicep = 'az bicep install --version v0.49.2';
    expect(runs(build).slice(0, 4)).toEqual(['npm ci', bicep, 'npm test', 'npm run package']);
    expect(attest).toMatchObject({
      needs: 'build',
      if: expect.stringMatching(/^github\.ref == 'refs\/heads\/main' && \(/),
    });
    expect(deploy).toMatchObject({
      needs: 'attest',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's syntax
      environment: "${{ inputs.environment || 'production' }}",
      concurrency: { 'cancel-in-progress': false },
    });
  });

  it.each(all)(
    'given $file, then a job has no permissions by default, and only settings of a deployment are secrets',
    (one) => {
      expect(one.workflow.permissions).toEqual({});
      expect(one.text).not.toMatch(/pull_request_target|persist-credentials: true/);
      const inSettings = Object.values(one.workflow.jobs.deploy?.env ?? {}).join();
      for (const [secret] of one.text.matchAll(/secrets\.\w+/g)) expect(inSettings).toContain(secret);
      for (const { uses, with: options } of one.steps.filter((step) => step.uses?.startsWith('actions/checkout@'))) {
        expect({ uses, options }).toMatchObject({ options: { 'persist-credentials': false } });
      }
    },
  );

  it('given the jobs, then each has only the permissions that it needs', () => {
    const permissions = all.flatMap((one) =>
      Object.entries(one.workflow.jobs).map(([name, job]) => [name, job.permissions]),
    );

    expect(Object.fromEntries(permissions)).toEqual({
      build: { contents: 'read' },
      attest: { 'id-token': 'write', attestations: 'write' },
      deploy: { contents: 'read', attestations: 'read', 'id-token': 'write' },
      analyze: { contents: 'read', actions: 'read', 'security-events': 'write' },
      review: { contents: 'read' },
    });
  });

  it.each(all)(
    'given the actions of $file, then each is pinned to a commit and a comment states the version',
    (one) => {
      const lines = one.text.split('\n').filter((line) => /\buses:/.test(line));

      expect(lines.length).toBe(one.steps.filter(({ uses }) => uses).length);
      for (const line of lines) expect(line).toMatch(/uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    },
  );

  it('given an action in several workflows, then all workflows pin the same commit', () => {
    const used = new Set(all.flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? [])));

    expect(used.size).toBe(10);
    expect(new Set([...used].map((uses) => uses.replace(/@.*/, ''))).size).toBe(used.size);
  });

  it.each(all)(
    'given the scripts of $file, then they contain no expressions, which could inject text from an event',
    ({ steps }) => {
      expect(steps.flatMap(({ run }) => run ?? []).filter((run) => run.includes('${{'))).toEqual([]);
    },
  );

  it('given the npm scripts in the workflows, then package.json has them', () => {
    const named = all
      .flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
      .flatMap((run) => [...run.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name));

    expect(named).toEqual(['package']);
    for (const name of named) expect(scripts).toHaveProperty([name]);
  });

  it('given the tested package, then the deploy job deploys this package and never runs npm', () => {
    const [zip] = build.steps.filter(({ run }) => run?.startsWith('zip'));

    expect(zip?.['working-directory']).toBe(azure.services.app.dist);
    expect(zip?.run).toBe('zip -qrX ../../package.zip .');
    expect(build.steps.at(-1)?.with).toMatchObject({ name: 'package', path: 'package.zip\nsbom.json\n' });
    expect(runs(deploy).join('\n')).not.toMatch(/\bnpm\b/);
    expect(runs(deploy).at(-1)).toBe(
      `azd deploy ${Object.keys(azure.services)[0]} --from-package package.zip --no-prompt`,
    );
  });

  it('given the package, then its build and its SBOM are attested where no script runs, and verified before the sign-in', () => {
    expect(runs(attest)).toEqual([]);
    expect(attest.steps.map((step) => step.with)).toEqual([
      { name: 'package' },
      { 'subject-path': 'package.zip' },
      { 'subject-path': 'package.zip', 'sbom-path': 'sbom.json' },
    ]);
    expect(runs(build)).toContain('npm sbom --sbom-format cyclonedx > sbom.json');
    const [first = ''] = runs(deploy);
    expect(first).toMatch(/^for type in https:\/\/slsa\.dev\/provenance\/v1 https:\/\/cyclonedx\.org\/bom; do$/m);
    for (const wanted of ['--signer-workflow', '--source-ref refs/heads/main', '--source-digest "$GITHUB_SHA"']) {
      expect(first).toContain(wanted);
    }
  });

  it('given azd, then its version satisfies azure.yaml, and the job signs in before azd deploys', () => {
    const setup = deploy.steps.find(({ uses }) => uses?.startsWith('Azure/setup-azd@'));
    const least = azure.requiredVersions.azd.replace('>= ', '').split('.').map(Number);
    const used = String(setup?.with?.version).split('.').map(Number);

    expect(used).toHaveLength(3);
    expect((used[0] ?? 0) * 1000 + (used[1] ?? 0)).toBeGreaterThanOrEqual(least[0] * 1000 + least[1]);
    expect(runs(deploy).map((run) => run.split(' ').slice(0, 3).join(' ').split('\n')[0])).toEqual([
      'for type in',
      'azd auth login',
      'az account get-access-token',
      'azd provision --no-state',
      'azd deploy app',
    ]);
  });

  it('given the settings of the deploy job, then each comes from the variable of its name, or a secure one from the secret', () => {
    const { parameters } = JSON.parse(readFileSync('infra/main.parameters.json', 'utf8'));
    const main = readFileSync('infra/main.bicep', 'utf8');
    const secure = [...main.matchAll(/^@secure\(\)\nparam (\w+)/gm)].map(
      ([, name = '']) => /\w+/.exec(parameters[name].value)?.[0],
    );

    expect(secure.length).toBeGreaterThan(1);
    for (const [name, value] of Object.entries(deploy.env ?? {})) {
      expect(value).toBe(`\${{ ${secure.includes(name) ? 'secrets' : 'vars'}.${name} }}`);
    }
  });
});

describe('when a developer works in an editor or a container', () => {
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

  it('given the tasks and launch configurations, then they start existing files and scripts', () => {
    const { configurations } = read('.vscode/launch.json') as { configurations: Record<string, string>[] };
    const { tasks } = read('.vscode/tasks.json') as { tasks: Record<string, string>[] };

    for (const { program = '', preLaunchTask } of configurations) {
      const path = program.replace(/^\$\{workspaceFolder\}\//, '').replace(/^dist\/(.*)\.js$/, 'src/$1.ts');
      expect(existsSync(path)).toBe(true);
      if (preLaunchTask) expect(tasks.map(({ label }) => label)).toContain(preLaunchTask);
    }
    for (const { script } of tasks.filter(({ type }) => type === 'npm')) expect(scripts).toHaveProperty([script ?? '']);
  });

  it('given the container, then it has the Node version of the workflow and the ports of the app and of Azurite', () => {
    const { image, forwardPorts } = read('.devcontainer/devcontainer.json');
    const node = build.steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'))?.with?.['node-version'];

    expect(image).toBe(`mcr.microsoft.com/devcontainers/typescript-node:${node}`);
    expect(forwardPorts).toEqual([7071, 10_000, 10_001, 10_002]);
  });

  it('given Dependabot, then it updates npm packages in one group and GitHub actions in another', () => {
    const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8')) as { updates: Record<string, unknown>[] };

    expect(updates.map((update) => [update['package-ecosystem'], Object.keys(update.groups ?? {})])).toEqual([
      ['npm', ['npm']],
      ['github-actions', ['actions']],
    ]);
  });

  it('given a deployment from this folder, then .funcignore excludes the files for git, editors and containers', () => {
    const ignored = readFileSync('.funcignore', 'utf8').split('\n');

    expect(ignored).toEqual(expect.arrayContaining(['.git*', '.vscode/', '.devcontainer/', '.editorconfig']));
  });
});
