import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AzError, az, env, HookError, lookAgain, runHook, say, settingsOf } from './commands.mjs';

const TEMPLATE = fileURLToPath(new URL('../../subscriptions.bicep', import.meta.url));
const FUNCTIONS = ['fhirEvents', 'dicomEvents'];
const WANTED = env.SUBSCRIBED_INGRESS === 'queue' ? ['queuedEvents'] : FUNCTIONS;
const AGAIN = 'azd hooks run postdeploy';
const STARTING = { tries: 30, seconds: 10, meanwhile: 'The functions do not exist yet.' };
/** The topic's role assignments take minutes to apply, and Event Grid first validates the app's endpoint. */
const SUBSCRIBING = { tries: 4, seconds: 45, meanwhile: 'Event Grid does not accept the subscriptions yet.' };
/** Errors that waiting does not fix. */
const FOR_GOOD = /AuthorizationFailed|InvalidTemplate|az login|AADSTS|ResourceGroupNotFound|SubscriptionNotFound/;

await runHook(async () => {
  if (!env.SYSTEM_TOPIC_NAME) return say('No workspace is set: the app is deployed, but subscribed to nothing.');
  const [group = '', app = ''] = settingsOf('AZURE_RESOURCE_GROUP', 'FUNCTION_APP_NAME');
  await waitForFunctions(group, app);
  await subscribe(app);
  sayHowToSee(group, app);
  sayLeftOver(app);
});

/** Event Grid refuses a subscription to a function that does not exist yet. @param {string} group @param {string} app */
async function waitForFunctions(group, app) {
  /** @type {string[]} */
  let missing = WANTED;
  let said = '';
  const found = await lookAgain(STARTING, () => {
    const list = attempt(() => az('functionapp', 'function', 'list', '--resource-group', group, '--name', app));
    said = list.problem ?? '';
    const names = (list.answer ?? []).map((/** @type {{ name: string }} */ { name }) => name.split('/').at(-1));
    missing = WANTED.filter((name) => !names.includes(name));
    return missing.length === 0 ? true : undefined;
  });
  if (found) return;
  throw new HookError(
    `The function app ${app} has no ${missing.join(', ')} after 5 minutes: it does not start.${said && `\n  ${said}`}\n` +
      'The usual cause is a wrong setting. Within minutes Application Insights names every wrong setting:\n' +
      '  AppExceptions | where TimeGenerated > ago(1h) | project TimeGenerated, OuterMessage\n' +
      `Nothing is subscribed yet, so no event is lost. Then run: ${AGAIN}`,
  );
}

/** Deploys the subscriptions. A repeated deployment changes nothing. @param {string} app */
async function subscribe(app) {
  const parameters = parametersOf();
  const [group = ''] = settingsOf('SYSTEM_TOPIC_RESOURCE_GROUP');
  const folder = mkdtempSync(join(tmpdir(), 'ahds-'));
  let said = '';
  try {
    const file = join(folder, 'parameters.json');
    writeFileSync(file, JSON.stringify(parameters));
    const where = ['--resource-group', group, '--name', `${app}-subscriptions`.slice(-64)];
    const what = ['--template-file', TEMPLATE, '--parameters', file, '--no-prompt', 'true', '--query', 'id'];
    const isDone = await lookAgain(SUBSCRIBING, () => {
      const { answer, problem } = attempt(() => az('deployment', 'group', 'create', ...where, ...what) ?? true);
      said = problem ?? '';
      return answer;
    });
    if (isDone) return;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  throw new HookError(`The app is deployed, but its subscriptions could not be made:\n  ${said}\nThen: ${AGAIN}`);
}

/** The content of a parameters file. The template has defaults for settings that are absent. */
function parametersOf() {
  const [systemTopicName, functionAppId, undeliveredStorageId] = settingsOf(
    'SYSTEM_TOPIC_NAME',
    'FUNCTION_APP_ID',
    'UNDELIVERED_STORAGE_ID',
  );
  const values = {
    systemTopicName,
    functionAppId,
    undeliveredStorageId,
    ingress: env.SUBSCRIBED_INGRESS,
    eventSchema: env.EVENT_SCHEMA,
    fhirHosts: env.SUBSCRIBED_FHIR_HOSTS,
    dicomHosts: env.SUBSCRIBED_DICOM_HOSTS,
  };
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#',
    contentVersion: '1.0.0.0',
    parameters: Object.fromEntries(set.map(([name, value]) => [name, { value }])),
  };
}

/**
 * @template T
 * @param {() => T} ask
 * @returns {{ answer?: T, problem?: string }}
 */
function attempt(ask) {
  try {
    return { answer: ask() };
  } catch (error) {
    if (!(error instanceof AzError)) throw error;
    if (FOR_GOOD.test(error.message)) throw new HookError(`${error.message}\nThen: ${AGAIN}`);
    return { problem: error.message };
  }
}

/** @param {string} group @param {string} app */
function sayHowToSee(group, app) {
  const [topic, topicGroup] = settingsOf('SYSTEM_TOPIC_NAME', 'SYSTEM_TOPIC_RESOURCE_GROUP');
  const keys = `az functionapp keys list --resource-group ${group} --name ${app} --query functionKeys.default --output tsv`;
  const address = env.FUNCTION_APP_URL ?? `https://${app}.azurewebsites.net`;
  say(
    `${app} is subscribed to the system topic ${topic}. Change a resource. After a minute, see the deliveries of ` +
      'Event Grid and the counts of the app:\n' +
      `  az monitor metrics list --resource ${topic} --resource-group ${topicGroup} --resource-type systemTopics ` +
      '--resource-namespace Microsoft.EventGrid --metrics DeliverySuccessCount DeliveryAttemptFailCount --output table\n' +
      `  curl -s -H "x-functions-key: $(${keys})" ${address}/api/stats`,
  );
}

/**
 * Prints how to delete a subscription that the filter excludes now. A deployment deletes no subscription, so its events
 * would still arrive.
 * @param {string} app
 */
function sayLeftOver(app) {
  const unwanted = [
    { name: `${app}-fhir`, hosts: env.SUBSCRIBED_FHIR_HOSTS },
    { name: `${app}-dicom`, hosts: env.SUBSCRIBED_DICOM_HOSTS },
  ].filter(({ hosts }) => hosts === 'none');
  if (unwanted.length === 0) return;
  const [topic = '', group = ''] = settingsOf('SYSTEM_TOPIC_NAME', 'SYSTEM_TOPIC_RESOURCE_GROUP');
  const subscriptions = ['eventgrid', 'system-topic', 'event-subscription'];
  const where = ['--system-topic-name', topic, '--resource-group', group];
  /** @type {{ name: string }[]} */
  const present = az(...subscriptions, 'list', ...where) ?? [];
  for (const { name } of unwanted.filter((one) => present.some((other) => other.name === one.name))) {
    say(
      `FILTER_BY_SERVICE leaves out all services of ${name}, but this older subscription still delivers their ` +
        `events. To delete it:\n  az ${[...subscriptions, 'delete', ...where].join(' ')} --name ${name} --yes`,
    );
  }
}
