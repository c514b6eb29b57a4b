import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the app's source says of itself, for infra/ to be held against. */
const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/^(local|simulator|testing)/.test(file))
  .map((file) => readFileSync(join('src', file), 'utf8'))
  .join('\n');

/** The settings that it asks for by name; a connection by the name before `__`. */
export function settingsRead(): readonly string[] {
  const asked = matches(/\b(?:settings\.\w+|setting)\(\s*'(\w+)'/g);
  const named = matches(/^const NAME = '([A-Z_]+)';$/gm);
  return [...new Set([...asked, ...named])].sort();
}

/** The queues that it opens. */
export function queuesOpened(): readonly string[] {
  return matches(/createAzureQueueStore\([^;]*?'([a-z-]+)',?\s*\)/g);
}

/** The blob containers that it opens. */
export function containersOpened(): readonly string[] {
  return matches(/createAzureBlobStore\([^;]*?'([a-z-]+)',?\s*\)/g);
}

function matches(pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map(([, name = '']) => name);
}
