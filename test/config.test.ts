import { ConfigError, checkRetention, namesStorage, readConfig, withoutValue } from '../src/config.js';
import { SETTING_NAMES } from '../src/setting-names.js';
import { CLIENT, TENANT } from './functions/principal.js';

/** Settings that accept any text, and settings that workflows check themselves. */
const FREE = /^(AZURE_CLIENT_ID|OTEL_SERVICE_NAME|OTEL_TRACES_SAMPLER_ARG|LOOKUP_KEY|ALERT_.*|STUDY_QUIET_MINUTES)$/;
const KEY = 'c2VjcmV0LWFjY291bnQta2V5';
const CONNECTION = `DefaultEndpointsProtocol=https;AccountName=events;AccountKey=${KEY};EndpointSuffix=core.windows.net`;
const LOCAL = { EventStorage: 'UseDevelopmentStorage=true' };
const CLOUD = { EventStorage: CONNECTION };
const DAY_MS = 24 * 3_600_000;

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The settings that readConfig checks. */
const CHECKED = SETTING_NAMES.filter((name) => !FREE.test(name));

const HOSTS =
  'must be host names without https://, each once, with at most an https URL and audience=https://… after it, with commas between';
const serviceHost = (host: string, audience: string, url = `https://${host}`) => ({ host, url, audience });

