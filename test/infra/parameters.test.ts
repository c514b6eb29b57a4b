import { readdirSync, readFileSync } from 'node:fs';
import { type BicepFile, type Declaration, readBicep } from './bicep.js';

const pageOf = (name: string) => readFileSync(`docs/deploy/${name}`, 'utf8');
const pages = readdirSync('docs/deploy').map(pageOf).join('\n');
const { parameters: given } = JSON.parse(readFileSync('infra/main.parameters.json', 'utf8')) as {
  parameters: Record<string, { value: string }>;
};
const ENV = /^\$\{([A-Z_]+)(?:=([^}]*))?\}$/;
/** azd knows these settings or prompts for them. */
const FROM_AZD = ['AZURE_ENV_NAME', 'AZURE_LOCATION'];

let main: BicepFile;
beforeAll(async () => {
  main = (await readBicep()).find(({ path }) => path === 'infra/main.bicep') as BicepFile;
});
const settings = Object.entries(given).map(([parameter, { value }]) => {
  const [, name = '', fallback] = ENV.exec(value) ?? [];
  return { parameter, name, fallback };
});
/** Rows of the table of settings: the first cell holds one or more names, the second cell the default. */
const rows = [...pageOf('settings.md').matchAll(/^\| (`[A-Z_`, ]+`) \| ([^|]*) \| /gm)].flatMap(
  ([, names = '', fallback = '']) => [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => ({ name, fallback })),
);
const outputs = () => main.outputs.map(({ name }) => name);

describe('when azd hands settings to main.bicep', () => {
  it('given the parameters, then main.parameters.json lists them in the same order, each from a separate setting', () => {
    expect(Object.keys(given)).toEqual(main.parameters.map(({ name }) => name));
    expect(settings.filter(({ name }) => name === '')).toEqual([]);
    expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
  });

  it('given the defaults, then main.bicep and main.parameters.json agree', () => {
    const different = settings
      .filter(({ name }) => !FROM_AZD.includes(name))
      .filter(({ parameter, fallback }) => fallback !== defaultOf(main.parameters, parameter));

    expect(different).toEqual([]);
  });

  it('given the settings of the azd environment, then docs/deploy/settings.md lists exactly these', () => {
    expect(rows.map(({ name }) => name)).toEqual(settings.map(({ name }) => name));
  });

  it('given a setting with a default, then docs/deploy/settings.md shows the default', () => {
    const documented = new Map(rows.map(({ name, fallback }) => [name, fallback]));

    const undocumented = settings.filter(
      ({ name, fallback }) => fallback && !documented.get(name)?.includes(`\`${fallback}\``),
    );

    expect(undocumented).toEqual([]);
    expect(settings.filter(({ fallback }) => fallback).length).toBeGreaterThan(15);
  });

  it('given outputs, which azd keeps as settings, then only the intended three return as parameters', () => {
    const fedBack = outputs().filter((name) => settings.some((setting) => setting.name === name));

    // Each holds the value that the deployment used, so the next deployment makes the same resources.
    expect(fedBack).toEqual(['AZURE_RESOURCE_GROUP', 'AHDS_WORKSPACE_ID', 'EVENT_SCHEMA']);
  });

  it('given the commands in docs/deploy, then their variables are settings or outputs', () => {
    const commands = [...pages.matchAll(/^ {4,}.*$/gm)].map(([line]) => line).join('\n');
    const used = [...commands.matchAll(/\$\{?([A-Z][A-Z_]{3,})/g)].map(([, name = '']) => name);
    const set = [...commands.matchAll(/azd env set ([A-Z_]+)/g)].map(([, name = '']) => name);
    const own = ['FHIR', 'TOKEN'];

    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((name) => ![...outputs(), ...own].includes(name))).toEqual([]);
    expect(set.filter((name) => !settings.some((setting) => setting.name === name))).toEqual([]);
  });

  it('given locks, which a Contributor may not write, then the pages name the needed role and exclude GitHub', async () => {
    const locks = (await readBicep()).flatMap(({ resources }) => resources).filter(({ type }) => /\/locks$/.test(type));
    const [, beforeYouBegin = ''] = /^## Before you begin$([\s\S]*?)^## /m.exec(pageOf('first-deployment.md')) ?? [];

    expect(locks).toHaveLength(2);
    expect(beforeYouBegin).toMatch(/`LOCK_DATA` needs Owner, or a role with `Microsoft\.Authorization\/locks\/\*`/);
    expect(pageOf('github.md')).toMatch(/Set `LOCK_DATA` only in that run/);
  });

  it('given a new GitHub repository, then the documented OIDC subject contains the ids that GitHub sends', () => {
    expect(pageOf('github.md')).toContain(
      '--subject repo:<owner>@<owner id>/<repository>@<repository id>:environment:production',
    );
    expect(pageOf('github.md')).toContain('AADSTS700213');
  });

  it('given the roles of the template, then SECURITY.md names them', () => {
    const security = readFileSync('SECURITY.md', 'utf8');

    for (const role of ['Storage Blob Data Owner', 'Storage Blob Data Contributor', 'FHIR Data Reader']) {
      expect(security).toContain(role);
    }
  });
});

function defaultOf(parameters: readonly Declaration[], name: string): string | undefined {
  const value = parameters.find((parameter) => parameter.name === name)?.value;
  return value?.replace(/^'(.*)'$/s, '$1');
}
