import { type BicepFile, nodesOf, readBicep, valueAt } from './bicep.js';

let files: readonly BicepFile[];
beforeAll(async () => {
  files = await readBicep();
});
const resourceOf = (type: string) => {
  const found = files
    .flatMap(({ resources }) => resources)
    .find((resource) => resource.type === type && !resource.isExisting);
  if (!found) throw new Error(`no ${type}`);
  return found.node;
};

describe('when infra/ is deployed', () => {
  it('given any file, then no access key or secret is read', () => {
    const keyReads = files.flatMap(({ path, root }) =>
      nodesOf(root, 'call_expression')
        .map(({ text }) => /^[\w.!:]*\b(list\w*|get(Secret|Sas)\w*)\(/i.exec(text)?.[1] ?? '')
        .filter((name) => name !== '' && name !== 'listOf')
        .map((name) => `${path}: ${name}`),
    );

    expect(keyReads).toEqual([]);
  });

  it('given the outputs, then none holds a secret, because Azure keeps outputs in the deployment history', () => {
    const secretOutputs = files.flatMap(({ path, outputs }) =>
      outputs
        .filter(({ name, value = '' }) =>
          /key|secret|password|token/i.test(`${name} ${value}`.replace('KEY_VAULT', '')),
        )
        .map(({ name }) => `${path}: ${name}`),
    );

    expect(secretOutputs).toEqual([]);
  });

  it('given values that may hold a secret, then their parameters are marked @secure()', () => {
    const secure = files.flatMap(({ path, parameters }) =>
      parameters.filter(({ isSecure }) => isSecure).map(({ name }) => `${path}: ${name}`),
    );

    expect(secure).toEqual([
      'infra/main.bicep: incidentWebhookUrl',
      'infra/main.bicep: alertWebhookUrl',
      'infra/main.bicep: moreSettings',
      'infra/modules/alerts.bicep: incidentWebhookUrl',
      'infra/modules/function-app.bicep: settings',
    ]);
  });

  it.each([
    ['Microsoft.Web/sites', ['httpsOnly'], 'true'],
    ['Microsoft.Web/sites', ['keyVaultReferenceIdentity'], 'identityId'],
    ['Microsoft.Web/sites', ['siteConfig', 'minTlsVersion'], "'1.2'"],
    ['Microsoft.Web/sites', ['siteConfig', 'scmMinTlsVersion'], "'1.2'"],
    [
      'Microsoft.Web/sites',
      ['functionAppConfig', 'deployment', 'storage', 'authentication', 'type'],
      "'UserAssignedIdentity'",
    ],
    ['Microsoft.KeyVault/vaults', ['enableRbacAuthorization'], 'true'],
    ['Microsoft.KeyVault/vaults', ['enablePurgeProtection'], 'true'],
    ['Microsoft.KeyVault/vaults', ['softDeleteRetentionInDays'], '90'],
    ['Microsoft.Insights/components', ['DisableLocalAuth'], 'true'],
  ])('given %s, then %s is %s', (type, path, value) => {
    expect(valueAt(resourceOf(type), 'properties', ...path)?.text).toBe(value);
  });

  it('given deployment with a password, then it is disabled over SCM and over FTP', () => {
    const policies = files
      .flatMap(({ resources }) => resources)
      .filter(({ type }) => type === 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');

    expect(policies.map(({ node }) => valueAt(node, 'name')?.text)).toEqual(["'scm'", "'ftp'"]);
    expect(policies.map(({ node }) => valueAt(node, 'properties', 'allow')?.text)).toEqual(['false', 'false']);
  });

  it('given restricted access, then the first rule allows Event Grid and the default action denies other senders', () => {
    const site = resourceOf('Microsoft.Web/sites');
    const config = (name: string) => valueAt(site, 'properties', 'siteConfig', name)?.text ?? '';

    expect(config('ipSecurityRestrictionsDefaultAction')).toBe("isRestricted ? 'Deny' : 'Allow'");
    expect(config('ipSecurityRestrictions')).toMatch(/tag: 'ServiceTag'\s+ipAddress: 'AzureEventGrid'/);
    expect(config('scmIpSecurityRestrictionsUseMain')).toBe('false');
    expect(config('scmIpSecurityRestrictionsDefaultAction')).toBe("isDeploymentRestricted ? 'Deny' : 'Allow'");
  });

  it('given that Event Grid triggers scale in the group http, then always-ready instances are of this group, or of the queue', () => {
    const ready = valueAt(resourceOf('Microsoft.Web/sites'), 'properties', 'functionAppConfig', 'scaleAndConcurrency');

    expect(ready && valueAt(ready, 'alwaysReady')?.text).toContain(
      "name: takesFromQueue ? 'function:queuedEvents' : 'http'",
    );
  });
});
