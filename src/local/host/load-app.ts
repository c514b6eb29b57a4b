import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type FunctionCallback,
  type FunctionMetadata,
  type HookCallback,
  type HookName,
  type ProgrammingModel,
  registered,
} from './functions-core.js';
import { StartError } from './start-error.js';

/** What the app has registered, after all of its files are loaded. */
export type App = {
  readonly functions: readonly AppFunction[];
  readonly hooks: Readonly<Record<HookName, readonly HookCallback[]>>;
  readonly model: ProgrammingModel;
};

export type AppFunction = {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  readonly trigger: { readonly name: string; readonly type: string; readonly [option: string]: unknown };
};

/**
 * Imports the files that `main`, a glob, stands for, and returns what they have registered.
 * @throws StartError where there is no such file, or the app wants what this host cannot do.
 */
export async function loadApp(appRoot: string, main: string): Promise<App> {
  if (registered.isStarted) throw new StartError('This process has run an app already; every app needs its own.');
  const files = globSync(main, { cwd: appRoot }).sort();
  if (files.length === 0)
    throw new StartError(`There is no ${join(appRoot, main)}: build the app first, npm run build.`);
  injectCore();
  for (const file of files) await importFile(join(appRoot, file));
  const { model } = registered;
  if (!model) throw new StartError(`${join(appRoot, main)} registers no functions.`);
  const capabilities = await model.getCapabilities({});
  if (capabilities.HttpUri) throw new StartError('app.setup({ enableHttpStream }) works on the real host only.');
  registered.isStarted = true;
  const functions = [...registered.functions.values()].map(({ metadata, callback }) => ({
    name: metadata.name,
    metadata,
    callback,
    trigger: triggerOf(metadata),
  }));
  return { functions, hooks: registered.hooks, model };
}

async function importFile(path: string): Promise<void> {
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowError') throw error;
    throw new StartError(error.message, { cause: error });
  }
}

/** As the real worker does, for `require` and `import` alike. */
function injectCore(): void {
  const url = import.meta.resolve('./functions-core.js');
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@azure/functions-core' ? { url, shortCircuit: true } : next(specifier, context),
  });
}

function triggerOf({ name, bindings }: FunctionMetadata): AppFunction['trigger'] {
  const found = Object.entries(bindings).find(([, binding]) => /trigger$/i.test(binding.type ?? ''));
  if (!found) throw new StartError(`Function '${name}' has no trigger.`);
  const [bindingName, binding] = found;
  return { ...binding, name: bindingName, type: (binding.type ?? '').toLowerCase() };
}
