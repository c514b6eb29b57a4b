import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Env } from '../config-reader.js';
import { StartError } from './host/start-error.js';

const NAME = 'LOOKUP_KEY';
const BYTES = 32;

/**
 * Returns `env` with a key for the workflows' lookups. Where `env` has none, the key is that of this folder, created at
 * the first start. The key is kept beside Azurite's data, because another key would not find its rows.
 * @throws StartError where the key can be neither read nor written.
 */
export function withLookupKey(appRoot: string, env: Env): Env {
  const isNamed = Object.keys(env).some((name) => name.toUpperCase() === NAME && env[name]?.trim());
  return isNamed ? env : { ...env, [NAME]: readOrMakeKey(join(appRoot, '.local', 'lookup-key')) };
}

function readOrMakeKey(path: string): string {
  try {
    if (!existsSync(path)) makeKey(path);
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new StartError(`${path} can be neither read nor written; or set ${NAME}: openssl rand -base64 ${BYTES}`, {
      cause: error,
    });
  }
}

/** Writes the key. No process sees half a key, and two processes that write at once get the same key. */
function makeKey(path: string): void {
  const draft = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(draft, `${randomBytes(BYTES).toString('base64')}\n`, { mode: 0o600 });
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
