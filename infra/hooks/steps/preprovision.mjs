import { AzError, az, env, HookError, needProgram, runHook, say, setInAzd } from './commands.mjs';
import { registerSignIn } from './sign-in.mjs';

const WORKSPACE =
  /^\/subscriptions\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/resourceGroups\/([^/]+)\/providers\/Microsoft\.HealthcareApis\/workspaces\/([a-z0-9]{3,24})$/i;
const EXAMPLE =
  '/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.HealthcareApis/workspaces/<workspace>, as ' +
  'az healthcareapis workspace show --resource-group <group> --name <workspace> --query id prints it';

/** The keys of `defaultNames` in main.bicep. */
const NAMED = [
  ...[
    'identity',
    'logAnalytics',
    'auditLog',
    'applicationInsights',
    'storage',
    'undeliveredStorage',
    'workflowStorage',
    'keyVault',
  ],
  ...['plan', 'functionApp', 'systemTopic', 'network', 'privateEndpoints'],
];
const RECEIVERS = ['ACTION_GROUP_ID', 'ALERT_EMAILS', 'ALERT_PHONES', 'INCIDENT_WEBHOOK_URL'];
const KEY = /^https:\/\/[a-z0-9-]+\.(vault|managedhsm)\.azure\.net\/keys\/[^/]+(\/[0-9a-f]{32})?$/i;

/** @typedef {{ name: string, resourceGroup: string, tags?: Record<string, string> | null, encryption?: { services?: { table?: { keyType?: string } | null } } }} Account */
/** @typedef {{ properties?: { privateLinkServiceConnectionState?: { status?: string } } }} Connection */
/** @typedef {{ id: string, name: string, resourceGroup: string, source?: string, tags?: Record<string, string> | null, identity?: { type?: string } | null }} Topic */

await runHook(async () => {
  needProgram('az', 'install it, https://aka.ms/azure-cli');
  needProgram('azd', 'install it, https://aka.ms/azd');
  checkNames();
  checkPhones();
  sayWhetherAnybodyIsNotified();
  checkPublicApp();
  // With AHDS_CREATE_WORKSPACE the template creates a workspace and ignores AHDS_WORKSPACE_ID and its topic.
  const workspace = isOn(env.AHDS_CREATE_WORKSPACE) ? undefined : env.AHDS_WORKSPACE_ID;
  if (workspace !== undefined) {
    useSubscriptionOf(workspace);
    checkGroup(workspace);
    checkFilter();
  }
  useDeployer(signIn());
  useKeyType();
  checkSubnets();
  await registerSignIn();
  if (workspace !== undefined) {
    checkEndpoint(workspace);
    return useTopicOf(workspace);
  }
  setTopic('', '');
  sayWithoutWorkspace();
});

/** Returns whether azd reads this text as true. @param {string | undefined} text */
function isOn(text) {
  return /^(1|t|true)$/i.test(text ?? '');
}

/** Without a public address, Event Grid cannot send the app anything, and without the network nobody can. */
function checkPublicApp() {
  if (isOn(env.PUBLIC_APP ?? 'true') || (isOn(env.PRIVATE_NETWORK) && env.INGRESS === 'queue')) return;
  throw new HookError(
    'PUBLIC_APP is off, so only a private network reaches the app, and only a queue brings events:\n' +
      '  azd env set PRIVATE_NETWORK true\n  azd env set INGRESS queue',
  );
}

/** A name for an unknown resource would have no effect. */
function checkNames() {
  const unknown = [...givenNames().keys()].filter((name) => !NAMED.includes(name));
  if (unknown.length === 0) return;
  throw new HookError(`RESOURCE_NAMES names ${unknown.join(', ')}, must name only ${NAMED.join(', ')}.`);
}

/** @returns {Map<string, string>} */
function givenNames() {
  const pairs = (env.RESOURCE_NAMES ?? '').split(';').map((pair) => pair.split('=').map((part) => part.trim()));
  return new Map(pairs.map(([key = '', name = '']) => /** @type {const} */ ([key, name])).filter(([key]) => key));
}

