import type { Clock } from '../clock.js';
import { ConfigError, readSetting } from '../config.js';
import type { Env } from '../config-reader.js';
import { readSettings } from '../functions/read-settings.js';
import { type Setting, type Workflow, WorkflowError } from '../workflow.js';
import { StartError } from './host/start-error.js';
import { namesInLocalSettings, withLocalSettings } from './local-settings.js';
import { withLookupKey } from './lookup-key.js';
import { OptionError } from './options.js';
import { printError, printOptionError } from './output.js';
import { readWithStorage } from './provide-storage.js';
import { describeUnknownSettings } from './unknown-settings.js';

/**
 * Returns the settings of the project in `appRoot`, checked as the app checks them, and provides its storage. Reports
 * unknown names in local.settings.json.
 * @throws StartError, ConfigError or WorkflowError that lists the problems.
 */
export async function openLocalApp(appRoot: string, given: Env, clock: Clock) {
  const { workflows } = await import('../workflows/index.js'); // an invalid workflow throws a WorkflowError here
  const env = withLookupKey(appRoot, withLocalSettings(appRoot, given));
  const unknown = describeUnknownSettings(namesInLocalSettings(appRoot), settingsAskedBy(workflows, readSetting(env)));
  if (unknown) process.stderr.write(unknown);
  return readWithStorage(env, { read: (of) => readSettings(workflows, of), appRoot, clock });
}

/** Prints an error that the person at the terminal can fix, and ends the process. Throws any other error again. */
export function endWith(error: unknown): never {
  if (error instanceof OptionError) process.exit(printOptionError(error));
  const isFixable = [StartError, ConfigError, WorkflowError].some((kind) => error instanceof kind);
  if (!isFixable) throw error;
  process.exit(printError(`${(error as Error).message}\n`, 1));
}

/** Returns the names of the settings that the workflows ask for in `setup`. */
function settingsAskedBy(workflows: readonly Workflow[], setting: Setting): string[] {
  const asked: string[] = [];
  for (const { setup } of workflows) {
    setup((name) => {
      asked.push(name);
      return setting(name);
    });
  }
  return asked;
}
