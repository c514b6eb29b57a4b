import { describe, expect, it } from '@jest/globals';
import { type Answer, commandsOf, DEPLOYER, runHook, SHELLS_HERE, SIGNED_IN, TOKEN } from './stand-ins.js';

const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
const WORKSPACE = `/subscriptions/${SUBSCRIPTION}/resourceGroups/clinic/providers/Microsoft.HealthcareApis/workspaces/clinicdata`;
const inGroup = (group: string) => WORKSPACE.replace('/resourceGroups/clinic/', `/resourceGroups/${group}/`);
const ENV = {
  AZURE_ENV_NAME: 'prod',
  AZURE_SUBSCRIPTION_ID: SUBSCRIPTION,
  AHDS_WORKSPACE_ID: WORKSPACE,
  DEPLOYER_ID: DEPLOYER,
};
const TOPIC = {
  id: `/subscriptions/${SUBSCRIPTION}/resourceGroups/clinic-events/providers/Microsoft.EventGrid/systemTopics/clinic-topic`,
  name: 'clinic-topic',
  resourceGroup: 'clinic-events',
  // Azure may return ids in a different case.
  source: WORKSPACE.toLowerCase(),
  identity: { type: 'SystemAssigned, UserAssigned' },
};
const OTHER = { ...TOPIC, name: 'other', source: `${WORKSPACE}2` };

const ASKS = [
  'az version',
  'azd version',
  `az account get-access-token --query accessToken --subscription ${SUBSCRIPTION}`,
  `az storage account list --subscription ${SUBSCRIPTION}`,
];
const withTopics = (...topics: unknown[]): Answer[] => [
  ...SIGNED_IN,
  { to: 'az eventgrid system-topic list', says: topics },
];
const setCalls = (end: ReturnType<typeof runHook>) => commandsOf(end).filter((command) => /^azd env set/.test(command));