function checkPhones() {
  const wrong = (env.ALERT_PHONES ?? '').split(',').filter((phone) => !/^\s*(\d{1,3}-\d{4,14})?\s*$/.test(phone));
  if (wrong.length === 0) return;
  throw new HookError(`ALERT_PHONES has ${wrong.join(',')}, must be country code, hyphen and number: 49-1701234567`);
}

function sayWhetherAnybodyIsNotified() {
  if (!isOn(env.ALERTS_ON ?? 'true') || RECEIVERS.some((name) => env[name])) return;
  say(
    `Warning: the alerts will notify nobody. Set one of ${RECEIVERS.join(', ')}:\n  azd env set ALERT_EMAILS oncall@example.com`,
  );
}

/** Flex Consumption accepts only a subnet that is delegated to it, and says so late and unclearly. */
function checkSubnets() {
  const { APP_SUBNET_ID: subnet, ENDPOINTS_SUBNET_ID: endpoints } = env;
  if (!subnet && !endpoints) return;
  if (!subnet || !endpoints || !isOn(env.PRIVATE_NETWORK)) {
    throw new HookError(
      'APP_SUBNET_ID and ENDPOINTS_SUBNET_ID need each other, and PRIVATE_NETWORK: set all three, or no subnet.',
    );
  }
  const url = `https://management.azure.com${subnet}?api-version=2024-05-01`;
  /** @type {{ properties: { serviceName: string } }[]} */
  const delegations = az('rest', '--method', 'get', '--url', url, '--query', 'properties.delegations') ?? [];
  if (delegations.some(({ properties }) => /^Microsoft\.App\/environments$/i.test(properties.serviceName))) return;
  throw new HookError(
    `The subnet of APP_SUBNET_ID is not delegated to Microsoft.App/environments, which Flex Consumption needs:\n` +
      `  az network vnet subnet update --ids ${subnet} --delegations Microsoft.App/environments`,
  );
}

/** azd down deletes the whole group of the app, so the workspace must be in another. @param {string} workspace */
function checkGroup(workspace) {
  const [, , group = ''] = WORKSPACE.exec(workspace) ?? [];
  if (!isSame(group, ownGroup())) return;
  throw new HookError(
    `The workspace is in the resource group ${group}, and the app would be in it too: azd down would delete both. Give the ` +
      'app a group of its own:\n  azd env set AZURE_RESOURCE_GROUP <name>',
  );
}

/** A filter without a service would leave an app without subscriptions, which looks healthy and receives no events. */
function checkFilter() {
  if (!isOn(env.FILTER_BY_SERVICE) || env.AHDS_FHIR_SERVICES || env.AHDS_DICOM_SERVICES) return;
  throw new HookError(
    'FILTER_BY_SERVICE is on but no service is named, so no event would come. Name the services of the app, or accept ' +
      'the events of all services:\n  azd env set AHDS_FHIR_SERVICES <names> and azd env set AHDS_DICOM_SERVICES <names>\n' +
      '  azd env set FILTER_BY_SERVICE false',
  );
}

/**
 * Chooses the subscription of the workspace, if none is chosen: azd asks for a subscription only after this hook.
 * @param {string} workspace
 */
function useSubscriptionOf(workspace) {
  const [, subscription] = WORKSPACE.exec(workspace) ?? [];
  if (subscription === undefined) throw new HookError(`AHDS_WORKSPACE_ID is ${workspace}, must be ${EXAMPLE}`);
  const chosen = env.AZURE_SUBSCRIPTION_ID;
  if (chosen === undefined) return setInAzd({ AZURE_SUBSCRIPTION_ID: subscription });
  if (isSame(chosen, subscription)) return;
  throw new HookError(
    `The workspace is in subscription ${subscription}, and the app would be in ${chosen}: they must be in the same subscription. ` +
      'Make an azd environment for that subscription: azd env new <name> --subscription <id>',
  );
}

function ownGroup() {
  return env.AZURE_RESOURCE_GROUP ?? `rg-${env.AZURE_ENV_NAME}`;
}

