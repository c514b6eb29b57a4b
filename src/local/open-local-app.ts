import type { Clock } from '../clock.js';
import { type Config, ConfigError, namesStorage, readSetting } from '../config.js';
import { readSettings } from '../functions/read-settings.js';
import { type Setting, type Workflow, WorkflowError } from '../workflow.js';
import type { Azurite } from './azurite.js';
import { StartError } from './host/start-error.js';
import { namesInLocalSettings, withLocalSettings } from './local-settings.js';
import { withLookupKey } from './lookup-key.js';
import { OptionError } from './options.js';
import { printError, printOptionError } from './output.js';
import { provideStorage } from './provide-storage.js';
import { describeUnknownSettings } from './unknown-settings.js';

type Env = Record<string, string | undefined>;
/** `env` names the storage; `azurite` is to be released in the end, if there is one. */
type LocalApp = { readonly env: Env; readonly config: Config; readonly azurite: Azurite | undefined };

/**
 * Returns the settings of the project in `appRoot`, checked as the app checks them, and provides its storage. Reports
 * unknown names in local.settings.json.
 * @throws StartError, ConfigError or WorkflowError that lists the problems.
 */
export async function openLocalApp(appRoot: string, given: Env, clock: Clock): Promise<LocalApp> {
  const { workflows } = await import('../workflows/index.js'); // an invalid workflow throws a WorkflowError here
  const env = withLookupKey(appRoot, withLocalSettings(appRoot, given));
  const unknown = describeUnknownSettings(namesInLocalSettings(appRoot), askedIn(workflows, readSetting(env)));
  if (unknown) process.stderr.write(unknown);
  const isNamed = namesStorage(env);
  const { config } = readSettings(
    workflows,
    isNamed ? env : { ...env, AzureWebJobsStorage: 'UseDevelopmentStorage=true' },
  );
  const azurite = await provideStorage(appRoot, isNamed ? config.storage : undefined, clock);
  if (azurite) env[config.storageConnection] = azurite.connectionString;
  return { env, config, azurite };
}

/** Ends the process with the message of an error that is for the person who started it. */
export function endWith(error: unknown): never {
  if (error instanceof OptionError) process.exit(printOptionError(error));
  const isForPerson = [StartError, ConfigError, WorkflowError].some((kind) => error instanceof kind);
  if (!isForPerson) throw error;
  process.exit(printError(`${(error as Error).message}\n`, 1));
}

/** Returns the names of the settings that the workflows ask for in `setup`. */
function askedIn(workflows: readonly Workflow[], setting: Setting): string[] {
  const asked: string[] = [];
  for (const { setup } of workflows) {
    setup((name) => {
      asked.push(name);
      return setting(name);
    });
  }
  return asked;
}
