import { AzError, az, env, HookError, needProgram, runHook, say, setInAzd } from './commands.mjs';
import { registerSignIn } from './sign-in.mjs';

const WORKSPACE =
  /^\/subscriptions\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/resourceGroups\/([^/]+)\/providers\/Microsoft\.HealthcareApis\/workspaces\/[a-z0-9]{3,24}$/i;
const EXAMPLE =
  '/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.HealthcareApis/workspaces/<workspace>, as ' +
  'az healthcareapis workspace show --resource-group <group> --name <workspace> --query id prints it';

/** The keys of `defaultNames` in main.bicep. */
const NAMED = [
  ...[
    'identity',
    'logAnalytics',
    'applicationInsights',
    'storage',
    'undeliveredStorage',
    'workflowStorage',
    'keyVault',
  ],
  ...['plan', 'functionApp', 'systemTopic', 'network', 'privateEndpoints'],
];
const RECEIVERS = ['ACTION_GROUP_ID', 'ALERT_EMAILS', 'ALERT_PHONES', 'INCIDENT_WEBHOOK_URL'];

/** @typedef {{ id: string, name: string, resourceGroup: string, source?: string, tags?: Record<string, string> | null, identity?: { type?: string } | null }} Topic */

await runHook(async () => {
  needProgram('az', 'install it, https://aka.ms/azure-cli');
  needProgram('azd', 'install it, https://aka.ms/azd');
  checkNames();
  checkPhones();
  sayWhetherAnybodyIsNotified();
  // With AHDS_CREATE_WORKSPACE the template creates a workspace and ignores AHDS_WORKSPACE_ID and its topic.
  const workspace = isOn(env.AHDS_CREATE_WORKSPACE) ? undefined : env.AHDS_WORKSPACE_ID;
  if (workspace !== undefined) {
    useSubscriptionOf(workspace);
    checkGroup(workspace);
    checkFilter();
  }
  checkSignIn();
  checkSubnets();
  await registerSignIn();
  if (workspace !== undefined) return useTopicOf(workspace);
  setTopic('', '');
  sayWithoutWorkspace();
});

/** Returns whether azd reads this text as true. @param {string | undefined} text */
function isOn(text) {
  return /^(1|t|true)$/i.test(text ?? '');
}

/** A name for an unknown resource would have no effect. */
function checkNames() {
  const given = (env.RESOURCE_NAMES ?? '').split(';').flatMap((pair) => pair.split('=')[0]?.trim() || []);
  const unknown = given.filter((name) => !NAMED.includes(name));
  if (unknown.length === 0) return;
  throw new HookError(`RESOURCE_NAMES names ${unknown.join(', ')}, must name only ${NAMED.join(', ')}.`);
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
  const own = env.AZURE_RESOURCE_GROUP ?? `rg-${env.AZURE_ENV_NAME}`;
  if (group.toLowerCase() !== own.toLowerCase()) return;
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
  if (chosen.toLowerCase() === subscription.toLowerCase()) return;
  throw new HookError(
    `The workspace is in subscription ${subscription}, and the app would be in ${chosen}: they must be in the same subscription. ` +
      'Make an azd environment for that subscription: azd env new <name> --subscription <id>',
  );
}

/** The hooks use az, whose sign-in is separate from azd's. */
function checkSignIn() {
  try {
    az('account', 'show');
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
  const topic = topics.find(({ source }) => source?.toLowerCase() === workspace.toLowerCase());
  if (topic === undefined) {
    if (setTopic('', '')) say('The system topic of the last deployment no longer exists.');
    return say('The workspace has no system topic: a new topic is made.');
  }
  if (topic.tags?.['azd-env-name'] === env.AZURE_ENV_NAME) {
    setTopic('', '');
    return say(`The workspace has the system topic of this environment: ${topic.name}.`);
  }
  checkIdentity(topic);
  setTopic(topic.name, topic.resourceGroup);
  say(`The existing system topic of the workspace is used: ${topic.name} in ${topic.resourceGroup}.`);
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
