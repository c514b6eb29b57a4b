import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { openApiOf } from '../api/openapi.js';
import type { Route } from '../api/route.js';
import { ROUTES } from '../api/routes.js';
import { errorCodeOf } from '../errors.js';
import { openForReading } from '../handler/workflow-table.js';
import { StorageError } from '../storage/table-store.js';
import type { Lookup, Workflow } from '../workflow.js';
import { callerIdOf } from './caller.js';
import type { App } from './compose.js';
import { type Problem, readBody, textOf } from './read-body.js';
import { type FunctionApp, httpError, serve, storageFailed } from './serve.js';

const MAX_CHARACTERS = 64 * 1024;
/** Answers hold clinical data, which no cache may keep. */
const HEADERS = { 'Cache-Control': 'no-store' };

type Deps = Pick<App, 'config' | 'workflowTables' | 'workflows' | 'telemetry'>;

/**
 * Registers the lookup of each workflow that has one, if `LOOKUPS` is on. A query is a POST, because it holds clinical data,
 * and URLs are logged.
 */
export function registerLookups(functions: FunctionApp, deps: Deps): void {
  for (const workflow of lookupsOf(deps)) {
    const { lookup } = workflow;
    const { method, route, authLevel } = lookupRoute(lookup);
    functions.http(`lookup-${lookup.name}`, {
      methods: [method],
      route,
      authLevel,
      handler: (request) => answer(request, workflow, deps).catch((error: unknown) => failed(error, workflow, deps)),
    });
  }
}

type WithLookup = Pick<Workflow, 'name' | 'codes'> & { readonly lookup: Lookup };

/** Returns the routes of all functions of the HTTP API by the names of the functions. */
export function routesOf(deps: Pick<App, 'config' | 'workflows'>): Readonly<Record<string, Route>> {
  const lookups = lookupsOf(deps).map(({ lookup }) => [`lookup-${lookup.name}`, lookupRoute(lookup)]);
  return { ...ROUTES, ...Object.fromEntries(lookups) };
}

/** Returns the workflows whose lookups the app offers. */
function lookupsOf({ config, workflows }: Pick<App, 'config' | 'workflows'>): WithLookup[] {
  if (!config.lookups) return [];
  return workflows.flatMap((workflow) => (workflow.lookup ? [{ ...workflow, lookup: workflow.lookup }] : []));
}

/** Returns the route of a lookup. It describes no answer, because each workflow has its own. */
function lookupRoute({ name, query }: Lookup): Route {
  return {
    method: 'POST',
    route: `lookups/${name}`,
    authLevel: 'function',
    role: 'Clinician',
    summary: `The lookup \`${name}\` of a workflow. The answer is clinical data.`,
    body: query,
    answers: { 200: { description: 'What was found.' } },
  };
}

/**
 * Returns the answer to an error. The error is not thrown, because the host prints its message, which can name a patient.
 */
function failed(error: unknown, { name, codes }: WithLookup, { telemetry }: Deps): HttpResponseInit {
  if (error instanceof StorageError) return storageFailed(error);
  const errorCode = errorCodeOf(error, codes);
  telemetry.log('error', 'lookup-failed', { workflow: name, errorCode });
  return httpError(500, errorCode, `The lookup of the workflow '${name}' failed with this code. Fix the workflow.`);
}

async function answer(
  request: Pick<HttpRequest, 'text' | 'headers'>,
  { name: workflow, lookup }: WithLookup,
  { config, workflowTables, telemetry }: Deps,
): Promise<HttpResponseInit> {
  const query = await readBody(request, { schema: lookup.query, maxCharacters: MAX_CHARACTERS, refuse });
  if (query.kind === 'wrong') return query.answer;
  const { setting } = config;
  // Logs before the answer, because a lookup that fails later has read clinical data, too.
  telemetry.log('info', 'lookup-asked', { workflow, by: callerIdOf(request, { config }) });
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

/** Registers the OpenAPI document of this app, with the lookups of its workflows. It is made at the first request. */
export function registerOpenApi(functions: FunctionApp, deps: Pick<App, 'config' | 'workflows'>): void {
  let document: ReturnType<typeof openApiOf> | undefined;
  serve(functions, 'openApi', () => {
    document ??= openApiOf(routesOf(deps));
    return { jsonBody: document };
  });
}
