import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type ReconcileRequest, reconcileBody } from '../api/reconcile.js';
import { errorCodeOf, NonRetriableError } from '../errors.js';
import { checkRequest, servicesToCompare } from '../reconcile/check-request.js';
import { checkSince } from '../reconcile/check-since.js';
import { checkIndex } from '../reconcile/find-removed.js';
import { partsOf } from '../reconcile/plan.js';
import { withoutDashes } from '../reconcile/report-text.js';
import {
  countsOfRequest,
  findRequest,
  listRequests,
  type NewRequest,
  partsOfRequest,
  type StoredRequest,
  storeRequest,
} from '../reconcile/request-rows.js';
import { workspaceOf } from '../reconcile/workspace.js';
import { callerIdOf } from './caller.js';
import type { App } from './compose.js';
import { badRequest, type Problem, readBody } from './read-body.js';
import { servicesOf } from './reconcile-deps.js';
import { type FunctionApp, httpError, serve } from './serve.js';

type Deps = Pick<App, 'config' | 'clock' | 'workflows' | 'ledger' | 'stores' | 'telemetry' | 'actions'>;

const MAX_CHARACTERS = 64 * 1024;
/** Properties whose wrong values an answer may quote, because none can hold patient data. */
const QUOTABLE = ['since', 'until', 'findRemoved', 'rowsLost', 'dryRun'];

const NOT_FOUND = httpError(
  404,
  'no-such-request',
  'No request has this id. GET /api/reconcile lists all requests; a request that has ended is listed for 30 days.',
);

/** Registers the requests to compare past changes, for the level `admin`. The timer `reconcile` works on them. */
export function registerReconcileRequests(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'askReconcile', (request) => post(request, deps));
  serve(functions, 'reconcileRequests', () => list(deps));
  serve(functions, 'reconcileRequest', (request) => show(request, deps));
}

async function post(request: Pick<HttpRequest, 'text' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const read = await readBody(request, { schema: reconcileBody, maxCharacters: MAX_CHARACTERS, quotable: QUOTABLE });
  if (read.kind === 'wrong') return read.answer;
  const { since = '', findRemoved, rowsLost, dryRun, ...rest } = read.value;
  const wanted: NewRequest = { ...rest, since, isFindRemoved: findRemoved, areRowsLost: rowsLost, isDryRun: dryRun };
  const { stores, config, workflows, clock, telemetry, actions } = deps;
  const wrong = checkRequest(wanted, { now: clock.now(), services: servicesOf(config), workflows });
  const problems = wrong.length > 0 ? wrong : await refusalsByTimer(wanted, deps);
  if (problems.length > 0) return badRequest(400, problems);
  const by = callerIdOf(request, deps);
  const end = await actions.begin({ what: 'compare', by });
  const id = await storeRequest(wanted, { tables: stores.tables, now: clock.now() });
  await end({ asked: 1 });
  telemetry.log('info', 'reconcile-asked', { by });
  const message = `The timer reconcile works on the request from the next minute on. GET /api/reconcile/${id} shows how far.`;
  return { status: 202, headers: { Location: `/api/reconcile/${id}` }, jsonBody: { id, message } };
}

async function list({ stores }: Deps): Promise<HttpResponseInit> {
  return { jsonBody: { requests: (await listRequests(stores.tables)).map(shown) } };
}

async function show({ params }: Pick<HttpRequest, 'params'>, { stores }: Deps): Promise<HttpResponseInit> {
  const found = await findRequest(params.id ?? '', stores.tables);
  return found ? { jsonBody: shown(found) } : NOT_FOUND;
}

/**
 * Returns the problems for which the timer would refuse the request: changes that the ledger has forgotten, a service without
 * a workspace, no table to compare.
 */
async function refusalsByTimer(request: NewRequest, { config, ledger, clock, workflows }: Deps): Promise<Problem[]> {
  const firstDayByChange = await ledger.firstDayByChange();
  const memory = { firstDayByChange, retentionDays: config.ledgerRetentionDays, now: clock.now() };
  const wanted = {
    workflows: workflows.filter(({ name }) => name === (request.workflow ?? name)),
    types: request.types,
  };
  return [
    ...(request.isFindRemoved
      ? problemOf('findRemoved', () => checkIndex(workflows))
      : problemOf('since', () => checkSince(request.since, request.workflow, memory))),
    ...servicesToCompare(request, servicesOf(config))
      .filter(({ service }) => partsOf(service, wanted).length > 0)
      .flatMap(({ host }) => problemOf('service', () => workspaceOf(host, config))),
  ];
}

function problemOf(path: string, check: () => unknown): Problem[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof NonRetriableError)) throw error;
    return [{ path, code: errorCodeOf(error), message: `is refused. ${withoutDashes(error.message)}` }];
  }
}

function shown(status: StoredRequest): ReconcileRequest {
  const { id, state, since, until, isFindRemoved: findRemoved, areRowsLost: rowsLost, isDryRun: dryRun } = status;
  const { askedAt, endedAt, message } = status;
  const { service = null, types = null, workflow = null } = status;
  return {
    id,
    state,
    ...{ since: since || null, until: until || null, service, types, workflow, findRemoved, rowsLost, dryRun },
    askedAt,
    endedAt: endedAt || null,
    counts: countsOfRequest(status),
    parts: partsOfRequest(status),
    message: message || 'The timer reconcile has not begun yet: it runs each minute.',
  };
}
