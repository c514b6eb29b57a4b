import { containersOpened, queuesOpened } from './app.js';
import { type BicepFile, literalOf, nodesOf, readBicep, valueAt } from './bicep.js';

let files: readonly BicepFile[];
beforeAll(async () => {
  files = await readBicep();
});
const fileOf = (path: string) => files.find((file) => file.path === path) as BicepFile;
const resourceOf = (path: string, type: string) => {
  const found = fileOf(path).resources.find((resource) => resource.type === type);
  if (!found) throw new Error(`${path} has no ${type}`);
  return found.node;
};
/** The parameters with which main.bicep creates storage accounts. */
const accounts = () =>
  fileOf('infra/main.bicep')
    .modules.filter(({ path }) => path === 'infra/modules/storage-account.bicep')
    .map(({ name, node }) => {
      const params = valueAt(node, 'params');
      const strings = (parameter: string) =>
        nodesOf((params && valueAt(params, parameter)) as never, 'string').map((node) => literalOf(node));
      return {
        name,
        containers: strings('containers'),
        lettersContainers: strings('lettersContainers'),
        access: params && valueAt(params, 'access')?.text,
        tableLogId: params && valueAt(params, 'tableLogId')?.text,
      };
    });

const ACCOUNT = 'infra/modules/storage-account.bicep';