/** Azure compares names without regard to case. @param {string} one @param {string} other */
function isSame(one, other) {
  return one.toLowerCase() === other.toLowerCase();
}

/** Returns a token of the identity that is signed in to az, which is separate from azd's. @returns {string} */
function signIn() {
  try {
    return az('account', 'get-access-token', '--query', 'accessToken');
  } catch (error) {
    if (!(error instanceof AzError)) throw error;
    const subscription = env.AZURE_SUBSCRIPTION_ID;
    const tenant = env.AZURE_TENANT_ID ? ` --tenant ${env.AZURE_TENANT_ID}` : '';
    throw new HookError(
      `az is not signed in${subscription ? ` where it sees subscription ${subscription}` : ''}:\n  ${error.message}\n` +
        `Sign in with the identity of azd, and run azd again:\n  az login${tenant}`,
    );
  }
}

/**
 * Sets who may write secrets: the identity of az, as the tenant of the subscription knows it. azd passes the object id
 * of a guest's home tenant (Azure/azure-dev#7173), for which no role can be assigned.
 * @param {string} token
 */
function useDeployer(token) {
  const [, claims = ''] = token.split('.');
  const { oid } = parse(Buffer.from(claims, 'base64url').toString());
  if (typeof oid !== 'string') throw new HookError('The token of az names nobody: sign in again, az login');
  if (env.DEPLOYER_ID !== oid) setInAzd({ DEPLOYER_ID: oid });
}

/** @param {string} json */
function parse(json) {
  try {
    return JSON.parse(json) ?? {};
  } catch {
    return {};
  }
}

/**
 * Keeps the scope of the keys of tables and queues, which Azure never changes: accounts of earlier versions have one key
 * for each service, which no key of your own can replace.
 */
function useKeyType() {
  const { STORAGE_KEY_URL: key, STORAGE_KEY_IDENTITY_ID: identity } = env;
  if (key !== undefined && (!KEY.test(key) || identity === undefined)) {
    throw new HookError(
      `STORAGE_KEY_URL is ${key}, must be https://<vault>.vault.azure.net/keys/<name>, and STORAGE_KEY_IDENTITY_ID the ` +
        'resource id of an identity that may use the key.',
    );
  }
  /** @type {Account[]} */
  const accounts = az('storage', 'account', 'list') ?? [];
  const own = accounts.filter(
    ({ tags, resourceGroup }) => tags?.['azd-env-name'] === env.AZURE_ENV_NAME && isSame(resourceGroup, ownGroup()),
  );
  if (own.length === 0 && key !== undefined && env.STORAGE_KEY_TYPE === 'Service') {
    throw new HookError(
      'STORAGE_KEY_TYPE is Service, with which no key of your own can encrypt tables and queues:\n  azd env set STORAGE_KEY_TYPE Account',
    );
  }
  if (own.length === 0) return;
  const old = own.filter(({ encryption }) => encryption?.services?.table?.keyType !== 'Account');
  if (old.length > 0 && key !== undefined) {
    throw new HookError(
      `STORAGE_KEY_URL cannot encrypt the tables and queues of ${old.map(({ name }) => name).join(', ')}: only accounts ` +
        'made with STORAGE_KEY_TYPE Account allow it. docs/deploy/keys.md says how to move.',
    );
  }
  const keyType = old.length > 0 ? 'Service' : 'Account';
  if ((env.STORAGE_KEY_TYPE ?? 'Account') !== keyType) setInAzd({ STORAGE_KEY_TYPE: keyType });
}

/**
 * Azure turns off the public access to a workspace as soon as a private endpoint is approved, which would cut off its
 * other clients.
 * @param {string} workspace
 */
