import { readFileSync } from 'node:fs';
import { type BicepFile, type Declaration, readBicep } from './bicep.js';

const page = readFileSync('docs/deploy.md', 'utf8');
const { parameters: given } = JSON.parse(readFileSync('infra/main.parameters.json', 'utf8')) as {
  parameters: Record<string, { value: string }>;
};
const ENV = /^\$\{([A-Z_]+)(?:=([^}]*))?\}$/;
/** Asked for by azd, or known to it, where they are not set. */
const FROM_AZD = ['AZURE_ENV_NAME', 'AZURE_LOCATION'];

let main: BicepFile;
beforeAll(async () => {
  main = (await readBicep()).find(({ path }) => path === 'infra/main.bicep') as BicepFile;
});
const settings = Object.entries(given).map(([parameter, { value }]) => {
  const [, name = '', otherwise] = ENV.exec(value) ?? [];
  return { parameter, name, otherwise };
});
/** Rows of the table: `NAME` or `NAME`, `NAME`, then the default. */
const rows = [...page.matchAll(/^\| (`[A-Z_`, ]+`) \| ([^|]*) \| /gm)].flatMap(([, names = '', otherwise = '']) =>
  [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => ({ name, otherwise })),
);
const outputs = () => main.outputs.map(({ name }) => name);

describe('when azd hands settings to main.bicep', () => {
  it('given its parameters, then main.parameters.json has each, in the same order, from a setting of its own', () => {
    expect(Object.keys(given)).toEqual(main.parameters.map(({ name }) => name));
    expect(settings.filter(({ name }) => name === '')).toEqual([]);
    expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
  });

  it('given defaults, then they are the same in both', () => {
    const different = settings
      .filter(({ name }) => !FROM_AZD.includes(name))
      .filter(({ parameter, otherwise }) => otherwise !== defaultOf(main.parameters, parameter));

    expect(different).toEqual([]);
  });

  it('given settings of the environment, then docs/deploy.md lists those, and no others', () => {
    expect(rows.map(({ name }) => name)).toEqual(settings.map(({ name }) => name));
  });

  it('given a default that is more than empty, then docs/deploy.md says it', () => {
    const told = new Map(rows.map(({ name, otherwise }) => [name, otherwise]));

    const untold = settings.filter(({ name, otherwise }) => otherwise && !told.get(name)?.includes(`\`${otherwise}\``));

    expect(untold).toEqual([]);
    expect(settings.filter(({ otherwise }) => otherwise).length).toBeGreaterThan(15);
  });

  it('given an output, then azd keeps it as a setting: none changes what the next deployment makes', () => {
    const fedBack = outputs().filter((name) => settings.some((setting) => setting.name === name));

    // The group, the schema and the workspace that were used, and no others.
    expect(fedBack).toEqual(['AZURE_RESOURCE_GROUP', 'AHDS_WORKSPACE_ID', 'EVENT_SCHEMA']);
  });

  it('given commands in docs/deploy.md, then the variables in them are settings or outputs', () => {
    const commands = [...page.matchAll(/^ {4,}.*$/gm)].map(([line]) => line).join('\n');
    const used = [...commands.matchAll(/\$\{?([A-Z][A-Z_]{3,})/g)].map(([, name = '']) => name);
    const set = [...commands.matchAll(/azd env set ([A-Z_]+)/g)].map(([, name = '']) => name);
    const own = ['FHIR'];

    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((name) => ![...outputs(), ...own].includes(name))).toEqual([]);
    expect(set.filter((name) => !settings.some((setting) => setting.name === name))).toEqual([]);
  });

  it('given locks, which Contributor may not write, then docs say who may, and that GitHub leaves them alone', async () => {
    const locks = (await readBicep()).flatMap(({ resources }) => resources).filter(({ type }) => /\/locks$/.test(type));
    const [, beforeYouBegin = ''] = /^## Before you begin$([\s\S]*?)^## /m.exec(page) ?? [];
    const [, fromGitHub = ''] = /^## From GitHub$([\s\S]*?)^## /m.exec(page) ?? [];

    expect(locks).toHaveLength(2);
    expect(beforeYouBegin).toMatch(/`LOCK_DATA` needs Owner, or a role with `Microsoft\.Authorization\/locks\/\*`/);
    expect(fromGitHub).toMatch(/Set `LOCK_DATA` there alone/);
  });

  it('given a repository of today, then the subject that Azure is to believe has the ids that GitHub sends', () => {
    expect(page).toContain('--subject repo:<owner>@<owner id>/<repository>@<repository id>:environment:production');
    expect(page).toContain('AADSTS700213');
  });

  it('given roles and sections that docs tell of, then they are there', () => {
    const security = readFileSync('SECURITY.md', 'utf8');
    const anchors = [...page.matchAll(/\]\(#([a-z-]+)\)/g)].map(([, anchor]) => anchor);
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, text = '']) =>
      text.toLowerCase().replaceAll(/\W+/g, '-'),
    );

    expect(anchors.filter((anchor) => !headings.includes(anchor ?? ''))).toEqual([]);
    for (const role of ['Storage Blob Data Owner', 'Storage Blob Data Contributor', 'FHIR Data Reader']) {
      expect(security).toContain(role);
    }
  });
});

function defaultOf(parameters: readonly Declaration[], name: string): string | undefined {
  const value = parameters.find((parameter) => parameter.name === name)?.value;
  return value?.replace(/^'(.*)'$/s, '$1');
}
