import { describe, expect, it } from '@jest/globals';
import { commandsOf, type End, runHook, SIGNED_IN } from './stand-ins.js';

const CLIENT = 'c11e0000-0000-4000-8000-000000000001';
const ENV = { AZURE_ENV_NAME: 'prod', AZURE_SUBSCRIPTION_ID: 's', AHDS_CREATE_WORKSPACE: 'true', SIGN_IN: 'on' };
const REGISTRATION = "https://graph.microsoft.com/v1.0/applications(uniqueName='ahds-events-prod-s')";
const GET = `az rest --method get --url ${REGISTRATION} --query appId`;
const PATCH = 'az rest --method patch';

const sent = ({ calls }: End) =>
  calls.flatMap(({ command, file }) =>
    command.startsWith(PATCH) ? [{ url: command.split(' ')[5], body: JSON.parse(file?.text ?? ''), command }] : [],
  );
const signInCommands = (end: End) => commandsOf(end).filter((command) => /^az rest|SIGN_IN/.test(command));

describe('when azd is about to provision an app with a sign-in', () => {
  it('given no registration, then the hook makes it with the three roles, and sets its client id', () => {
    const answers = [{ to: GET, says: CLIENT }, { to: PATCH }, ...SIGNED_IN];

    const end = runHook('preprovision', { env: ENV, answers });

    const [made, described, authorized, principal] = sent(end);
    expect(end).toMatchObject({ status: 0, complained: '' });
    expect(made).toMatchObject({
      url: REGISTRATION,
      body: { displayName: 'ahds-events prod', signInAudience: 'AzureADMyOrg' },
    });
    expect(made?.command).toContain('--headers Content-Type=application/json Prefer=create-if-missing');
    expect(described?.body).toMatchObject({
      identifierUris: [`api://${CLIENT}`],
      api: {
        requestedAccessTokenVersion: 2,
        oauth2PermissionScopes: [{ value: 'user_impersonation', isEnabled: true }],
      },
    });
    expect(described?.body.appRoles.map(({ value }: { value: string }) => value)).toEqual([
      'Reader',
      'Operator',
      'Clinician',
    ]);
    expect(new Set(described?.body.appRoles.map(({ id }: { id: string }) => id)).size).toBe(3);
    // Entra ID accepts a client for a scope only when the scope exists.
    const [scope] = authorized?.body.api.oauth2PermissionScopes ?? [];
    expect(authorized?.body.api.preAuthorizedApplications[0]).toEqual({
      appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      delegatedPermissionIds: [scope.id],
    });
    expect(principal).toMatchObject({
      url: `https://graph.microsoft.com/v1.0/servicePrincipals(appId='${CLIENT}')`,
      body: { appRoleAssignmentRequired: true },
    });
    expect(commandsOf(end)).toContain(`azd env set SIGN_IN_CLIENT_ID ${CLIENT} --environment prod`);
  });

  it('given a registration that Entra ID does not show yet, then the hook asks again', () => {
    const answers = [
      { to: GET, fails: "Not Found({'error':{'code':'Request_ResourceNotFound'}})", times: 3 },
      { to: GET, says: CLIENT },
      { to: PATCH },
      ...SIGNED_IN,
    ];

    const end = runHook('preprovision', { env: ENV, answers });

    expect(end.status).toBe(0);
    expect(commandsOf(end).filter((command) => command === GET)).toHaveLength(4);
  });

  it.each([
    { given: 'a registration of somebody else', env: { SIGN_IN_CLIENT_ID: CLIENT } },
    { given: 'no sign-in', env: { SIGN_IN: 'off' } },
  ])('given $given, then the hook asks Entra ID nothing', ({ env }) => {
    const end = runHook('preprovision', { env: { ...ENV, ...env }, answers: SIGNED_IN });

    expect(end.status).toBe(0);
    expect(signInCommands(end)).toEqual([]);
  });

  it('given no right to register, then the hook fails and says who can', () => {
    const answers = [{ to: PATCH, fails: 'Authorization_RequestDenied' }, ...SIGNED_IN];

    const end = runHook('preprovision', { env: ENV, answers });

    expect(end.status).toBe(1);
    expect(end.complained).toContain('Authorization_RequestDenied');
    expect(end.complained).toContain('azd env set SIGN_IN_CLIENT_ID <client id>');
  });

  it('given a sign-in that is required but off, then the hook fails, because nobody could use the app', () => {
    const end = runHook('preprovision', { env: { ...ENV, SIGN_IN: 'off', REQUIRE_SIGN_IN: 'on' }, answers: SIGNED_IN });

    expect(end.status).toBe(1);
    expect(end.complained).toContain('azd env set SIGN_IN on');
  });
});

describe('when azd has provisioned an app with a sign-in', () => {
  const DONE = {
    ...ENV,
    SIGN_IN_CLIENT_ID: CLIENT,
    FUNCTION_APP_URL: 'https://func-1.azurewebsites.net',
    KEY_VAULT_NAME: 'kv-1',
    AZURE_RESOURCE_GROUP: 'rg',
  };
  const SECRET = [{ to: 'az rest --method get --url https://management.azure.com', says: { enabled: true } }];
  const ADDRESS = 'https://func-1.azurewebsites.net/.auth/login/aad/callback';

  it('given its own registration, then browsers may return to the app', () => {
    const end = runHook('postprovision', { env: DONE, answers: [{ to: GET, says: CLIENT }, { to: PATCH }, ...SECRET] });

    expect(end).toMatchObject({ status: 0, complained: '' });
    expect(sent(end)).toMatchObject([
      {
        url: REGISTRATION,
        body: { web: { redirectUris: [ADDRESS], implicitGrantSettings: { enableIdTokenIssuance: true } } },
      },
    ]);
  });

  it.each([
    { given: 'a registration of somebody else', answer: { to: GET, fails: 'Not Found' } },
    { given: 'no right to read it', answer: { to: GET, fails: 'Authorization_RequestDenied' } },
  ])('given $given, then the hook changes nothing there, names the redirect URI, and goes on', ({ answer }) => {
    const end = runHook('postprovision', { env: DONE, answers: [answer, ...SECRET] });

    expect(end.status).toBe(0);
    expect(sent(end)).toEqual([]);
    expect(end.said).toContain(ADDRESS);
  });
});
