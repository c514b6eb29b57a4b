import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Answer, commandsOf, type End, runHook, SHELLS_HERE } from './stand-ins.js';

const APP = '/subscriptions/s/resourceGroups/rg-app/providers/Microsoft.Web/sites/func-1';
const ENV = {
  AZURE_RESOURCE_GROUP: 'rg-app',
  FUNCTION_APP_NAME: 'func-1',
  FUNCTION_APP_ID: APP,
  FUNCTION_APP_URL: 'https://func-1.azurewebsites.net',
  SYSTEM_TOPIC_NAME: 'clinic-topic',
  SYSTEM_TOPIC_RESOURCE_GROUP: 'clinic',
  UNDELIVERED_STORAGE_ID: '/subscriptions/s/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/un1',
  EVENT_SCHEMA: 'EventGridSchema',
  SUBSCRIBED_FHIR_HOSTS: 'clinicdata-fhir.fhir.azurehealthcareapis.com',
  SUBSCRIBED_DICOM_HOSTS: '',
};
const LIST = 'az functionapp function list --resource-group rg-app --name func-1';
const CREATE = 'az deployment group create --resource-group clinic --name func-1-subscriptions';

const functions = (...names: string[]) => names.map((name) => ({ name: `func-1/${name}` }));
const READY: Answer[] = [
  { to: LIST, says: functions('stats', 'dicomEvents', 'fhirEvents') },
  { to: CREATE, says: '/subscriptions/s/resourceGroups/clinic/providers/Microsoft.Resources/deployments/d' },
];
const created = (end: End) => end.calls.filter(({ command }) => command.startsWith(CREATE));

