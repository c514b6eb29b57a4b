import { type Config, ConfigError, namesStorage, readSetting } from '../config.js';
import { readSettings } from '../functions/read-settings.js';
import { printable, printableLines } from '../printable.js';
import { type Setting, type Workflow, WorkflowError } from '../workflow.js';
import { StartError } from './host/start-error.js';
import { namesInLocalSettings, withLocalSettings } from './local-settings.js';
import { withLookupKey } from './lookup-key.js';
import { HELP_HAS_THE_REST, OptionError } from './option-error.js';
import { describeUnknownSettings } from './unknown-settings.js';

type Env = Record<string, string | undefined>;
type LocalApp = {
  readonly env: Env;
  readonly config: Config;
  /** Whether `env` names a storage. Where it does not, `config` holds Azurite's. */
  readonly isNamed: boolean;
};

/**
 * Returns the settings of the project in `appRoot`, checked as the app checks them, with the needs of its workflows.
 * Reports unknown names in local.settings.json.
 * @throws StartError, ConfigError or WorkflowError that lists the problems.
 */
export async function readLocalApp(appRoot: string, given: Env): Promise<LocalApp> {
  const { workflows } = await import('../workflows/index.js'); // an invalid workflow throws a WorkflowError here
  const env = withLookupKey(appRoot, withLocalSettings(appRoot, given));
  const unknown = describeUnknownSettings(namesInLocalSettings(appRoot), askedIn(workflows, readSetting(env)));
  if (unknown) process.stderr.write(unknown);
  const isNamed = namesStorage(env);
  const { config } = readSettings(
    workflows,
    isNamed ? env : { ...env, AzureWebJobsStorage: 'UseDevelopmentStorage=true' },
  );
  return { env, config, isNamed };
}

/** Ends the process with the message of an error that is for the person who started it. */
export function endWith(error: unknown): never {
  if (error instanceof OptionError) {
    process.stderr.write(`${printable(error.message)} ${HELP_HAS_THE_REST}\n`);
    process.exit(2);
  }
  const isForPerson = [StartError, ConfigError, WorkflowError].some((kind) => error instanceof kind);
  if (!isForPerson) throw error;
  process.stderr.write(printableLines(`${(error as Error).message}\n`));
  process.exit(1);
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
