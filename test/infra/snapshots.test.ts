import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type BicepFile, readBicep } from './bicep.js';

/**
 * The predictions of `bicep snapshot` for typical deployments. `UPDATE_SNAPSHOTS=1 npm test -- test/infra/snapshots` writes
 * the files again; the diff of a file shows how a change of Bicep changes Azure.
 */
const FOLDER = 'test/infra/snapshots';
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.bicepparam'))
  .map((file) => file.replace('.bicepparam', ''));
const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
const bicep = findBicep();
const given = bicep === undefined ? it.skip : it;

type Snapshot = { predictedResources: Resource[]; diagnostics: string[] };
type Resource = { id?: string; name: string; type: string; properties?: Record<string, unknown> };

describe('when infra/ is compiled', () => {
  it('given GitHub, then the compiler is there, so that no comparison is skipped', () => {
    expect(process.env.GITHUB_ACTIONS === 'true' && bicep === undefined).toBe(false);
  });

  given('given each entry, then compiler and linter have no warning', () => {
    for (const entry of ['main', 'operator-role', 'subscriptions']) {
      const { status, stderr } = run('lint', `infra/${entry}.bicep`);

      expect({ entry, status, stderr }).toEqual({ entry, status: 0, stderr: '' });
    }
  });

  given.each(NAMES)('given %s, then it makes the resources in its snapshot', (name) => {
    const golden = join(FOLDER, `${name}.json`);
    const predicted = predict(name);
    if (process.env.UPDATE_SNAPSHOTS) writeFileSync(golden, predicted);

    expect(predicted.split('\n')).toEqual(readFileSync(golden, 'utf8').split('\n'));
  });

  it('given the parameters of main.bicep, then the parameters of one snapshot or another set each', async () => {
    const main = (await readBicep()).find(({ path }) => path === 'infra/main.bicep') as BicepFile;
    const set = NAMES.map((name) => readFileSync(join(FOLDER, `${name}.bicepparam`), 'utf8')).join('\n');

    expect(main.parameters.map(({ name }) => name).filter((name) => !set.includes(`param ${name} =`))).toEqual([]);
  });
});

/** The resources of a deployment as sorted, indented JSON. */
function predict(name: string): string {
  const written = join(FOLDER, `${name}.snapshot.json`);
  const where = ['--subscription-id', SUBSCRIPTION, '--location', 'westeurope', '--deployment-name', name];
  const { status, stderr } = run('snapshot', join(FOLDER, `${name}.bicepparam`), ...where);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { predictedResources, diagnostics } = JSON.parse(readFileSync(written, 'utf8')) as Snapshot;
  rmSync(written);
  expect(diagnostics).toEqual([]);
  const text = JSON.stringify(predictedResources.sort(byTypeAndName), readable, 2);
  return `${text.replaceAll(`/subscriptions/${SUBSCRIPTION}`, '')}\n`;
}

function byTypeAndName(one: Resource, other: Resource): number {
  const [first, second] = [one, other].map(({ type, id, name }) => `${type} ${id ?? ''} ${name}`);
  return (first ?? '') < (second ?? '') ? -1 : 1;
}

/**
 * Long texts as lines; of an id that Azure computes, the resource to which it belongs. The workbook is a file of its own,
 * infra/workbook.json.
 */
function readable(key: string, value: unknown): unknown {
  if (key === 'serializedData') return 'infra/workbook.json';
  const [, scope] = (key === 'id' && /^\[extensionResourceId\('([^']+)'/.exec(String(value))) || [];
  if (scope) return `[on ${scope}]`;
  return typeof value === 'string' && value.includes('\n') ? value.split('\n') : value;
}

/** The compiler that BICEP names, that of az (`az bicep install`), or the one on the PATH. */
function findBicep(): string | undefined {
  const ofAz = join(homedir(), '.azure', 'bin', 'bicep');
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'bicep'));
  return [process.env.BICEP ?? '', ofAz, ...onPath].find((path) => path !== '' && existsSync(path));
}

function run(...args: string[]) {
  const env = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' };
  return spawnSync(bicep ?? '', args, { encoding: 'utf8', env });
}
