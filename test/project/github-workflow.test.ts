import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

type Step = { uses?: string; run?: string; with?: Record<string, unknown>; 'working-directory'?: string };
type Job = { steps: Step[]; permissions: Record<string, string>; env?: Record<string, string>; [key: string]: unknown };

const FOLDER = '.github/workflows';
const texts = readdirSync(FOLDER).map((file) => readFileSync(join(FOLDER, file), 'utf8'));
const [text = ''] = texts;
const workflow = parse(text) as { on: Record<string, unknown>; permissions: object; jobs: Record<string, Job> };
const { build, deploy } = workflow.jobs as { build: Job; deploy: Job };
const azure = parse(readFileSync('azure.yaml', 'utf8'));
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
const runs = ({ steps: all }: Job) => all.flatMap(({ run }) => run ?? []);

describe('when GitHub runs the workflow', () => {
  it('given a push, a pull request or a hand, then all is built and tested, and only main is deployed', () => {
    expect(texts).toHaveLength(1);
    expect(Object.keys(workflow.on)).toEqual(['push', 'pull_request', 'workflow_dispatch']);
    expect(build).not.toHaveProperty('if');
    expect(runs(build).slice(0, 3)).toEqual(['npm ci', 'npm test', 'npm run package']);
    expect(deploy).toMatchObject({
      needs: 'build',
      if: expect.stringMatching(/^github\.ref == 'refs\/heads\/main' && \(/),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's.
      environment: "${{ inputs.environment || 'production' }}",
      concurrency: { 'cancel-in-progress': false },
    });
  });

  it('given its rights, then each job has those that it needs, and there are no secrets', () => {
    expect(workflow.permissions).toEqual({});
    expect(build.permissions).toEqual({ contents: 'read' });
    expect(deploy.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    expect(text).not.toMatch(/secrets\.|pull_request_target|persist-credentials: true/);
    for (const { uses, with: options } of steps.filter((step) => step.uses?.startsWith('actions/checkout@'))) {
      expect({ uses, options }).toMatchObject({ options: { 'persist-credentials': false } });
    }
  });

  it('given actions of others, then each is pinned to a commit, whose version stands beside it', () => {
    const lines = text.split('\n').filter((line) => /\buses:/.test(line));

    expect(lines.length).toBe(steps.filter(({ uses }) => uses).length);
    for (const line of lines) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(new Set(lines.map((line) => line.replace(/.*uses: /, ''))).size).toBe(6);
  });

  it('given what it runs, then nothing of an event is put into a script, and each script of npm is there', () => {
    const all = steps.flatMap(({ run }) => run ?? []);

    expect(all.filter((run) => run.includes('${{'))).toEqual([]);
    const named = all.flatMap((run) => [...run.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name));
    expect(named).toEqual(['package']);
    for (const name of named) expect(scripts).toHaveProperty([name]);
  });

  it('given the package that was tested, then that is deployed, beside no package of npm', () => {
    const [zip] = build.steps.filter(({ run }) => run?.startsWith('zip'));

    expect(zip?.['working-directory']).toBe(azure.services.app.dist);
    expect(zip?.run).toBe('zip -qrX ../../package.zip .');
    expect(build.steps.at(-1)?.with).toMatchObject({ name: 'package', path: 'package.zip' });
    expect(runs(deploy).join('\n')).not.toMatch(/\bnpm\b/);
    expect(runs(deploy).at(-1)).toBe(
      `azd deploy ${Object.keys(azure.services)[0]} --from-package package.zip --no-prompt`,
    );
  });

  it('given azd, then it is one that azure.yaml takes, and is signed in before it is used', () => {
    const setup = deploy.steps.find(({ uses }) => uses?.startsWith('Azure/setup-azd@'));
    const least = azure.requiredVersions.azd.replace('>= ', '').split('.').map(Number);
    const used = String(setup?.with?.version).split('.').map(Number);

    expect(used).toHaveLength(3);
    expect((used[0] ?? 0) * 1000 + (used[1] ?? 0)).toBeGreaterThanOrEqual(least[0] * 1000 + least[1]);
    expect(runs(deploy).map((run) => run.split(' ').slice(0, 3).join(' ').split('\n')[0])).toEqual([
      'azd auth login',
      'az account get-access-token',
      'azd provision --no-prompt',
      'azd deploy app',
    ]);
  });

  it('given settings, then each is the variable of its name', () => {
    for (const [name, value] of Object.entries(deploy.env ?? {})) expect(value).toBe(`\${{ vars.${name} }}`);
  });
});
