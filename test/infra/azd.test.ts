import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);

const { path, module: main } = parse(read('azure.yaml')).infra;
const outputs = all(read(path, `${main}.bicep`), /^output (\w+) /gm);
const settings = all(read(path, `${main}.parameters.json`), /\$\{(\w+)/g);
const steps = ['preprovision', 'postprovision', 'postdeploy'].map((name) =>
  read(path, 'hooks', 'steps', `${name}.mjs`),
);
const workflow = parse(read('.github/workflows/build-and-deploy.yml'));

/** azd sets these itself. */
const BY_AZD = ['AZURE_ENV_NAME', 'AZURE_SUBSCRIPTION_ID', 'AZURE_TENANT_ID', 'AZURE_PRINCIPAL_TYPE'];
/** The preprovision hook sets these. */
const BY_HOOK = ['DEPLOYER_ID', 'EVENTGRID_SYSTEM_TOPIC', 'EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP', 'STORAGE_KEY_TYPE'];

describe('when infra, hooks and the GitHub workflow share names', () => {
  it('given the variables that hooks read, then each is an output, a setting or set by azd', () => {
    const readByHooks = steps.flatMap((text) => all(text, /(?:env\.|')([A-Z]+(?:_[A-Z]+)+)\b/g));
    const known = new Set([...outputs, ...settings, ...BY_AZD]);

    expect(new Set(readByHooks).size).toBeGreaterThan(12);
    expect(readByHooks.filter((name) => !known.has(name))).toEqual([]);
  });

  it('given the variables that the preprovision hook sets, then the template reads them', () => {
    const [preprovision = ''] = steps;
    const set = all(preprovision, /\b((?:EVENTGRID|DEPLOYER|STORAGE_KEY_TYPE)\w*): /g);

    expect(set.sort()).toEqual(BY_HOOK);
    expect(settings).toEqual(expect.arrayContaining(BY_HOOK));
  });

  it('given the tag by which the hook recognises its own topic, then the template sets it', () => {
    expect(steps[0]).toContain("tags?.['azd-env-name'] === env.AZURE_ENV_NAME");
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: Bicep syntax
    expect(steps[0]).toContain("givenNames().get('systemTopic') ?? `${workspaceName}-events`");
    expect(read(path, `${main}.bicep`)).toContain("systemTopic: '${workspaceName}-events'");
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: Bicep syntax
    expect(read(path, `${main}.bicep`)).toContain("'azd-env-name': environmentName");
  });

  it('given the service of azure.yaml, then the function app has its tag', () => {
    const [service] = Object.keys(parse(read('azure.yaml')).services);

    expect(read(path, 'modules', 'function-app.bicep')).toContain(`'azd-service-name': '${service}'`);
  });

  it('given the names that the preprovision hook accepts, then they are those of the template', () => {
    const [, list = ''] = /^var defaultNames = \{\n([\s\S]*?)^\}/m.exec(read(path, `${main}.bicep`)) ?? [];
    const [, accepted = ''] = /^const NAMED = \[\n([\s\S]*?)^\];/m.exec(steps[0] ?? '') ?? [];

    expect(all(accepted, /'(\w+)'/g)).toEqual(all(list, /^ {2}(\w+): /gm));
    const [row = ''] = /^\| `RESOURCE_NAMES` .*$/m.exec(read('docs/deploy/settings.md')) ?? [];
    expect(all(accepted, /'(\w+)'/g).filter((name) => !new RegExp(`\\b${name}\\b`).test(row))).toEqual([]);
  });

  it('given the secret that the hook creates, then a setting of the app refers to it', () => {
    const [secret = ''] = all(steps[1] ?? '', /^const SECRET = '(.+)';$/gm);

    expect(secret).toBe('lookup-key');
    expect(read(path, `${main}.bicep`)).toMatch(new RegExp(`LOOKUP_KEY: '@Microsoft\\.KeyVault\\(.*${secret}\\)'`));
  });

  it('given the parameters that postdeploy passes, then subscriptions.bicep declares them and requires no others', () => {
    const template = read(path, 'subscriptions.bicep');
    const body = /const values = \{\n([\s\S]*?)\n {2}\};/.exec(steps[2] ?? '')?.[1] ?? '';
    const given = all(body, /^ {4}(\w+)/gm);

    expect(given.filter((name) => !all(template, /^param (\w+) /gm).includes(name))).toEqual([]);
    expect(all(template, /^param (\w+) \w+$/gm).filter((name) => !given.includes(name))).toEqual([]);
  });

  it('given the settings of the template, then the workflow sets each, except those from azd and the hook', () => {
    const signIn = ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_SUBSCRIPTION_ID'];
    const wanted = settings.filter((name) => ![...BY_HOOK, 'AZURE_PRINCIPAL_TYPE'].includes(name));

    expect(Object.keys(workflow.jobs.deploy.env).sort()).toEqual([...new Set([...signIn, ...wanted])].sort());
  });

  it('given runbooks and GitHub, then provisioning also puts back what was changed in Azure', () => {
    const runbooks =
      read('docs/operations.md') + read('docs/recovery.md') + read('.github/workflows/build-and-deploy.yml');

    expect(all(runbooks, /(azd provision)/g).length).toBeGreaterThan(3);
    expect(all(runbooks, /(azd provision(?! --no-state).*)/g)).toEqual([]);
  });

  it('given the functions that postdeploy waits for, then they are the subscribed functions', () => {
    const [list = ''] = all(steps[2] ?? '', /^const FUNCTIONS = \[(.+)\];$/gm);

    expect(all(list, /'(\w+)'/g)).toEqual(all(read(path, 'subscriptions.bicep'), /^ {4}function: '(\w+)'$/gm));
  });
});