function checkEndpoint(workspace) {
  if (!isOn(env.PRIVATE_NETWORK)) return;
  const choice = env.WORKSPACE_PRIVATE_ENDPOINT ?? 'off';
  const url = `https://management.azure.com${workspace}?api-version=2024-03-31`;
  /** @type {{ publicNetworkAccess?: string, privateEndpointConnections?: Connection[] | null }} */
  const { publicNetworkAccess, privateEndpointConnections } =
    az('rest', '--method', 'get', '--url', url, '--query', 'properties') ?? {};
  const isPrivate =
    publicNetworkAccess === 'Disabled' ||
    privateEndpointConnections?.some((one) => one.properties?.privateLinkServiceConnectionState?.status === 'Approved');
  if (isPrivate && choice === 'off') {
    say(
      'The workspace is private, and WORKSPACE_PRIVATE_ENDPOINT is off: the app reaches it only if its network does.',
    );
  }
  if (isPrivate || choice !== 'on') return;
  throw new HookError(
    'The workspace is public and has no private endpoint: WORKSPACE_PRIVATE_ENDPOINT would end its public access for all ' +
      'its clients. Once each of them has a private endpoint, confirm:\n  azd env set WORKSPACE_PRIVATE_ENDPOINT confirmed\n' +
      'Or let the app reach the workspace by its public address:\n  azd env set WORKSPACE_PRIVATE_ENDPOINT off',
  );
}

function sayWithoutWorkspace() {
  if (isOn(env.AHDS_CREATE_WORKSPACE)) return say('A workspace is made, for trying the app.');
  say(
    'AHDS_WORKSPACE_ID is not set: the app is made, but subscribed to nothing. For an existing workspace:\n' +
      `  azd env set AHDS_WORKSPACE_ID <id>\nwhere <id> is ${EXAMPLE}`,
  );
}

/**
 * A workspace can have only one system topic. The template uses an existing topic instead of creating a new topic. The
 * exception is the topic of this azd environment, which the template manages.
 * @param {string} workspace
 */
function useTopicOf(workspace) {
  /** @type {Topic[]} */
  const topics = az('eventgrid', 'system-topic', 'list') ?? [];
  const topic = topics.find(({ source }) => isSame(source ?? '', workspace));
  if (topic === undefined) {
    if (setTopic('', '')) say('The system topic of the last deployment no longer exists.');
    return say('The workspace has no system topic: a new topic is made.');
  }
  if (isOwn(topic, workspace)) {
    setTopic('', '');
    return say(`The workspace has the system topic of this environment: ${topic.name}.`);
  }
  checkIdentity(topic);
  setTopic(topic.name, topic.resourceGroup);
  say(`The existing system topic of the workspace is used: ${topic.name} in ${topic.resourceGroup}.`);
}

/**
 * Returns whether the template of this environment has made the topic: by its tag, and by the name and group that the
 * template gives it. Another deployment can have an environment of the same name.
 * @param {Topic} topic
 * @param {string} workspace
 */
function isOwn({ tags, name, resourceGroup }, workspace) {
  const [, , group = '', workspaceName = ''] = WORKSPACE.exec(workspace) ?? [];
  const isTagged = tags?.['azd-env-name'] === env.AZURE_ENV_NAME;
  const ownName = givenNames().get('systemTopic') ?? `${workspaceName}-events`;
  return isTagged && isSame(name, ownName) && isSame(resourceGroup, group);
}

/** @param {Topic} topic */
function checkIdentity({ name, resourceGroup, identity }) {
  const type = identity?.type || 'None';
  if (/SystemAssigned/i.test(type)) return;
  throw new HookError(
    `The workspace's system topic ${name} in ${resourceGroup} has no system-assigned identity (its identity: ${type}). ` +
      'Event Grid needs such an identity to store undelivered events: no other kind passes the firewall of a ' +
      'storage account. Add the identity, which changes no subscription, and run azd again:\n' +
      `  az eventgrid system-topic update --resource-group ${resourceGroup} --name ${name} --identity systemassigned`,
  );
}

/** Returns whether a setting changed. @param {string} name @param {string} resourceGroup */
function setTopic(name, resourceGroup) {
  const wanted = { EVENTGRID_SYSTEM_TOPIC: name, EVENTGRID_SYSTEM_TOPIC_RESOURCE_GROUP: resourceGroup };
  const changed = Object.entries(wanted).filter(([key, value]) => (env[key] ?? '') !== value);
  setInAzd(Object.fromEntries(changed));
  return changed.length > 0;
}
