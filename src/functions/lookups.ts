import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { errorCodeOf } from '../errors.js';
import { openForReading } from '../handler/workflow-table.js';
import { StorageError } from '../storage/table-store.js';
import type { Lookup, Workflow } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { httpError, storageFailed } from './http-error.js';
import { type Problem, readBody, textOf } from './read-body.js';

const MAX_CHARACTERS = 64 * 1024;
/** Answers hold clinical data: no cache on the way may keep them. */
const HEADERS = { 'Cache-Control': 'no-store' };

type Deps = Pick<App, 'config' | 'workflowTables' | 'workflows' | 'telemetry'>;

/**
 * Registers the lookup of each workflow that has one, where `LOOKUPS` is on. A query is a POST: it holds clinical data,
 * and URLs end up in logs.
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

/**
 * Returns an answer instead of throwing: the host prints the message of an error, and a lookup's may name a patient.
 */
function failed(error: unknown, { name, codes }: OfLookup, { telemetry }: Deps): HttpResponseInit {
  if (error instanceof StorageError) return storageFailed(error);
  const errorCode = errorCodeOf(error, codes);
  telemetry.log('error', 'lookup-failed', { workflow: name, errorCode });
  return httpError(500, errorCode, `The lookup of the workflow '${name}' failed with this code. Fix the workflow.`);
}

async function answer(
  request: Pick<HttpRequest, 'text' | 'headers'>,
  lookup: Lookup,
  { config, workflowTables }: Deps,
): Promise<HttpResponseInit> {
  const query = await readBody(request, { schema: lookup.query, maxCharacters: MAX_CHARACTERS, refuse });
  if (query.kind === 'wrong') return query.answer;
  const { setting } = config;
  const answered = await lookup.answer(query.value, {
    tables: (name) => openForReading(name, workflowTables),
    setting,
  });
  return { jsonBody: answered, headers: HEADERS };
}

function refuse(status: number, problems: readonly Problem[]): HttpResponseInit {
  const code = problems.find((problem) => problem.code === 'too-large' || problem.code === 'not-json')?.code;
  return httpError(status, code ?? 'bad-query', textOf(problems));
}