describe.each(SHELLS_HERE)('when azd is about to provision, with %s', (shell) => {
  it('given a workspace without a topic, then the hook sets nothing and reports that the template creates a topic', () => {
    const end = runHook('preprovision', { shell, env: ENV, answers: withTopics(OTHER) });

    expect(end).toMatchObject({ status: 0, complained: '' });
    expect(end.said).toContain('a new topic is made');
    expect(commandsOf(end)).toEqual([...ASKS, `az eventgrid system-topic list --subscription ${SUBSCRIPTION}`]);
  });

  it('given an existing topic without the azd tag, then the hook sets it for the template', () => {
    const end = runHook('preprovision', { shell, env: ENV, answers: withTopics(OTHER, TOPIC) });

    expect(end.status).toBe(0);
    expect(setCalls(end)).toEqual([
      'azd env set EVENTGRID_SYSTEM_TOPIC clinic-topic --environment prod',
      'azd env set EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP clinic-events --environment prod',
    ]);
  });

  it('given a topic that is already set, then the hook sets nothing', () => {
    const used = { EVENTGRID_SYSTEM_TOPIC: 'clinic-topic', EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP: 'clinic-events' };

    const end = runHook('preprovision', { shell, env: { ...ENV, ...used }, answers: withTopics(TOPIC) });

    expect(end.status).toBe(0);
    expect(setCalls(end)).toEqual([]);
  });

  it('given a topic with tag, name and group of this environment, then the hook sets nothing: the template owns it', () => {
    const own = { ...TOPIC, name: 'clinicdata-events', resourceGroup: 'Clinic', tags: { 'azd-env-name': 'prod' } };

    const end = runHook('preprovision', { shell, env: ENV, answers: withTopics(own) });

    expect(end.status).toBe(0);
    expect(setCalls(end)).toEqual([]);
    expect(end.said).toContain('of this environment: clinicdata-events');
  });

  it('given a topic that RESOURCE_NAMES names, then the template owns it', () => {
    const own = { ...TOPIC, name: 'evgt-clinic', resourceGroup: 'clinic', tags: { 'azd-env-name': 'prod' } };
    const env = { ...ENV, RESOURCE_NAMES: 'systemTopic=evgt-clinic; keyVault=kv-clinic' };

    expect(setCalls(runHook('preprovision', { shell, env, answers: withTopics(own) }))).toEqual([]);
  });

  it.each([
    {
      given: 'the tag of another environment',
      is: { name: 'clinicdata-events', resourceGroup: 'clinic' },
      tag: 'test',
    },
    { given: 'the same tag and another name', is: { resourceGroup: 'clinic' }, tag: 'prod' },
    { given: 'the same tag in another group', is: { name: 'clinicdata-events' }, tag: 'prod' },
  ])('given a topic with $given, then the hook sets it for the template', ({ is, tag }) => {
    const others = { ...TOPIC, ...is, tags: { 'azd-env-name': tag } };

    const end = runHook('preprovision', { shell, env: ENV, answers: withTopics(others) });

    expect(setCalls(end)).toHaveLength(2);
  });

  it('given a topic that is set but deleted, then the hook clears the settings', () => {
    const used = { EVENTGRID_SYSTEM_TOPIC: 'clinic-topic', EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP: 'clinic-events' };

    const end = runHook('preprovision', { shell, env: { ...ENV, ...used }, answers: withTopics() });

    expect(end.status).toBe(0);
    expect(setCalls(end)).toEqual([
      'azd env set EVENTGRID_SYSTEM_TOPIC  --environment prod',
      'azd env set EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP  --environment prod',
    ]);
  });

  it.each([
    { given: 'no identity', identity: null, found: 'None' },
    { given: 'only a user-assigned identity', identity: { type: 'UserAssigned' }, found: 'UserAssigned' },
  ])('given a topic with $given, then the hook fails and prints how to assign one', ({ identity, found }) => {
    const end = runHook('preprovision', { shell, env: ENV, answers: withTopics({ ...TOPIC, identity }) });

    expect(end.status).toBe(1);
    expect(setCalls(end)).toEqual([]);
    expect(end.complained).toContain(`no system-assigned identity (its identity: ${found})`);
    expect(end.complained).toContain(
      'az eventgrid system-topic update --resource-group clinic-events --name clinic-topic --identity systemassigned',
    );
  });

  it('given no Azure subscription, then the hook sets the subscription of the workspace', () => {
    const { AZURE_SUBSCRIPTION_ID: _, ...env } = ENV;

    const end = runHook('preprovision', { shell, env, answers: withTopics() });

    expect(end.status).toBe(0);
    expect(commandsOf(end)[2]).toBe(`azd env set AZURE_SUBSCRIPTION_ID ${SUBSCRIPTION} --environment prod`);
    expect(commandsOf(end)[3]).toBe(ASKS[2]);
  });

  it.each([
    { given: 'a name', id: 'clinicdata' },
    { given: 'the id of a service', id: `${WORKSPACE}/fhirservices/fhir` },
    { given: 'the id of another kind of resource', id: WORKSPACE.replace('workspaces', 'services') },
  ])('given $given instead of the id of a workspace, then the hook fails before any request to Azure', ({ id }) => {
    const end = runHook('preprovision', { shell, env: { ...ENV, AHDS_WORKSPACE_ID: id }, answers: withTopics() });

    expect(end.status).toBe(1);
    expect(end.complained).toContain(`AHDS_WORKSPACE_ID is ${id}, must be /subscriptions/<id>/resourceGroups/`);
    expect(commandsOf(end)).toEqual(['az version', 'azd version']);
  });

  it('given a workspace in another subscription, then the hook fails and names both subscriptions', () => {
    const other = '00000000-0000-0000-0000-000000000002';

    const end = runHook('preprovision', {
      shell,
      env: { ...ENV, AZURE_SUBSCRIPTION_ID: other },
      answers: withTopics(TOPIC),
    });

    expect(end.status).toBe(1);
    expect(end.complained).toContain(`in subscription ${SUBSCRIPTION}, and the app would be in ${other}`);
  });

  it.each([
    { given: 'no request to create a workspace', env: {}, says: 'azd env set AHDS_WORKSPACE_ID <id>' },
    { given: 'AHDS_CREATE_WORKSPACE is true', env: { AHDS_CREATE_WORKSPACE: 'true' }, says: 'A workspace is made' },
  ])('given no workspace and $given, then the hook succeeds and prints the consequence', ({ env, says }) => {
    const end = runHook('preprovision', { shell, env: { AZURE_ENV_NAME: 'prod', ...env }, answers: SIGNED_IN });

    expect(end.status).toBe(0);
    expect(end.said).toContain(says);
    expect(commandsOf(end)).toEqual([
      'az version',
      'azd version',
      'az account get-access-token --query accessToken',
      `azd env set DEPLOYER_ID ${DEPLOYER} --environment prod`,
      'az storage account list',
    ]);
  });

  it('given a guest, whose id azd takes from the home tenant, then the hook sets the id in the token of this tenant', () => {
    const end = runHook('preprovision', { shell, env: { ...ENV, DEPLOYER_ID: 'home' }, answers: withTopics() });

    expect(setCalls(end)).toEqual([`azd env set DEPLOYER_ID ${DEPLOYER} --environment prod`]);
    expect(end.said + end.complained).not.toContain(TOKEN);
  });

  it.each(['opaque', 'e30.e30.e30', 'e30.bnVsbA.e30'])(
    'given the token %s, which names nobody, then the hook fails',
    (token) => {
      const answers = [{ to: 'az account get-access-token', says: token }, ...withTopics()];

      const end = runHook('preprovision', { shell, env: ENV, answers });

      expect(end).toMatchObject({ status: 1, complained: expect.stringContaining('sign in again, az login') });
    },
  );

  it.each(['true', 'TRUE', '1'])(
    'given that the template creates a workspace (%s), then the hook ignores another named workspace and its topic',
    (on) => {
      const other = WORKSPACE.replace(SUBSCRIPTION, '00000000-0000-0000-0000-000000000002');
      const used = { EVENTGRID_SYSTEM_TOPIC: 'clinic-topic', EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP: 'clinic-events' };
      const env = { ...ENV, ...used, AHDS_WORKSPACE_ID: other, AHDS_CREATE_WORKSPACE: on };

      const end = runHook('preprovision', { shell, env, answers: withTopics({ ...TOPIC, source: other }) });

      expect(end).toMatchObject({ status: 0, complained: '' });
      expect(end.said).toContain('A workspace is made');
      expect(setCalls(end)).toEqual([
        'azd env set EVENTGRID_SYSTEM_TOPIC  --environment prod',
        'azd env set EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP  --environment prod',
      ]);
    },
  );

  it.each([
    { given: 'by its setting', env: { AZURE_RESOURCE_GROUP: 'Clinic' } },
    { given: 'by default', env: { AZURE_ENV_NAME: 'clinic', AHDS_WORKSPACE_ID: inGroup('rg-clinic') } },
  ])(
    'given an app in the group of the workspace $given, then the hook fails: azd down would delete both',
    ({ env }) => {
      const end = runHook('preprovision', { shell, env: { ...ENV, ...env }, answers: withTopics(TOPIC) });

      expect(end.status).toBe(1);
      expect(end.complained).toContain('azd down would delete both');
      expect(setCalls(end)).toEqual([]);
    },
  );

  it('given a filter by service and no named service, then the hook fails, because no event would arrive', () => {
    const env = { ...ENV, FILTER_BY_SERVICE: 'true' };

    const end = runHook('preprovision', { shell, env, answers: withTopics(TOPIC) });

    expect(end.status).toBe(1);
    expect(end.complained).toContain('no service is named');
    expect(setCalls(end)).toEqual([]);
  });

  it.each(['AHDS_FHIR_SERVICES', 'AHDS_DICOM_SERVICES'])(
    'given a filter by service and %s, then the hook succeeds',
    (name) => {
      const env = { ...ENV, FILTER_BY_SERVICE: 'true', [name]: 'records' };

      expect(runHook('preprovision', { shell, env, answers: withTopics() })).toMatchObject({
        status: 0,
        complained: '',
      });
    },
  );

  it.each([
    { given: 'a network alone', env: { PRIVATE_NETWORK: 'true' }, status: 1 },
    { given: 'a queue alone', env: { INGRESS: 'queue' }, status: 1 },
    { given: 'both', env: { PRIVATE_NETWORK: 'true', INGRESS: 'queue' }, status: 0 },
  ])('given no public address and $given, then the hook ends with $status', ({ env, status }) => {
    const answers = [{ to: 'az rest', says: { publicNetworkAccess: 'Disabled' } }, ...withTopics()];
    const end = runHook('preprovision', { shell, env: { ...ENV, PUBLIC_APP: 'false', ...env }, answers });

    expect(end.status).toBe(status);
    expect(end.complained.includes('azd env set INGRESS queue')).toBe(status === 1);
  });

  describe('and the network is private', () => {
    const PUBLIC = { publicNetworkAccess: 'Enabled', privateEndpointConnections: [] };
    const status = (status: string) => ({
      publicNetworkAccess: 'Enabled',
      privateEndpointConnections: [{ properties: { privateLinkServiceConnectionState: { status } } }],
    });
    const run = (endpoint: string, workspace: object) =>
      runHook('preprovision', {
        shell,
        env: { ...ENV, PRIVATE_NETWORK: 'true', ...(endpoint && { WORKSPACE_PRIVATE_ENDPOINT: endpoint }) },
        answers: [
          { to: `az rest --method get --url https://management.azure.com${WORKSPACE}`, says: workspace },
          ...withTopics(),
        ],
      });

    it.each([
      { given: 'no private endpoint', workspace: PUBLIC },
      { given: 'an endpoint that waits for approval', workspace: status('Pending') },
      { given: 'no word of endpoints', workspace: {} },
    ])(
      'given a public workspace with $given, then the hook refuses an endpoint that is not confirmed',
      ({ workspace }) => {
        const end = run('on', workspace);

        expect(end.status).toBe(1);
        expect(end.complained).toContain('would end its public access for all its clients');
        expect(end.complained).toContain('\n  azd env set WORKSPACE_PRIVATE_ENDPOINT confirmed\n');
      },
    );

    it.each([
      { given: 'a confirmation', endpoint: 'confirmed', workspace: PUBLIC },
      { given: 'an approved endpoint', endpoint: 'on', workspace: status('Approved') },
      { given: 'a private workspace', endpoint: 'on', workspace: { publicNetworkAccess: 'Disabled' } },
      { given: 'no wish for an endpoint', endpoint: '', workspace: PUBLIC },
    ])('given $given, then the hook goes on', ({ endpoint, workspace }) => {
      expect(run(endpoint, workspace)).toMatchObject({ status: 0, complained: '' });
    });

    it('given a private workspace and no endpoint, then the hook says that the app needs another path', () => {
      expect(run('', { publicNetworkAccess: 'Disabled' }).said).toContain('only if its network does');
    });
  });

  describe('and storage exists', () => {
    const account = (keyType: string | undefined, is = {}) => ({
      name: 'stclinic',
      resourceGroup: 'RG-prod',
      tags: { 'azd-env-name': 'prod' },
      encryption: { services: { table: keyType && { keyType } } },
      ...is,
    });
    const run = (accounts: object[], env: Record<string, string> = {}) =>
      runHook('preprovision', {
        shell,
        env: { ...ENV, ...env },
        answers: [{ to: 'az storage account list', says: accounts }, ...withTopics()],
      });
    const KEY = {
      STORAGE_KEY_URL: 'https://keys.vault.azure.net/keys/events',
      STORAGE_KEY_IDENTITY_ID: '/subscriptions/1',
    };

    it.each([
      { given: 'accounts of an earlier version', accounts: [account(undefined)], env: {}, sets: ['Service'] },
      { given: 'one of them', accounts: [account('Account'), account('Service')], env: {}, sets: ['Service'] },
      { given: 'accounts of this version', accounts: [account('Account')], env: {}, sets: [] },
      {
        given: 'accounts that were made anew',
        accounts: [account('Account')],
        env: { STORAGE_KEY_TYPE: 'Service' },
        sets: ['Account'],
      },
      {
        given: 'accounts of others',
        accounts: [account('Service', { tags: null }), account('Service', { resourceGroup: 'rg' })],
        env: {},
        sets: [],
      },
    ])('given $given, then the hook keeps the scope of the keys of their tables', ({ accounts, env, sets }) => {
      const end = run(accounts, env);

      expect(end).toMatchObject({ status: 0, complained: '' });
      expect(setCalls(end)).toEqual(sets.map((type) => `azd env set STORAGE_KEY_TYPE ${type} --environment prod`));
    });

    it('given a key of your own and the cheaper tables, which cannot have it, then the hook fails before Azure makes them', () => {
      const end = run([], { ...KEY, STORAGE_KEY_TYPE: 'Service' });

      expect(end.status).toBe(1);
      expect(end.complained).toContain('azd env set STORAGE_KEY_TYPE Account');
      expect(run([], { STORAGE_KEY_TYPE: 'Service' })).toMatchObject({ status: 0, complained: '' });
    });

    it('given a key of your own and accounts of an earlier version, then the hook fails and names the accounts', () => {
      const end = run([account(undefined)], KEY);

      expect(end.status).toBe(1);
      expect(end.complained).toContain('cannot encrypt the tables and queues of stclinic');
    });

    it.each([
      { given: 'a key of your own', env: KEY, status: 0 },
      { given: 'a key without an identity', env: { STORAGE_KEY_URL: KEY.STORAGE_KEY_URL }, status: 1 },
      {
        given: 'a secret instead of a key',
        env: { ...KEY, STORAGE_KEY_URL: 'https://keys.vault.azure.net/secrets/a' },
        status: 1,
      },
    ])('given new accounts and $given, then the hook ends with $status', ({ env, status }) => {
      expect(run([account('Account')], env)).toMatchObject({ status });
    });
  });

  it('given az is not signed in, then the hook fails and prints the sign-in command', () => {
    const answers = [
      { to: 'az account get-access-token', fails: "Please run 'az login' to setup account." },
      ...withTopics(TOPIC),
    ];

    const end = runHook('preprovision', { shell, env: { ...ENV, AZURE_TENANT_ID: 'tenant' }, answers });

    expect(end.status).toBe(1);
    expect(end.complained).toContain(`az is not signed in where it sees subscription ${SUBSCRIPTION}`);
    expect(end.complained).toContain('\n  az login --tenant tenant\n');
  });

  it.each([
    { lacks: 'az', programs: ['azd'], says: 'az cannot be run: install it, https://aka.ms/azure-cli' },
    { lacks: 'azd', programs: ['az'], says: 'azd cannot be run: install it, https://aka.ms/azd' },
  ])('given no $lacks, then the hook fails and names the address to install it from', ({ programs, says }) => {
    const end = runHook('preprovision', { shell, env: ENV, answers: withTopics(), programs });

    expect(end.status).toBe(1);
    expect(end.complained).toContain(says);
  });

  it('given that azd cannot store a setting, then the hook fails with the message of azd', () => {
    const answers = [{ to: 'azd env set', fails: 'no environment' }, ...withTopics(TOPIC)];

    const end = runHook('preprovision', { shell, env: ENV, answers });

    expect(end.status).toBe(1);
    expect(end.complained).toContain('azd env set EVENTGRID_SYSTEM_TOPIC failed:\n  ERROR: no environment');
  });

  it('given nobody who receives alerts, then the hook warns; given a receiver, or no alerts, then it does not', () => {
    const saidWith = (env: Record<string, string>) =>
      runHook('preprovision', { shell, env: { ...ENV, ...env }, answers: withTopics() }).said;

    expect(saidWith({})).toContain('Warning: the alerts will notify nobody.');
    for (const one of [{ ALERT_PHONES: '49-1701234567' }, { ACTION_GROUP_ID: '/a' }, { ALERTS_ON: 'false' }]) {
      expect(saidWith(one)).not.toContain('Warning');
    }
  });

  it.each([
    {
      given: 'a name for no resource',
      env: { RESOURCE_NAMES: 'storage=stclinic; vault=kv' },
      says: 'names vault, must',
    },
    { given: 'a phone without a country', env: { ALERT_PHONES: '49-17012345,0170123' }, says: 'has 0170123, must be' },
    { given: 'one subnet', env: { APP_SUBNET_ID: '/s', PRIVATE_NETWORK: 'true' }, says: 'need each other' },
    {
      given: 'subnets without a private network',
      env: { APP_SUBNET_ID: '/s', ENDPOINTS_SUBNET_ID: '/e' },
      says: 'and PRIVATE_NETWORK',
    },
  ])('given $given, then the hook fails and says what is allowed', ({ env, says }) => {
    const end = runHook('preprovision', { shell, env: { ...ENV, ...env }, answers: withTopics() });

    expect(end.status).toBe(1);
    expect(end.complained).toContain(says);
  });

  it('given existing subnets, then the hook accepts only a delegated subnet for the app', () => {
    const env = { ...ENV, PRIVATE_NETWORK: 'true', APP_SUBNET_ID: '/hub/app', ENDPOINTS_SUBNET_ID: '/hub/endpoints' };
    const endWith = (says: unknown) =>
      runHook('preprovision', { shell, env, answers: [{ to: 'az rest --method get', says }, ...withTopics()] });

    expect(endWith([{ properties: { serviceName: 'Microsoft.App/environments' } }]).status).toBe(0);
    expect(endWith([]).complained).toContain('subnet update --ids /hub/app --delegations Microsoft.App/environments');
  });
});
