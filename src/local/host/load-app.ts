import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FunctionCallback, type FunctionMetadata, registered } from './functions-core.js';
import { StartError } from './start-error.js';

/** The functions and hooks of the app, after all of its files are loaded. */
export type App = Awaited<ReturnType<typeof loadApp>>;

/** A function of the app. `trigger` is its trigger binding, whose `type` is in lower case. */
export type AppFunction = {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  readonly trigger: { readonly name: string; readonly type: string; readonly [option: string]: unknown };
};

/**
 * Imports the files that match `main`, a glob, and returns the functions and hooks that they register.
 * @throws StartError where no file matches, or the app needs a feature that this host lacks.
 */
export async function loadApp(appRoot: string, main: string) {
  if (registered.isStarted) throw new StartError('This process has run an app already. Start a process for each app.');
  const files = globSync(main, { cwd: appRoot }).sort();
  if (files.length === 0)
    throw new StartError(`There is no ${join(appRoot, main)}. Build the app first: npm run build.`);
  injectCore();
  for (const file of files) await importFile(join(appRoot, file));
  const { model } = registered;
  if (!model) throw new StartError(`${join(appRoot, main)} registers no functions.`);
  const capabilities = await model.getCapabilities({});
  if (capabilities.HttpUri)
    throw new StartError(
      'The app calls app.setup({ enableHttpStream }), which works on the real host only. Remove it.',
    );
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

/** Makes `require` and `import` load this host's part of the worker, like the real worker. */
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