describe.each(SHELLS_HERE)('when azd has deployed, with %s', (shell) => {
  it('given deployed functions, then the hook subscribes the app with the azd settings and prints how to check deliveries', () => {
    const end = runHook('postdeploy', { shell, env: ENV, answers: READY });

    expect(end).toMatchObject({ status: 0, complained: '' });
    const [, deployment] = end.calls;
    expect(commandsOf(end)).toEqual([
      LIST,
      `${CREATE} --template-file ${resolve('infra/subscriptions.bicep')} --parameters ${deployment?.file?.path} ` +
        '--no-prompt true --query id',
    ]);
    expect(JSON.parse(deployment?.file?.text ?? '')).toEqual({
      $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#',
      contentVersion: '1.0.0.0',
      parameters: {
        systemTopicName: { value: 'clinic-topic' },
        functionAppId: { value: APP },
        undeliveredStorageId: { value: ENV.UNDELIVERED_STORAGE_ID },
        eventSchema: { value: 'EventGridSchema' },
        fhirHosts: { value: 'clinicdata-fhir.fhir.azurehealthcareapis.com' },
      },
    });
    expect(existsSync(deployment?.file?.path ?? '')).toBe(false);
    expect(end.said).toContain('az monitor metrics list --resource clinic-topic --resource-group clinic');
    expect(end.said).toContain('https://func-1.azurewebsites.net/api/stats');
  });

  it('given events by a queue, then the hook waits for its function, and subscribes the queue', () => {
    const answers = [{ to: LIST, says: functions('stats', 'queuedEvents') }, ...READY.slice(1)];
    const end = runHook('postdeploy', { shell, env: { ...ENV, SUBSCRIBED_INGRESS: 'queue' }, answers });

    expect(end).toMatchObject({ status: 0, complained: '' });
    expect(JSON.parse(created(end)[0]?.file?.text ?? '').parameters).toMatchObject({ ingress: { value: 'queue' } });
  });

  it('given a second run, then the hook deploys the same parameters again', () => {
    const [first, second] = [1, 2].map(() => runHook('postdeploy', { shell, env: ENV, answers: READY }));

    expect(second?.status).toBe(0);
    expect(created(second as End)[0]?.file?.text).toBe(created(first as End)[0]?.file?.text);
  });

  it.each([
    { given: 'an existing', names: ['func-1-fhir', 'func-1-dicom'], then: 'the hook prints how to delete it' },
    { given: 'a missing', names: ['func-1-fhir', 'other-dicom'], then: 'the hook does not mention it' },
  ])('given a filter that excludes $given subscription, then $then', ({ names }) => {
    const env = { ...ENV, SUBSCRIBED_DICOM_HOSTS: 'none' };
    const list =
      'az eventgrid system-topic event-subscription list --system-topic-name clinic-topic --resource-group clinic';
    const answers = [...READY, { to: list, says: names.map((name) => ({ name })) }];

    const end = runHook('postdeploy', { shell, env, answers });

    expect(end).toMatchObject({ status: 0, complained: '' });
    expect(end.said.includes(`${list.replace(' list ', ' delete ')} --name func-1-dicom --yes`)).toBe(
      names.includes('func-1-dicom'),
    );
    expect(end.said).not.toContain('--name func-1-fhir');
  });

  it('given functions that appear later, then the hook waits for both', () => {
    const end = runHook('postdeploy', {
      shell,
      env: ENV,
      answers: [
        { to: LIST, fails: 'Encountered an error (ServiceUnavailable) from host runtime.', times: 2 },
        { to: LIST, says: [], times: 2 },
        { to: LIST, says: functions('fhirEvents'), times: 1 },
        ...READY,
      ],
    });

    expect(end.status).toBe(0);
    expect(end.calls.filter(({ command }) => command.startsWith(LIST))).toHaveLength(6);
    expect(created(end)).toHaveLength(1);
    expect(end.said).toContain('The functions do not exist yet. This can take 5 minutes.');
  });

  it('given a function that never appears, then the hook subscribes nothing and names the function and the query to run', () => {
    const end = runHook('postdeploy', {
      shell,
      env: ENV,
      answers: [{ to: LIST, says: functions('fhirEvents') }],
    });

    expect(end.status).toBe(1);
    expect(end.calls).toHaveLength(30);
    expect(end.complained).toContain('The function app func-1 has no dicomEvents after 5 minutes');
    expect(end.complained).toContain('AppExceptions');
  });

  it('given that Event Grid refuses the subscriptions at first, then the hook retries until it accepts them', () => {
    const end = runHook('postdeploy', {
      shell,
      env: ENV,
      answers: [{ to: CREATE, fails: 'Destination endpoint not found.', times: 3 }, ...READY],
    });

    expect(end.status).toBe(0);
    expect(created(end)).toHaveLength(4);
  });

  it('given that the deployment always fails, then the hook fails with the message of az and the command to repeat', () => {
    const end = runHook('postdeploy', {
      shell,
      env: ENV,
      answers: [{ to: CREATE, fails: 'Destination endpoint not found.' }, ...READY],
    });

    expect(end.status).toBe(1);
    expect(created(end)).toHaveLength(4);
    expect(end.complained).toContain('\n  ERROR: Destination endpoint not found.\n');
    expect(end.complained).toContain('Then: azd hooks run postdeploy');
  });

  it.each([
    { given: 'a missing role', to: CREATE, fails: "(AuthorizationFailed) The client '1' does not have …" },
    { given: 'an invalid template', to: CREATE, fails: '(InvalidTemplate) Deployment template validation failed' },
    { given: 'an expired sign-in', to: LIST, fails: "AADSTS700024. Please run 'az login'" },
  ])('given $given, then the hook does not retry', ({ to, fails }) => {
    const end = runHook('postdeploy', { shell, env: ENV, answers: [{ to, fails }, ...READY] });

    expect(end.status).toBe(1);
    expect(end.calls.filter(({ command }) => command.startsWith(to))).toHaveLength(1);
    expect(end.complained).toContain(fails);
  });

  it('given no workspace, then the hook subscribes nothing', () => {
    const end = runHook('postdeploy', { shell, env: { ...ENV, SYSTEM_TOPIC_NAME: '' }, answers: [] });

    expect(end).toMatchObject({ status: 0, calls: [] });
    expect(end.said).toContain('subscribed to nothing');
  });

  it.each(['FUNCTION_APP_NAME', 'SYSTEM_TOPIC_RESOURCE_GROUP', 'FUNCTION_APP_ID', 'UNDELIVERED_STORAGE_ID'])(
    'given no %s, then the hook fails and names the missing variable',
    (name) => {
      const end = runHook('postdeploy', { shell, env: { ...ENV, [name]: '' }, answers: READY });

      expect(end.status).toBe(1);
      expect(end.complained).toContain(`The azd environment has no ${name}`);
      expect(created(end)).toEqual([]);
    },
  );
});
