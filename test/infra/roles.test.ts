import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { sourceFiles } from './app.js';
import { type BicepFile, nodesOf, readBicep, valueAt } from './bicep.js';

/** Built-in roles of Azure, by id. */
const ROLES: Readonly<Record<string, string>> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a': 'Storage Queue Data Message Sender',
  '4c8d0bbc-75d3-4935-991f-5f3c56d81508': 'FHIR Data Reader',
  '5a1fc7df-4bf1-4951-a576-89034ee01acd': 'FHIR Data Contributor',
  'e89c7a3c-2f64-4fa1-a847-3e4c9ba4283a': 'DICOM Data Reader',
  '58a3b984-7adf-4c20-983a-32417c86fbc8': 'DICOM Data Owner',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7': 'Key Vault Secrets Officer',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
};
const GUID = /'([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})'/g;

let files: readonly BicepFile[];
beforeAll(async () => {
  files = await readBicep();
});
const assignments = () =>
  files.flatMap(({ path, resources }) =>
    resources
      .filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments')
      .map((resource) => ({ ...resource, path })),
  );

describe('when the template assigns roles', () => {
  it('given each module, then it assigns exactly the roles that its purpose needs', () => {
    const given = files
      .map(
        ({ path, text }) => [basename(path), [...text.matchAll(GUID)].map(([, id = '']) => ROLES[id] ?? id)] as const,
      )
      .filter(([, roles]) => roles.length > 0);

    expect(Object.fromEntries(given)).toEqual({
      'app-storage-roles.bicep': [
        'Storage Blob Data Owner',
        'Storage Table Data Contributor',
        'Storage Queue Data Contributor',
      ],
      'container-role.bicep': ['Storage Blob Data Contributor'],
      'event-queue-roles.bicep': ['Storage Queue Data Message Sender', 'Storage Queue Data Contributor'],
      'workflow-storage-role.bicep': ['Storage Table Data Contributor'],
      'key-vault.bicep': ['Key Vault Secrets User', 'Key Vault Secrets Officer'],
      'health-readers.bicep': ['FHIR Data Reader', 'DICOM Data Reader'],
      'health-workspace.bicep': ['FHIR Data Contributor', 'DICOM Data Owner'],
      'monitoring.bicep': ['Monitoring Metrics Publisher'],
    });
  });

  it('given tables/delete, then only the expiry of the ledger needs it, and the role of operators lacks it', () => {
    const drops = sourceFiles().filter(({ text }) => /\.drop\(/.test(text));
    const operator = files.find(({ path }) => path === 'infra/operator-role.bicep')?.text ?? '';
    const rights = [...operator.matchAll(/'Microsoft\.Storage\/storageAccounts\/tableServices\/(.+)'/g)];

    expect(drops.map(({ file }) => file)).toEqual(['storage/bounded.ts', 'storage/retention.ts']);
    expect(rights.map(([, right]) => right)).toEqual([
      'tables/read',
      'tables/write',
      'tables/entities/read',
      'tables/entities/write',
      'tables/entities/delete',
      'tables/entities/add/action',
      'tables/entities/update/action',
    ]);
  });

  it('given the id of a role, then its variable is named after the role', () => {
    const misnamed = files.flatMap(({ path, text }) =>
      [...text.matchAll(/^(.*)'([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})'/gm)]
        .filter(([, before, id = '']) => before !== `var ${camelCase(ROLES[id] ?? 'unknown')} = `)
        .map(([line]) => `${path}: ${line}`),
    );

    expect(misnamed).toEqual([]);
  });

  it('given a role assignment, then its scope is one resource, never a resource group', () => {
    const scopes = assignments().map(({ path, node }) => [basename(path), valueAt(node, 'scope')?.text]);

    expect(scopes).toHaveLength(14);
    expect(scopes).toEqual(
      expect.arrayContaining([
        ['app-storage-roles.bicep', 'account'],
        ['container-role.bicep', 'account::blobs::container'],
        ['event-queue-roles.bicep', 'account::queues::events'],
        ['event-queue-roles.bicep', 'account::queues::poison'],
        ['health-readers.bicep', 'fhir[index]'],
        ['health-readers.bicep', 'dicom[index]'],
        ['key-vault.bicep', 'vault'],
        ['monitoring.bicep', 'applicationInsights'],
      ]),
    );
    expect(scopes.filter(([, scope]) => scope === undefined)).toEqual([]);
  });

  it('given a role assignment, then its name derives from resource, identity and role, so every deployment repeats it', () => {
    for (const { node } of assignments()) {
      const name = valueAt(node, 'name')?.text ?? '';
      const properties = valueAt(node, 'properties');
      const principal = properties && valueAt(properties, 'principalId')?.text;
      const role = /(?:'Microsoft.Authorization\/roleDefinitions', |roleDefinitionId: )(\w+)(?:\)|\.id)/.exec(
        node.text,
      )?.[1];

      expect(name).toMatch(/^guid\([\w:]+\.id, /);
      expect(name).toMatch(new RegExp(`, ${principal}, ${role}(\\.id)?\\)`));
      expect(properties && valueAt(properties, 'principalType')).toBeDefined();
    }
  });

  it('given the pipeline, then its condition lets it grant and remove exactly the roles of the identities, never those of people', () => {
    const condition = readFileSync('infra/pipeline/grantable-roles.txt', 'utf8');
    const toIdentities = assignments().flatMap(({ path, node }) => {
      const role = /'Microsoft.Authorization\/roleDefinitions', (\w+)\)/.exec(node.text)?.[1];
      const type = valueAt(node, 'properties', 'principalType')?.text;
      const ids = [
        ...(files.find((file) => file.path === path)?.text ?? '').matchAll(/^var (\w+) = '([0-9a-f-]{36})'$/gm),
      ];
      // A role that is no variable is that of a loop over all roles of the file.
      const named = ids.filter(([, name]) => name === role);
      return type === "'ServicePrincipal'" ? (named.length > 0 ? named : ids).map(([, , id]) => id) : [];
    });

    const lists = [...condition.matchAll(/RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals \{([^}]+)\}/g)];
    const listed = lists.map(([, list = '']) =>
      list
        .split(', ')
        .map((id) => ROLES[id] ?? id)
        .sort(),
    );
    expect(listed).toEqual(Array(2).fill([...new Set(toIdentities.map((id = '') => ROLES[id] ?? id))].sort()));
    expect(listed[0]).not.toContain('Key Vault Secrets Officer');
    expect(
      condition
        .replaceAll(/\{[0-9a-f, -]+\}/g, '{…}')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    ).toBe(
      "( ( !(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}) ) OR " +
        '( @Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {…} AND ' +
        "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'} ) ) " +
        "AND ( ( !(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'}) ) OR " +
        '( @Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {…} AND ' +
        "@Resource[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'} ) )",
    );
  });

  it('given a pipeline that deploys, then it gets no role of people', () => {
    const main = files.find(({ path }) => path === 'infra/main.bicep');
    const toPeople = main?.modules.flatMap(({ node }) => [
      ...node.text.matchAll(/(?:officer|user)PrincipalId: (.+)$/gm),
    ]);

    expect(toPeople?.map(([, given]) => given)).toEqual(['personId', 'personId']);
    expect(main?.variables.find(({ name }) => name === 'personId')?.value).toBe(
      "principalType == 'ServicePrincipal' ? '' : principalId",
    );
  });

  it('given the topic and the app, then both may write to the container undelivered and to no other container', () => {
    const main = files.find(({ path }) => path === 'infra/main.bicep');
    const calls = main?.modules.filter(({ path }) => path.endsWith('container-role.bicep')) ?? [];

    const params = calls.map(({ node }) => valueAt(node, 'params'));
    expect(calls.map(({ name }) => name)).toEqual(['undeliveredForApp', 'undeliveredForTopic']);
    expect(params.map((node) => node && valueAt(node, 'containerName')?.text)).toEqual([
      "'undelivered'",
      "'undelivered'",
    ]);
    expect(params.map((node) => node && valueAt(node, 'accountName')?.text)).toEqual([
      'undeliveredStorage.outputs.name',
      'undeliveredStorage.outputs.name',
    ]);
  });

  it('given the identity of the app, then it is the only identity in the template and the only identity of the app', () => {
    const identities = files.flatMap(({ resources }) => resources).filter(({ type }) => /Identities$/.test(type));
    const app = files
      .flatMap(({ resources }) => resources)
      .find(({ type, isExisting }) => type === 'Microsoft.Web/sites' && !isExisting);

    expect(identities).toHaveLength(1);
    expect(app && valueAt(app.node, 'identity', 'type')?.text).toBe("'UserAssigned'");
    expect(app && nodesOf(app.node, 'object_property').filter(({ text }) => text.startsWith("'${"))).toHaveLength(1);
  });
});

function camelCase(words: string): string {
  const [first = '', ...rest] = words.split(' ');
  return [first.toLowerCase(), ...rest].join('');
}