describe('when the app reads its settings', () => {
  it('given a queue of events, then it is in the account of undelivered events, else in that of the app', () => {
    const uri = 'https://un.queue.core.windows.net';
    const account = { UndeliveredStorage__accountName: 'un' };

    expect(readConfig(CLOUD).ingress).toEqual({ kind: 'webhook' });
    expect(readConfig({ ...CLOUD, INGRESS: 'queue' }).ingress).toMatchObject({
      kind: 'queue',
      connection: 'EventStorage',
      storage: { connectionString: CONNECTION },
    });
    expect(readConfig({ ...CLOUD, ...account, INGRESS: 'queue' }).ingress).toMatchObject({
      connection: 'UndeliveredStorage',
      storage: { queueServiceUri: uri },
    });
    const blobsAlone = { UndeliveredStorage__blobServiceUri: 'https://un.blob.core.windows.net' };
    expect(problemsOf({ ...CLOUD, ...blobsAlone })).toEqual([]);
    expect(problemsOf({ ...CLOUD, ...blobsAlone, INGRESS: 'queue' })).toHaveLength(1);
    expect(problemsOf({ ...CLOUD, INGRESS: 'Queue' })).toEqual(["INGRESS is 'Queue', must be 'webhook' or 'queue'"]);
  });

  it('given an OTLP endpoint, then telemetry goes to it, and local storage samples every trace', () => {
    const otlp = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

    expect(readConfig(CLOUD).telemetry).toBeUndefined();
    expect(readConfig({ ...CLOUD, ...otlp }).telemetry).toEqual({
      applicationInsights: undefined,
      otlpEndpoint: 'http://collector:4318',
      sampling: { followsHost: true, ratio: 0.05 },
      serviceName: 'ahds-events',
    });
    expect(readConfig({ ...LOCAL, ...otlp }).telemetry?.sampling.ratio).toBe(1);
    expect(problemsOf({ ...CLOUD, OTEL_EXPORTER_OTLP_ENDPOINT: 'collector', LEASE_SECONDS: '1' })).toHaveLength(2);
  });

  it('given services with custom URLs and audiences, then the config has the custom URLs and audiences', () => {
    const config = readConfig({
      ...CLOUD,
      FHIR_HOSTS: 'A.com https://Proxy.net/Fhir/, b.com audience=api://B-app/  https://b.net:8443',
      DICOM_HOSTS: 'c.com http://127.0.0.1:7071/api/simulator/dicom',
    });

    expect(config.fhirHosts).toEqual([
      serviceHost('a.com', 'https://a.com', 'https://Proxy.net/Fhir'),
      serviceHost('b.com', 'api://B-app/', 'https://b.net:8443'),
    ]);
    expect(config.dicomHosts).toEqual([
      serviceHost('c.com', 'https://dicom.healthcareapis.azure.com', 'http://127.0.0.1:7071/api/simulator/dicom'),
    ]);
  });

  it.each([
    { given: 'no identity for storage', env: {}, identity: { credential: 'default' } },
    {
      given: 'an identity for storage',
      env: { EventStorage__credential: 'managedidentity', EventStorage__clientId: 'storage-client' },
      identity: { credential: 'managedidentity', clientId: 'storage-client' },
    },
    {
      given: 'an identity for storage and a different AZURE_CLIENT_ID',
      env: {
        EventStorage__credential: 'managedidentity',
        EventStorage__clientId: 'storage-client',
        AZURE_CLIENT_ID: 'other-client',
      },
      identity: { credential: 'default' },
    },
  ])('given $given, then the FHIR and DICOM readers use $identity', ({ env, identity }) => {
    const config = readConfig({ EventStorage__accountName: 'events', ...env } as Record<string, string>);
    expect(config.readerIdentity).toEqual({ kind: 'identity', ...identity });
  });

  it('given only storage, then the config has the defaults', () => {
    expect(readConfig(CLOUD)).toEqual({
      storage: { kind: 'connection-string', connectionString: CONNECTION },
      storageConnection: 'EventStorage',
      ingress: { kind: 'webhook' },
      workflowStorage: undefined,
      undeliveredStorage: undefined,
      workspaces: undefined,
      fhirHosts: [],
      dicomHosts: [],
      fhirBatchReads: true,
      readerIdentity: { kind: 'identity', credential: 'default' },
      deadlineMs: 15_000,
      leaseMs: 60_000,
      ledgerRetentionDays: 7,
      resolvedRetentionDays: 30,
      redriveUndelivered: true,
      reconcile: false,
      signIn: { isOn: false, isRequired: false, clientId: undefined, tenantId: undefined },
      simulator: false,
      lookups: false,
      telemetry: undefined,
      setting: expect.any(Function),
      port: 7071,
    });
  });

  it('given every setting, then the frozen config has every value', () => {
    const config = readConfig({
      ...CLOUD,
      WorkflowStorage: CONNECTION,
      UndeliveredStorage: CONNECTION,
      WORKSPACES: ' /subscriptions/S/workspaces/One , /subscriptions/s/workspaces/two,',
      FHIR_HOSTS: 'W-F.fhir.azurehealthcareapis.com,localhost:7071',
      DICOM_HOSTS: 'w-d.dicom.azurehealthcareapis.com',
      FHIR_BATCH_READS: 'off',
      DEADLINE_SECONDS: '20',
      LEASE_SECONDS: '300',
      LEDGER_RETENTION_DAYS: '30',
      RESOLVED_RETENTION_DAYS: '3650',
      REDRIVE_UNDELIVERED: 'off',
      RECONCILE: 'off',
      WEBSITE_AUTH_ENABLED: 'True',
      REQUIRE_SIGN_IN: 'on',
      SIGN_IN_CLIENT_ID: CLIENT.toUpperCase(),
      SIGN_IN_TENANT_ID: TENANT,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      SIMULATOR: 'on',
      LOOKUPS: 'on',
      PORT: '0',
    });

    expect(config).toMatchObject({
      workflowStorage: { kind: 'connection-string', connectionString: CONNECTION },
      undeliveredStorage: { kind: 'connection-string', connectionString: CONNECTION },
      workspaces: ['/subscriptions/s/workspaces/one', '/subscriptions/s/workspaces/two'],
      fhirHosts: [
        serviceHost('w-f.fhir.azurehealthcareapis.com', 'https://w-f.fhir.azurehealthcareapis.com'),
        serviceHost('localhost:7071', 'https://localhost:7071'),
      ],
      dicomHosts: [serviceHost('w-d.dicom.azurehealthcareapis.com', 'https://dicom.healthcareapis.azure.com')],
      fhirBatchReads: false,
      deadlineMs: 20_000,
      leaseMs: 300_000,
      ledgerRetentionDays: 30,
      resolvedRetentionDays: 3650,
      redriveUndelivered: false,
      reconcile: false,
      signIn: { isOn: true, isRequired: true, clientId: CLIENT, tenantId: TENANT },
      simulator: true,
      lookups: true,
      telemetry: { otlpEndpoint: 'http://localhost:4318' },
      port: 0,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('given that a sign-in is required, then the app must know for which app and tenant', () => {
    const ids = { SIGN_IN_CLIENT_ID: CLIENT, SIGN_IN_TENANT_ID: 'clinic.example' };
    const expected = 'must be an id such as 00000000-0000-0000-0000-000000000000';

    expect(() => readConfig({ ...CLOUD, REQUIRE_SIGN_IN: 'on' })).toThrow(
      `- SIGN_IN_CLIENT_ID is absent, ${expected}\n- SIGN_IN_TENANT_ID is absent, ${expected}`,
    );
    expect(() => readConfig({ ...CLOUD, ...ids })).toThrow(`- SIGN_IN_TENANT_ID is 'clinic.example', ${expected}`);
  });

  it.each([
    { env: {}, reconcile: false },
    { env: { RECONCILE: 'on' }, reconcile: false },
    { env: { FHIR_HOSTS: 'w-f.fhir.azurehealthcareapis.com' }, reconcile: true },
    { env: { DICOM_HOSTS: 'w-d.dicom.azurehealthcareapis.com' }, reconcile: true },
  ])('given $env, then the services are compared: $reconcile', ({ env, reconcile }) => {
    expect(readConfig({ ...CLOUD, ...env } as Record<string, string>).reconcile).toBe(reconcile);
  });

  it('given a setting of a workflow, then its name works in any case, and an empty value is undefined', () => {
    const { setting } = readConfig({ ...CLOUD, Alert_Rules: ' rules.json ', EMPTY: ' ' });

    expect([setting('ALERT_RULES'), setting('alert_rules'), setting('EMPTY'), setting('other')]).toEqual([
      'rules.json',
      'rules.json',
      undefined,
      undefined,
    ]);
  });

  it('given empty values, then they count as absent settings', () => {
    const env = { ...CLOUD, WORKSPACES: '', DEADLINE_SECONDS: ' ', SIMULATOR: '', WorkflowStorage: '' };

    expect(readConfig(env)).toEqual({ ...readConfig(CLOUD), setting: expect.any(Function) });
  });

  it('given setting names in a different case, then the config has the same values', () => {
    expect(readConfig({ eventstorage: CONNECTION, Deadline_Seconds: '7' }).deadlineMs).toBe(7000);
  });

  it.each([
    { DEADLINE_SECONDS: '4', expected: "DEADLINE_SECONDS is '4', must be a whole number from 5 to 20" },
    { DEADLINE_SECONDS: '21', expected: "DEADLINE_SECONDS is '21', must be a whole number from 5 to 20" },
    { DEADLINE_SECONDS: '7.5', expected: "DEADLINE_SECONDS is '7.5', must be a whole number from 5 to 20" },
    { DEADLINE_SECONDS: '1e1', expected: "DEADLINE_SECONDS is '1e1', must be a whole number from 5 to 20" },
    { LEASE_SECONDS: '29', expected: "LEASE_SECONDS is '29', must be a whole number from 30 to 300" },
    { LEASE_SECONDS: '301', expected: "LEASE_SECONDS is '301', must be a whole number from 30 to 300" },
    { LEDGER_RETENTION_DAYS: '1', expected: "LEDGER_RETENTION_DAYS is '1', must be a whole number from 2 to 365" },
    { PORT: '65536', expected: "PORT is '65536', must be a whole number from 0 to 65535" },
    { PORT: KEY.repeat(4), expected: 'PORT is 96 characters, must be a whole number from 0 to 65535' },
    { RESOLVED_RETENTION_DAYS: '0', expected: "RESOLVED_RETENTION_DAYS is '0', must be a whole number from 1 to 3650" },
    { FHIR_BATCH_READS: 'no', expected: "FHIR_BATCH_READS is 'no', must be 'on' or 'off'" },
    { RECONCILE: 'no', expected: "RECONCILE is 'no', must be 'on' or 'off'" },
    { REDRIVE_UNDELIVERED: 'no', expected: "REDRIVE_UNDELIVERED is 'no', must be 'on' or 'off'" },
    { SIMULATOR: 'true', expected: "SIMULATOR is 'true', must be 'on' or 'off'" },
    { LOOKUPS: 'ON', expected: "LOOKUPS is 'ON', must be 'on' or 'off'" },
    { FHIR_HOSTS: 'https://a.com, b.com, c.com/', expected: `FHIR_HOSTS is 'https://a.com', 'c.com/', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com, b.com, A.com', expected: `FHIR_HOSTS is 'A.com', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com http://a.com', expected: `FHIR_HOSTS is 'a.com http://a.com', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com http://localhost.b.com', expected: `FHIR_HOSTS is 'a.com http://localhost.b.com', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com https://u:p@a.com', expected: `FHIR_HOSTS is 'a.com https://u:p@a.com', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com https://a.com?b', expected: `FHIR_HOSTS is 'a.com https://a.com?b', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com https://b https://c', expected: `FHIR_HOSTS is 'a.com https://b https://c', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com audience=a.com', expected: `FHIR_HOSTS is 'a.com audience=a.com', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com b.com', expected: `FHIR_HOSTS is 'a.com b.com', ${HOSTS}` },
    { FHIR_HOSTS: 'a.com@b.com', expected: `FHIR_HOSTS is 'a.com@b.com', ${HOSTS}` },
    { FHIR_HOSTS: ' , ', expected: `FHIR_HOSTS is ',', ${HOSTS}` },
    { DICOM_HOSTS: '*', expected: `DICOM_HOSTS is '*', ${HOSTS}` },
    {
      WORKSPACES: 'mine',
      expected: "WORKSPACES is 'mine', must be Azure resource ids, /subscriptions/…, with commas between",
    },
    {
      WORKSPACES: ',',
      expected: "WORKSPACES is ',', must be Azure resource ids, /subscriptions/…, with commas between",
    },
  ])('given a wrong value, then the problem is: $expected', ({ expected, ...wrong }) => {
    expect(problemsOf({ ...CLOUD, ...(wrong as Record<string, string>) })).toEqual([expected]);
  });

  it('given several wrong settings, then one error lists all problems', () => {
    const env = { DEADLINE_SECONDS: '1', LEASE_SECONDS: 'x', SIMULATOR: 'yes' };

    expect(() => readConfig(env)).toThrow(
      new ConfigError([
        'AzureWebJobsStorage is absent, must be a storage connection string, or AzureWebJobsStorage__accountName for an identity',
        "DEADLINE_SECONDS is '1', must be a whole number from 5 to 20",
        "LEASE_SECONDS is 'x', must be a whole number from 30 to 300",
        "SIMULATOR is 'yes', must be 'on' or 'off'",
      ]),
    );
  });
});

describe('when values are removed from problems', () => {
  it('given that every setting is wrong, then each problem keeps its name and rule and has no value', () => {
    const secret = 'secret, must be secret';
    const wrong = Object.fromEntries(CHECKED.map((name) => [name, secret]));

    const problems = problemsOf(wrong).map(withoutValue);

    expect(problems.map((problem) => problem.split(' ', 1)[0]).sort()).toEqual([...CHECKED].sort());
    expect(problems.every((problem) => /^\w+ must be \S/.test(problem))).toBe(true);
    expect(problems.join('\n')).not.toContain('secret');
  });
});

describe('when LEASE_SECONDS is short', () => {
  it.each([
    { given: 'development storage', env: LOCAL },
    {
      given: 'the Functions host in the environment Development',
      env: { ...CLOUD, AZURE_FUNCTIONS_ENVIRONMENT: 'Development' },
    },
    {
      given: 'an Azurite on a custom port',
      env: {
        EventStorage: `${CONNECTION};TableEndpoint=http://127.0.0.1:20002/devstoreaccount1;BlobEndpoint=http://127.0.0.1:20000/d`,
      },
    },
    {
      given: 'an Azurite with an identity',
      env: {
        EventStorage__tableServiceUri: 'https://localhost:10002/d',
        EventStorage__blobServiceUri: 'https://localhost:10000/d',
        EventStorage__queueServiceUri: 'https://localhost:10001/d',
      },
    },
  ])('given $given, then the config accepts 10 s and rejects 9 s', ({ env }) => {
    expect(readConfig({ ...env, LEASE_SECONDS: '10' }).leaseMs).toBe(10_000);
    expect(problemsOf({ ...env, LEASE_SECONDS: '9' })).toEqual([
      "LEASE_SECONDS is '9', must be a whole number from 10 to 300",
    ]);
  });

  it.each([
    { given: 'the environment Production', env: { ...CLOUD, AZURE_FUNCTIONS_ENVIRONMENT: 'Production' } },
    {
      given: 'a host name that only resembles a local address',
      env: { EventStorage: `${CONNECTION};TableEndpoint=https://127.0.0.1.example.com` },
    },
  ])('given $given, then the config rejects 10 s', ({ env }) => {
    expect(problemsOf({ ...env, LEASE_SECONDS: '10' })).toHaveLength(1);
  });
});

describe('when the app reads a storage connection', () => {
  it('given no EventStorage, then the config uses AzureWebJobsStorage, also as the name for bindings', () => {
    expect(readConfig({ AzureWebJobsStorage: CONNECTION })).toMatchObject({
      storage: { kind: 'connection-string', connectionString: CONNECTION },
      storageConnection: 'AzureWebJobsStorage',
    });
  });

  it('given any part of EventStorage, then the config does not fall back to AzureWebJobsStorage', () => {
    const env = { AzureWebJobsStorage: CONNECTION, EventStorage__accountName: 'events' };

    expect(readConfig(env)).toMatchObject({ storage: { kind: 'identity' }, storageConnection: 'EventStorage' });
  });

  it('given an account name, then the config has the URIs of the public cloud and the default credential', () => {
    expect(readConfig({ EventStorage__accountName: 'events' }).storage).toEqual({
      kind: 'identity',
      tableServiceUri: 'https://events.table.core.windows.net',
      blobServiceUri: 'https://events.blob.core.windows.net',
      queueServiceUri: 'https://events.queue.core.windows.net',
      credential: 'default',
    });
  });

  it('given URIs and a user-assigned identity, then the config has these URIs and this identity', () => {
    const env = {
      EventStorage__tableServiceUri: 'https://e.table.core.chinacloudapi.cn/',
      EventStorage__blobServiceUri: 'https://e.blob.core.chinacloudapi.cn',
      EventStorage__queueServiceUri: 'https://e.queue.core.chinacloudapi.cn',
      EventStorage__credential: 'ManagedIdentity',
      EventStorage__clientId: '11111111-2222-3333-4444-555555555555',
    };

    expect(readConfig(env).storage).toEqual({
      kind: 'identity',
      tableServiceUri: 'https://e.table.core.chinacloudapi.cn',
      blobServiceUri: 'https://e.blob.core.chinacloudapi.cn',
      queueServiceUri: 'https://e.queue.core.chinacloudapi.cn',
      credential: 'managedidentity',
      clientId: '11111111-2222-3333-4444-555555555555',
    });
  });

  it('given a connection string and an account name, then the connection string wins, as in the Functions host', () => {
    expect(readConfig({ ...CLOUD, EventStorage__accountName: 'other' }).storage).toEqual({
      kind: 'connection-string',
      connectionString: CONNECTION,
    });
  });

  it('given only the URI of the service that the connection needs, then the config accepts it', () => {
    const config = readConfig({
      ...CLOUD,
      WorkflowStorage__tableServiceUri: 'https://w.table.core.windows.net',
      UndeliveredStorage__blobServiceUri: 'https://u.blob.core.windows.net',
    });

    expect(config.workflowStorage).toMatchObject({ tableServiceUri: 'https://w.table.core.windows.net' });
    expect(config.undeliveredStorage).toMatchObject({ blobServiceUri: 'https://u.blob.core.windows.net' });
  });

  it('given a SAS with the endpoints of all services, then the config accepts it', () => {
    const endpoints = 'BlobEndpoint=https://e.b/;QueueEndpoint=https://e.q/;TableEndpoint=https://e.t/';

    expect(problemsOf({ EventStorage: `${endpoints};SharedAccessSignature=sv=1&sig=abc%3D` })).toEqual([]);
  });

  const anything = 'must be a storage connection string or UseDevelopmentStorage=true';

  it.each([
    {
      given: 'no account',
      value: `DefaultEndpointsProtocol=https;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
      expected: `EventStorage is 98 characters without AccountName, ${anything}`,
    },
    {
      given: 'an empty key',
      value: 'DefaultEndpointsProtocol=https;AccountName=e;AccountKey=;EndpointSuffix=core.windows.net',
      expected: `EventStorage is 88 characters without AccountKey, ${anything}`,
    },
    {
      given: 'no endpoints at all',
      value: `DefaultEndpointsProtocol=https;AccountName=e;AccountKey=${KEY}`,
      expected: `EventStorage is 80 characters without EndpointSuffix, ${anything}`,
    },
    {
      given: 'a SAS without endpoints',
      value: 'SharedAccessSignature=sv=1&sig=abc;TableEndpoint=https://e.t/',
      expected: `EventStorage is 61 characters without BlobEndpoint, QueueEndpoint, ${anything}`,
    },
    {
      given: 'any other text',
      value: KEY,
      expected: `EventStorage is 24 characters without DefaultEndpointsProtocol, AccountName, AccountKey, EndpointSuffix, ${anything}`,
    },
  ])(
    'given a connection string with $given, then the problem names the missing parts and shows no value',
    ({ value, expected }) => {
      expect(problemsOf({ EventStorage: value })).toEqual([expected]);
    },
  );

  const uri = "must be an https URI without a query, or EventStorage__accountName an account in Azure's public cloud";

  it.each([
    {
      given: 'an absent URI',
      env: { EventStorage__tableServiceUri: 'https://e.t', EventStorage__blobServiceUri: 'https://e.b' },
      expected: [`EventStorage__queueServiceUri is absent, ${uri}`],
    },
    {
      given: 'URIs with a secret, with a password or without https',
      env: {
        EventStorage__tableServiceUri: `https://e.t/?sig=${KEY}`,
        EventStorage__blobServiceUri: `https://e:${KEY}@e.b/`,
        EventStorage__queueServiceUri: 'http://e.q',
      },
      expected: [
        `EventStorage__tableServiceUri is 41 characters that are no such URI, ${uri}`,
        `EventStorage__blobServiceUri is 39 characters that are no such URI, ${uri}`,
        `EventStorage__queueServiceUri is 10 characters that are no such URI, ${uri}`,
      ],
    },
    {
      given: 'a client id without a credential',
      env: { EventStorage__accountName: 'events', EventStorage__clientId: 'c' },
      expected: ["EventStorage__credential is absent, must be 'managedidentity', because there is a clientId"],
    },
    {
      given: 'an unknown credential',
      env: { EventStorage__accountName: 'events', EventStorage__credential: 'workload' },
      expected: ["EventStorage__credential is 8 other characters, must be 'managedidentity' or absent"],
    },
    {
      given: 'a wrong optional connection',
      env: { ...CLOUD, WorkflowStorage: 'x' },
      expected: [
        `WorkflowStorage is 1 characters without DefaultEndpointsProtocol, AccountName, AccountKey, EndpointSuffix, ${anything}`,
      ],
    },
  ])('given $given, then the problem says so and shows no secret', ({ env, expected }) => {
    expect(problemsOf(env)).toEqual(expected);
  });

  it.each([
    { env: {}, expected: false },
    { env: { EventStorage: '', AzureWebJobsStorage: ' ' }, expected: false },
    { env: { WorkflowStorage: CONNECTION }, expected: false },
    { env: LOCAL, expected: true },
    { env: { AzureWebJobsStorage__accountName: 'a' }, expected: true },
  ])('given the settings $env, then namesStorage returns $expected', ({ env, expected }) => {
    expect(namesStorage(env)).toBe(expected);
  });
});

describe('when checkRetention compares ledger retention with the longest retry', () => {
  it('given a retention of exactly twice the longest retry, then the check passes', () => {
    expect(() => checkRetention({ ledgerRetentionDays: 4 }, 2 * DAY_MS)).not.toThrow();
  });

  it('given a shorter retention, then the error names the required number of days', () => {
    expect(() => checkRetention({ ledgerRetentionDays: 4 }, 2 * DAY_MS + 1)).toThrow(
      new ConfigError(['LEDGER_RETENTION_DAYS is 4, must be at least 5, twice the longest retry of a workflow']),
    );
  });
});
