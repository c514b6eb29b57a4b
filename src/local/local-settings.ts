import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesStorage } from '../config.js';
import type { Env } from '../config-reader.js';
import { StartError } from './host/start-error.js';

/**
 * Returns `env` with the missing values from local.settings.json, as Core Tools reads them. Without that file the
 * values are those of the sample, except its connection.
 * @throws StartError where the file cannot be read.
 */
export function withLocalSettings(appRoot: string, env: Env): Env {
  const own = join(appRoot, 'local.settings.json');
  const hasOwn = existsSync(own);
  const values = readValues(hasOwn ? own : join(appRoot, 'local.settings.sample.json'));
  const chosen = Object.entries(values).filter(([name]) => hasOwn || !namesStorage({ [name]: values[name] }));
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return { AZURE_FUNCTIONS_ENVIRONMENT: 'Development', ...Object.fromEntries([...chosen, ...given]) };
}

/** Returns the names in local.settings.json; none if there is no such file. */
export function namesInLocalSettings(appRoot: string): string[] {
  const own = join(appRoot, 'local.settings.json');
  return existsSync(own) ? Object.keys(readValues(own)) : [];
}

function readValues(path: string): Record<string, string> {
  let values: unknown;
  try {
    values = JSON.parse(readFileSync(path, 'utf8')).Values ?? {};
  } catch (error) {
    throw new StartError(`${path} cannot be read: it must be JSON with "Values".`, { cause: error });
  }
  const wrong = Object.entries(Object(values)).filter(([, value]) => typeof value !== 'string');
  if (wrong.length === 0) return values as Record<string, string>;
  throw new StartError(
    `${path}: put quotes around the values of ${wrong.map(([name]) => name).join(', ')}; each must be a text.`,
  );
}
