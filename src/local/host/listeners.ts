import { QueueServiceClient, type StoragePipelineOptions } from '@azure/storage-queue';
import type { Clock } from '../../clock.js';
import type { Env, IdentityConfig } from '../../config-reader.js';
import { createCredential } from '../../functions/credential.js';
import type { HostSettings } from './host-json.js';
import type { HostLog } from './host-log.js';
import type { Invoker } from './invoker.js';
import type { AppFunction } from './load-app.js';
import { QueueListener, type QueueMessage } from './queue-listener.js';
import { StartError } from './start-error.js';
import { listenToTimer } from './timer-listener.js';

const OPTIONS: StoragePipelineOptions = { retryOptions: { maxTries: 2, tryTimeoutInMs: 10_000 } };

/** A trigger that calls functions without an HTTP request. */
export type Listener = {
  /** Starts no more functions, and resolves when those that it has started are done. */
  stop(): Promise<void>;
};

type Deps = {
  readonly env: Env;
  readonly settings: HostSettings;
  readonly clock: Clock;
  readonly log: HostLog;
  /** See queue-listener.ts. */
  readonly hiddenS?: number;
};

/**
 * Starts a listener for every function that has a queue or timer trigger, unless the setting
 * `AzureWebJobs.<function>.Disabled` is true.
 * @throws StartError, and starts no listener, where a binding names an absent connection or setting.
 */
export function startListeners(functions: readonly AppFunction[], invoker: Invoker, deps: Deps): Listener[] {
  const enabled = functions.filter(({ name }) => deps.env[`AzureWebJobs.${name}.Disabled`]?.toLowerCase() !== 'true');
  const starts = enabled.flatMap((target) => prepareListener(target, invoker, deps));
  return starts.map((start) => start());
}

/** Returns a function that starts the listener, so that an error in any binding starts no listener. None for HTTP. */
function prepareListener(target: AppFunction, invoker: Invoker, deps: Deps): (() => Listener)[] {
  switch (target.trigger.type) {
    case 'queuetrigger':
      return [prepareQueue(target, invoker, deps)];
    case 'timertrigger':
      return [prepareTimer(target, invoker, deps)];
    case 'httptrigger':
    case 'eventgridtrigger':
      return [];
    default:
      deps.log('warning', `Function '${target.name}' does not run: this host does not support its trigger.`);
      return [];
  }
}

function prepareQueue(target: AppFunction, invoker: Invoker, { env, settings, ...deps }: Deps): () => Listener {
  const name = resolveSettings(String(target.trigger.queueName), env);
  const queues = connectQueues(String(target.trigger.connection ?? 'Storage'), env);
  return () =>
    new QueueListener({
      queue: queues.getQueueClient(name),
      poison: queues.getQueueClient(`${name}-poison`),
      settings: settings.queues,
      run: ({ text, item }) => invoker.invoke(target, { string: text }, metadataOf(item)),
      ...deps,
    });
}

/**
 * Returns the queues of a connection, by the convention of Functions: the setting `name` holds a connection string, or
 * settings such as `name__accountName` name a service and an identity. The prefix `AzureWebJobs` is accepted.
 * @throws StartError where no setting has that name.
 */
function connectQueues(name: string, env: Env): QueueServiceClient {
  for (const setting of [`AzureWebJobs${name}`, name]) {
    const connectionString = env[setting];
    if (connectionString) return QueueServiceClient.fromConnectionString(connectionString, OPTIONS);
    const account = env[`${setting}__accountName`];
    const uri = env[`${setting}__queueServiceUri`] ?? (account && `https://${account}.queue.core.windows.net`);
    if (uri) return new QueueServiceClient(uri, createCredential(identityOf(setting, env)), OPTIONS);
  }
  throw new StartError(`A queue trigger uses the connection '${name}', but no setting has that name. Set it.`);
}

function identityOf(setting: string, env: Env): IdentityConfig {
  const clientId = env[`${setting}__clientId`];
  const isManaged = env[`${setting}__credential`]?.toLowerCase() === 'managedidentity';
  return { kind: 'identity', credential: isManaged ? 'managedidentity' : 'default', ...(clientId && { clientId }) };
}

function metadataOf(item: QueueMessage['item']) {
  return {
    Id: { string: item.messageId },
    PopReceipt: { string: item.popReceipt },
    DequeueCount: { int: item.dequeueCount },
    InsertionTime: { string: item.insertedOn.toISOString() },
    ExpirationTime: { string: item.expiresOn.toISOString() },
    NextVisibleTime: { string: item.nextVisibleOn.toISOString() },
  };
}

function prepareTimer(target: AppFunction, invoker: Invoker, { env, clock }: Deps): () => Listener {
  const schedule = resolveSettings(String(target.trigger.schedule), env);
  return () =>
    listenToTimer({
      schedule,
      runOnStartup: target.trigger.runOnStartup === true,
      run: (info) => invoker.invoke(target, { string: JSON.stringify(info) }),
      clock,
    });
}

/** Returns a text of a binding with each `%NAME%` replaced by the setting of that name. */
function resolveSettings(text: string, env: Env): string {
  return text.replace(/%(\w+)%/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined)
      throw new StartError(`A binding names the setting ${name}, which is absent. Set it, or change the binding.`);
    return value;
  });
}
