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

/** azd knows them without being told. */
const BY_AZD = [
  'AZURE_ENV_NAME',
  'AZURE_SUBSCRIPTION_ID',
  'AZURE_TENANT_ID',
  'AZURE_PRINCIPAL_ID',
  'AZURE_PRINCIPAL_TYPE',
];
/** The preprovision hook sets them. */
const BY_HOOK = ['EVENTGRID_SYSTEM_TOPIC', 'EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP'];

describe('when infra, hooks and workflow speak of the same', () => {
  it('given what the hooks read, then the template puts it out, or it is a setting', () => {
    const asked = steps.flatMap((text) => all(text, /(?:env\.|')([A-Z]+(?:_[A-Z]+)+)\b/g));
    const known = new Set([...outputs, ...settings, ...BY_AZD]);

    expect(new Set(asked).size).toBeGreaterThan(12);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it('given what the preprovision hook sets, then the template takes it', () => {
    const [preprovision = ''] = steps;
    const set = all(preprovision, /\b(EVENTGRID\w+): /g);

    expect(set.sort()).toEqual(BY_HOOK);
    expect(settings).toEqual(expect.arrayContaining(BY_HOOK));
  });

  it('given the tag that the hook knows its own topic by, then the template sets it', () => {
    expect(steps[0]).toContain("topic.tags?.['azd-env-name'] === env.AZURE_ENV_NAME");
    expect(read(path, `${main}.bicep`)).toContain("'azd-env-name': environmentName");
  });

  it('given the service of azure.yaml, then the function app has its tag', () => {
    const [service] = Object.keys(parse(read('azure.yaml')).services);

    expect(read(path, 'modules', 'function-app.bicep')).toContain(`'azd-service-name': '${service}'`);
  });

  it('given the secret that the hook makes, then the app is told of that one', () => {
    const [secret = ''] = all(steps[1] ?? '', /^const SECRET = '(.+)';$/gm);

    expect(secret).toBe('lookup-key');
    expect(read(path, `${main}.bicep`)).toMatch(new RegExp(`LOOKUP_KEY: '@Microsoft\\.KeyVault\\(.*${secret}\\)'`));
  });

  it('given what postdeploy hands to subscriptions.bicep, then it has each, and no other that must be given', () => {
    const template = read(path, 'subscriptions.bicep');
    const body = /const values = \{\n([\s\S]*?)\n {2}\};/.exec(steps[2] ?? '')?.[1] ?? '';
    const given = all(body, /^ {4}(\w+)/gm);

    expect(given.filter((name) => !all(template, /^param (\w+) /gm).includes(name))).toEqual([]);
    expect(all(template, /^param (\w+) \w+$/gm).filter((name) => !given.includes(name))).toEqual([]);
  });

  it('given the settings of the template, then the workflow has each, but those that come by themselves', () => {
    const signIn = ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_SUBSCRIPTION_ID'];
    const wanted = settings.filter(
      (name) => ![...BY_HOOK, 'AZURE_PRINCIPAL_ID', 'AZURE_PRINCIPAL_TYPE'].includes(name),
    );

    expect(Object.keys(workflow.jobs.deploy.env).sort()).toEqual([...new Set([...signIn, ...wanted])].sort());
  });

  it('given the functions that postdeploy waits for, then those are subscribed', () => {
    const [list = ''] = all(steps[2] ?? '', /^const FUNCTIONS = \[(.+)\];$/gm);

    expect(all(list, /'(\w+)'/g)).toEqual(all(read(path, 'subscriptions.bicep'), /^ {4}function: '(\w+)'$/gm));
  });
});
