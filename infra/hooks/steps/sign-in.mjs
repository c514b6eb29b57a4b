import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AzError, az, env, HookError, lookAgain, say, setInAzd } from './commands.mjs';

const GRAPH = 'https://graph.microsoft.com/v1.0';
/** Of the scope with which a command line signs in, and of the roles; they are the same in every registration. */
const SCOPE_ID = '5d1c5a52-93a5-4a0b-9d3c-2f7a3c1e8b01';
const ROLES = [
  {
    id: '0f3c7a52-6f5b-4f0e-8c53-1a9d2f7e4b11',
    value: 'Reader',
    description: 'Reads counts, events, dead letters without payload, workflows and requests to compare.',
  },
  {
    id: '0f3c7a52-6f5b-4f0e-8c53-1a9d2f7e4b12',
    value: 'Operator',
    description: 'Reads, redrives and discards dead letters, sees their payloads, pauses workflows, asks to compare.',
  },
  {
    id: '0f3c7a52-6f5b-4f0e-8c53-1a9d2f7e4b13',
    value: 'Clinician',
    description: 'Asks the lookups of workflows, whose answers are clinical data.',
  },
];
/** Azure CLI, which azd and DefaultAzureCredential use, and Azure PowerShell: they may ask for a token without a consent. */
const COMMAND_LINES = ['04b07795-8ddb-461a-bbee-02f9e1bf7b46', '1950a258-227b-4e31-a9cf-717495945fc2'];
const UPSERT = 'Prefer=create-if-missing';
const SPREADING = { tries: 20, seconds: 6, meanwhile: 'Entra ID does not know the new registration yet.' };

/**
 * Before the deployment: checks the settings of the sign-in, and makes the registration where none is named. The same
 * environment has always the same registration, however often this runs.
 */
export async function registerSignIn() {
  const isOn = env.SIGN_IN === 'on';
  if (env.REQUIRE_SIGN_IN === 'on' && !isOn)
    throw new HookError(
      'REQUIRE_SIGN_IN is on but SIGN_IN is off, so nobody could use the HTTP API:\n  azd env set SIGN_IN on',
    );
  if (!isOn || env.SIGN_IN_CLIENT_ID) return;
  const registration = `${GRAPH}/applications(uniqueName='${uniqueName()}')`;
  const name = `ahds-events ${env.AZURE_ENV_NAME}`;
  try {
    patch(registration, { displayName: name, signInAudience: 'AzureADMyOrg' }, [UPSERT]);
    const appId = await lookAgain(SPREADING, () => idOf(registration));
    if (appId === undefined) throw new HookError(`Entra ID does not show the registration ${name} yet. Run azd again.`);
    patch(registration, describe(appId));
    patch(registration, { api: { ...api(), preAuthorizedApplications: preAuthorized() } });
    makePrincipal(appId);
    setInAzd({ SIGN_IN_CLIENT_ID: appId });
    say(`The registration ${name} (${appId}) is ready. Give people its roles: docs/deploy/sign-in.md.`);
  } catch (error) {
    if (!(error instanceof AzError)) throw error;
    throw new HookError(
      `The registration in Entra ID could not be made:\n  ${error.message}\nAn administrator can make it ` +
        '(docs/deploy/sign-in.md). Then: azd env set SIGN_IN_CLIENT_ID <client id>',
    );
  }
}

/**
 * After the deployment, when the address of the app is known: lets browsers return to it. A registration of somebody else
 * stays as it is.
 */
export function finishSignIn() {
  if (env.SIGN_IN !== 'on' || !env.FUNCTION_APP_URL) return;
  const address = `${env.FUNCTION_APP_URL}/.auth/login/aad/callback`;
  const registration = `${GRAPH}/applications(uniqueName='${uniqueName()}')`;
  try {
    if (idOf(registration) !== env.SIGN_IN_CLIENT_ID)
      return say(`The registration is your own: it needs the redirect URI ${address}, of the type Web.`);
    patch(registration, { web: { redirectUris: [address], implicitGrantSettings: { enableIdTokenIssuance: true } } });
  } catch (error) {
    if (!(error instanceof AzError)) throw error;
    say(`The registration needs the redirect URI ${address}, which could not be set:\n  ${error.message}`);
  }
}

/** One registration for each azd environment of a subscription. */
function uniqueName() {
  return `ahds-events-${env.AZURE_ENV_NAME}-${env.AZURE_SUBSCRIPTION_ID ?? ''}`;
}

/** @param {string} appId */
function describe(appId) {
  return {
    identifierUris: [`api://${appId}`],
    api: api(),
    appRoles: ROLES.map((role) => ({
      ...role,
      displayName: role.value,
      allowedMemberTypes: ['User', 'Application'],
      isEnabled: true,
    })),
  };
}

function api() {
  const text = 'Call the HTTP API of ahds-events as the person who is signed in.';
  const scope = { id: SCOPE_ID, value: 'user_impersonation', type: 'User', isEnabled: true };
  const texts = { adminConsentDisplayName: 'Call ahds-events', adminConsentDescription: text };
  return { requestedAccessTokenVersion: 2, oauth2PermissionScopes: [{ ...scope, ...texts }] };
}

function preAuthorized() {
  return COMMAND_LINES.map((appId) => ({ appId, delegatedPermissionIds: [SCOPE_ID] }));
}

/** Only people with a role get a token. @param {string} appId */
function makePrincipal(appId) {
  const principal = `${GRAPH}/servicePrincipals(appId='${appId}')`;
  patch(principal, { appRoleAssignmentRequired: true }, [UPSERT]);
}

/** @param {string} registration @returns {string | undefined} */
function idOf(registration) {
  try {
    return az('rest', '--method', 'get', '--url', registration, '--query', 'appId');
  } catch (error) {
    if (error instanceof AzError && /NotFound|Not Found|does not exist/i.test(error.message)) return undefined;
    throw error;
  }
}

/** A body in a file needs no quotes of a shell. @param {string} url @param {object} body @param {string[]} headers */
function patch(url, body, headers = []) {
  const folder = mkdtempSync(join(tmpdir(), 'ahds-'));
  try {
    const file = join(folder, 'body.json');
    writeFileSync(file, JSON.stringify(body));
    az(
      'rest',
      '--method',
      'patch',
      '--url',
      url,
      '--headers',
      'Content-Type=application/json',
      ...headers,
      '--body',
      `@${file}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