describe('when the template creates storage', () => {
  it('given the containers that the app opens, then each exists, and undelivered is in a separate account', () => {
    expect(accounts().map(({ tableLogId: _, ...account }) => account)).toEqual([
      {
        name: 'storage',
        containers: ['deployments', 'dead-letters'],
        lettersContainers: ['dead-letters'],
        access: "privateNetwork ? 'closed' : 'public'",
      },
      {
        name: 'undeliveredStorage',
        containers: ['undelivered'],
        lettersContainers: ['undelivered'],
        access: "privateNetwork ? 'trusted-services' : 'public'",
      },
      {
        name: 'workflowStorage',
        containers: [],
        lettersContainers: [],
        access: "privateNetwork ? 'closed' : 'public'",
      },
    ]);
    expect(containersOpened()).toEqual(['dead-letters', 'undelivered']);
  });

  it('given the container of deployments, then the template creates it', () => {
    const call = fileOf('infra/main.bicep').modules.find(({ name }) => name === 'functionApp')?.node;

    expect(call?.text).toMatch(/deploymentContainerUrl: '\$\{storage\.outputs\.blobEndpoint\}deployments'/);
  });

  it('given the queues that the app opens, then the template creates each, those of events beside undelivered', () => {
    const queues = fileOf('infra/main.bicep')
      .modules.filter(({ path }) => path === ACCOUNT)
      .flatMap(({ name, node }) => {
        const params = valueAt(node, 'params');
        const list = params && valueAt(params, 'queues');
        return list ? [{ name, queues: nodesOf(list, 'string').map((node) => literalOf(node)), text: list.text }] : [];
      });
    const eventQueues = fileOf('infra/main.bicep').variables.find(({ name }) => name === 'eventQueues')?.value;

    expect(queues).toMatchObject([
      { name: 'storage', queues: ['due', 'due-long'] },
      { name: 'undeliveredStorage', text: 'eventQueues' },
    ]);
    expect(eventQueues).toBe("ingress == 'queue' ? ['events', 'events-poison'] : []");
    expect(queuesOpened()).toEqual(['due', 'due-long', 'events', 'events-poison']);
  });

  it('given tables, then the template creates none, because the app creates and deletes them', () => {
    const types = files.flatMap(({ resources }) => resources.map(({ type }) => type));

    expect(types.filter((type) => /\/(tables|shares)$/.test(type))).toEqual([]);
  });

  it.each([
    ['allowSharedKeyAccess', 'false'],
    ['defaultToOAuthAuthentication', 'true'],
    ['allowBlobPublicAccess', 'false'],
    ['allowCrossTenantReplication', 'false'],
    ['supportsHttpsTrafficOnly', 'true'],
    ['minimumTlsVersion', "'TLS1_2'"],
  ])('given a storage account, then its %s is %s', (property, value) => {
    const account = resourceOf(ACCOUNT, 'Microsoft.Storage/storageAccounts');

    expect(valueAt(account, 'properties', property)?.text).toBe(value);
  });

  it('given a private network, then the firewall admits Event Grid and denies other public access', () => {
    const account = resourceOf(ACCOUNT, 'Microsoft.Storage/storageAccounts');

    expect(valueAt(account, 'properties', 'networkAcls', 'bypass')?.text).toBe("'AzureServices'");
    expect(valueAt(account, 'properties', 'networkAcls', 'defaultAction')?.text).toBe(
      "access == 'public' ? 'Allow' : 'Deny'",
    );
    expect(valueAt(account, 'properties', 'publicNetworkAccess')?.text).toBe(
      "access == 'closed' ? 'Disabled' : 'Enabled'",
    );
  });

  it('given a dead letter that was deleted by mistake, then soft delete keeps it for 30 days', () => {
    const blobs = resourceOf(ACCOUNT, 'Microsoft.Storage/storageAccounts/blobServices');

    for (const policy of ['deleteRetentionPolicy', 'containerDeleteRetentionPolicy']) {
      expect(valueAt(blobs, 'properties', policy, 'enabled')?.text).toBe('true');
      expect(valueAt(blobs, 'properties', policy, 'days')?.text).toBe('softDeleteDays');
    }
    expect(fileOf(ACCOUNT).variables.find(({ name }) => name === 'softDeleteDays')?.value).toBe('30');
  });

  it('given a resolved dead letter, then the account deletes it 30 days after its retention, so the app deletes it first', () => {
    expect(fileOf(ACCOUNT).text).toContain('daysAfterModificationGreaterThan: resolvedRetentionDays + moreDays');
    expect(fileOf(ACCOUNT).text).toMatch(/^var moreDays = 30$/m);
  });

  it('given the rule that deletes blobs, then it deletes resolved dead letters, never pending dead letters', () => {
    const prefixes = files.flatMap(({ root }) =>
      nodesOf(root, 'object_property').filter(({ text }) => text.startsWith('prefixMatch:')),
    );

    expect(prefixes.map(({ text }) => text)).toEqual([
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Bicep syntax
      "prefixMatch: map(lettersContainers, containerName => '${containerName}/resolved/')",
    ]);
  });

  it('given request logs, then those of tables, whose keys may hold ids, go to a store apart from telemetry', () => {
    const logs = fileOf(ACCOUNT)
      .resources.filter(({ type }) => type === 'Microsoft.Insights/diagnosticSettings')
      .map(({ node }) => ({
        scope: valueAt(node, 'scope')?.text,
        store: valueAt(node, 'properties', 'workspaceId')?.text,
        categories: [...node.text.matchAll(/category: '(\w+)'/g)].map(([, category]) => category),
      }));

    expect(logs).toEqual([
      { scope: 'blobs', store: 'logAnalyticsId', categories: ['StorageRead', 'StorageDelete'] },
      { scope: 'tables', store: 'tableLogId', categories: ['StorageRead', 'StorageWrite', 'StorageDelete'] },
    ]);
    const stores = accounts().map(({ name, tableLogId }) => [name, tableLogId]);
    const apart = "auditRetentionDays > 0 ? auditLog!.outputs.id : ''";
    expect(stores).toEqual([
      ['storage', apart],
      ['undeliveredStorage', "''"],
      ['workflowStorage', apart],
    ]);
  });

  it('given the store of these logs, then a right on a storage account does not include its lines', () => {
    const store = resourceOf('infra/modules/audit-log.bicep', 'Microsoft.OperationalInsights/workspaces');

    expect(valueAt(store, 'properties', 'features', 'enableLogAccessUsingOnlyResourcePermissions')?.text).toBe('false');
    expect(valueAt(store, 'properties', 'retentionInDays')?.text).toBe('retentionDays');
  });

  it('given a key of your own, then tables and queues can have it: their keys have the scope of the account', () => {
    const encryption = (...path: string[]) =>
      valueAt(resourceOf(ACCOUNT, 'Microsoft.Storage/storageAccounts'), 'properties', 'encryption', ...path)?.text;

    expect(encryption('services', 'table', 'keyType')).toBe('keyType');
    expect(encryption('services', 'queue', 'keyType')).toBe('keyType');
    expect(encryption('keySource')).toBe("empty(keyUrl) ? 'Microsoft.Storage' : 'Microsoft.Keyvault'");
    expect(fileOf('infra/main.bicep').text).toContain("param storageKeyType string = 'Account'");
  });
});
