import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { isJson, JSON_NEEDED } from '../media-type.js';
import { openForReading } from '../pipeline/workflow-table.js';
import type { Lookup } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { httpError, storageFailed } from './http-error.js';

const MOST_CHARACTERS = 64 * 1024;
/** What is answered here is clinical: no cache on the way may keep it. */
const HEADERS = { 'Cache-Control': 'no-store' };

type Deps = Pick<App, 'config' | 'workflowTables' | 'workflows'>;

/**
 * What people may ask of the workflows' tables: POST, for what they ask is clinical, too, and URLs end up in logs. Off
 * unless `LOOKUPS` is on.
 */
export function registerLookups(functions: FunctionApp, deps: Deps): void {
  if (!deps.config.lookups) return;
  for (const { lookup } of deps.workflows) if (lookup) registerLookup(functions, lookup, deps);
}

function registerLookup(functions: FunctionApp, lookup: Lookup, deps: Deps): void {
  functions.http(`lookup-${lookup.name}`, {
    methods: ['POST'],
    route: `lookups/${lookup.name}`,
    authLevel: 'function',
    handler: (request) => answer(request, lookup, deps).catch(storageFailed),
  });
}

async function answer(
  request: Pick<HttpRequest, 'text' | 'headers'>,
  lookup: Lookup,
  { config, workflowTables }: Deps,
): Promise<HttpResponseInit> {
  if (!isJson(request)) return httpError(415, 'json-needed', JSON_NEEDED);
  const text = await request.text();
  if (text.length > MOST_CHARACTERS)
    return httpError(413, 'too-large', `A question has ${MOST_CHARACTERS} characters at most.`);
  const body = parseJson(text);
  if (body === undefined) return httpError(400, 'not-json', 'The body is no JSON.');
  const query = lookup.query.safeParse(body);
  if (!query.success) {
    const problems = query.error.issues.map(({ path, message }) => `${path.join('.') || '(body)'}: ${message}`);
    return httpError(400, 'bad-query', problems.join('; '));
  }
  const { setting } = config;
  const answered = await lookup.answer(query.data, { tables: (name) => openForReading(name, workflowTables), setting });
  return { jsonBody: answered, headers: HEADERS };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
