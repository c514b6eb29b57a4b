import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_TYPES, kindOf } from '../../src/events/kinds.js';
import { registerFunctions } from '../../src/functions/register.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { type BicepFile, childOf, literalOf, nodesOf, propertiesOf, readBicep, valueAt } from './bicep.js';

let file: BicepFile;
let entries: readonly { name: string; function: string; eventTypes: readonly string[]; hostKey: string }[];
beforeAll(async () => {
  file = (await readBicep()).find(({ path }) => path === 'infra/subscriptions.bicep') as BicepFile;
  const list = file.variables.find(({ name }) => name === 'subscriptions')?.node;
  const array = list && childOf(list, 'array');
  entries = (array?.namedChildren ?? []).flatMap((object) => {
    if (object?.type !== 'object') return [];
    const properties = propertiesOf(object);
    const text = (name: string) => literalOf(properties.get(name)) ?? '';
    const eventTypes = nodesOf(properties.get('eventTypes') as never, 'string').map((node) => literalOf(node) ?? '');
    return [{ name: text('name'), function: text('function'), eventTypes, hostKey: text('hostKey') }];
  });
});
const subscription = () => {
  const found = file.resources.find(({ isExisting }) => !isExisting);
  if (!found) throw new Error('no subscription');
  return found.node;
};

describe('when the workspace is subscribed', () => {
  it('given the functions with an Event Grid trigger, then each has exactly one subscription', () => {
    const functions = createFakeFunctions();
    const queued = createFakeFunctions();
    registerFunctions(functions.app, composeMemoryApp().app);
    const inQueueMode = composeMemoryApp({ env: { INGRESS: 'queue' } }).app;
    registerFunctions(queued.app, inQueueMode);
    const taking = functions
      .names()
      .filter((name) => JSON.stringify(functions.optionsOf(name)?.trigger ?? '').includes('eventGridTrigger'));

    expect(entries.map((entry) => entry.function)).toEqual(taking);
    const destination = valueAt(subscription(), 'properties', 'destination');
    expect(destination?.text).toMatch(/^ingress == 'queue'\s+\? null\s+: \{\s+endpointType: 'AzureFunction'/);
    expect(destination && valueAt(destination, 'properties', 'resourceId')?.text).toBe(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Bicep syntax
      "'${functionAppId}/functions/${entry.function}'",
    );
    const queue = valueAt(subscription(), 'properties', 'deliveryWithResourceIdentity');
    expect(queue?.text).toMatch(/^ingress == 'queue'\s+\? \{[\s\S]*\}\s+: null$/);
    const inQueue = (name: string) => queue && valueAt(queue, 'destination', 'properties', name)?.text;
    expect(inQueue('queueName')).toBe(`'${queued.optionsOf('queuedEvents')?.queueName}'`);
    expect(inQueue('queueMessageTimeToLiveInSeconds')).toBe('-1'); // I2
    expect(inQueue('resourceId')).toBe('undeliveredStorageId');
  });

  it('given the event types, then each goes to the function of its service', () => {
    expect(entries.flatMap(({ eventTypes }) => eventTypes)).toEqual(EVENT_TYPES);
    for (const { name, eventTypes } of entries) {
      expect(eventTypes.map((type) => kindOf(type)?.service)).toEqual([name, name, name]);
    }
  });

  it('given a filter by service, then it compares the host name, which events hold in both schemas', () => {
    const samples = readdirSync('test/events/samples').map((name) =>
      JSON.parse(readFileSync(join('test/events/samples', name), 'utf8')),
    );
    const values = entries.map(({ eventTypes, hostKey }) =>
      samples
        .filter((event) => eventTypes.includes(event.type ?? event.eventType))
        .map((event) => hostKey.split('.').reduce((at, name) => at?.[name], event)),
    );

    expect(values.map((list) => list.length)).toEqual([6, 6]);
    expect(new Set(values[0])).toEqual(new Set(['{fhir-account}.fhir.azurehealthcareapis.com']));
    expect(new Set(values[1])).toEqual(new Set(['{dicom-account}.dicom.azurehealthcareapis.com']));
    expect(file.parameters.find(({ name }) => name === 'fhirHosts')?.description).toContain(
      '<workspace>-<service>.fhir.azurehealthcareapis.com',
    );
    expect(file.parameters.find(({ name }) => name === 'dicomHosts')?.description).toContain(
      '<workspace>-<service>.dicom.azurehealthcareapis.com',
    );
  });

  it('given an undeliverable event, then Event Grid retries for 24 hours and writes it to undelivered', () => {
    const textAt = (...path: string[]) => valueAt(subscription(), 'properties', ...path)?.text;
    const deadLetterPath = ['deadLetterWithResourceIdentity', 'deadLetterDestination'];

    expect(textAt('retryPolicy', 'maxDeliveryAttempts')).toBe('30');
    expect(textAt('retryPolicy', 'eventTimeToLiveInMinutes')).toBe('1440');
    expect(textAt('deadLetterWithResourceIdentity', 'identity', 'type')).toBe("'SystemAssigned'");
    expect(textAt(...deadLetterPath, 'properties', 'resourceId')).toBe('undeliveredStorageId');
    expect(textAt(...deadLetterPath, 'properties', 'blobContainerName')).toBe("'undelivered'");
    expect(textAt('deadLetterDestination')).toBeUndefined();
  });

  it('given a new workspace, then the template ignores the named topic of another workspace', async () => {
    const main = (await readBicep()).find(({ path }) => path === 'infra/main.bicep');
    const textOf = (name: string) => main?.variables.find((variable) => variable.name === name)?.value;

    expect(textOf('usesExistingTopic')).toBe('!createWorkspace && hasWorkspace && !empty(existingSystemTopicName)');
    expect(textOf('makesTopic')).toBe('hasWorkspace && !usesExistingTopic');
    expect(textOf('topicName')).toContain('usesExistingTopic ? existingSystemTopicName');
    expect(textOf('topicGroupName')).toMatch(/^usesExistingTopic && !empty\(existingSystemTopicResourceGroup\)/);
  });

  it('given a new topic, then it is a topic of the workspace and has a system-assigned identity', async () => {
    const made = (await readBicep())
      .flatMap(({ resources }) => resources)
      .filter(({ type, isExisting }) => type === 'Microsoft.EventGrid/systemTopics' && !isExisting);

    expect(made).toHaveLength(1);
    expect(made.map(({ node }) => valueAt(node, 'identity', 'type')?.text)).toEqual(["'SystemAssigned'"]);
    expect(made.map(({ node }) => valueAt(node, 'properties', 'topicType')?.text)).toEqual([
      "'Microsoft.HealthcareApis.Workspaces'",
    ]);
  });
});
