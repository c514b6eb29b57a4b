import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { isJson, JSON_NEEDED } from '../media-type.js';
import { errorCodeOf } from '../pipeline/decide.js';
import { openForReading } from '../pipeline/workflow-table.js';
import { StorageError } from '../storage/table-store.js';
import type { Lookup, Workflow } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { httpError, storageFailed } from './http-error.js';

const MOST_CHARACTERS = 64 * 1024;
/** What is answered here is clinical: no cache on the way may keep it. */
const HEADERS = { 'Cache-Control': 'no-store' };

type Deps = Pick<App, 'config' | 'workflowTables' | 'workflows' | 'telemetry'>;

/**
 * What people may ask of the workflows' tables: POST, for what they ask is clinical, too, and URLs end up in logs. Off
 * unless `LOOKUPS` is on.
 */
export function registerLookups(functions: FunctionApp, deps: Deps): void {
  if (!deps.config.lookups) return;
  for (const workflow of deps.workflows) {
    if (workflow.lookup) registerLookup(functions, { ...workflow, lookup: workflow.lookup }, deps);
  }
}

type OfLookup = Pick<Workflow, 'name' | 'codes'> & { readonly lookup: Lookup };

function registerLookup(functions: FunctionApp, workflow: OfLookup, deps: Deps): void {
  const { lookup } = workflow;
  functions.http(`lookup-${lookup.name}`, {
    methods: ['POST'],
    route: `lookups/${lookup.name}`,
    authLevel: 'function',
    handler: (request) => answer(request, lookup, deps).catch((error: unknown) => failed(error, workflow, deps)),
  });
}

/** The host prints what a function throws, message and all: an error of a look-up may name a patient, so none is thrown. */
function failed(error: unknown, { name, codes }: OfLookup, { telemetry }: Deps): HttpResponseInit {
  if (error instanceof StorageError) return storageFailed(error);
  const errorCode = errorCodeOf(error, codes);
  telemetry.log('error', 'lookup-failed', { workflow: name, errorCode });
  return httpError(500, errorCode, `The look-up failed. It is part of the workflow '${name}'; correct that.`);
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
