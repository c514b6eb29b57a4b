import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The source of the deployed app. The tests compare infra/ with it. */
export function sourceFiles() {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(local|simulator|testing)/.test(file))
    .sort()
    .map((file) => ({ file, text: readFileSync(join('src', file), 'utf8') }));
}

const source = sourceFiles()
  .map(({ text }) => text)
  .join('\n');

/** The names of the settings that the app reads. A connection is listed by its name before `__`. */
export function settingsRead(): readonly string[] {
  const inCalls = matches(/\b(?:settings\.\w+|setting)\(\s*'(\w+)'/g);
  const inConstants = matches(/^const NAME = '([A-Z_]+)';$/gm);
  return [...new Set([...inCalls, ...inConstants])].sort();
}

/** The names of the queues that the app opens. */
export function queuesOpened(): readonly string[] {
  return matches(/createAzureQueueStore\([^;]*?'([a-z-]+)',?\s*\)/g);
}

/** The names of the blob containers that the app opens. */
export function containersOpened(): readonly string[] {
  return matches(/(?<!function )createAzureBlobStore\([^;]*?'([a-z-]+)',?\s*\)/g);
}

function matches(pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map(([, name = '']) => name);
}
