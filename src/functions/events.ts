import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type * as z from 'zod';
import { changeBodies, type eventsAnswer } from '../api/events.js';
import { digest } from '../digest.js';
import { NonRetriableError } from '../errors.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { foundEvent } from '../reconcile/found-event.js';
import type { ResourceName } from '../reconcile/known-changes.js';
import { workspaceOf } from '../reconcile/workspace.js';
import { callerIdOf } from './caller.js';
import type { App } from './compose.js';
import { describeEvents } from './describe-events.js';
import { findVersions } from './find-versions.js';
import { readBody } from './read-body.js';
import { type FunctionApp, httpError, serve } from './serve.js';

type Deps = Pick<App, 'ledger' | 'waiting' | 'config' | 'workflows' | 'workflowTables' | 'stores' | 'telemetry'>;

const MAX_CHARACTERS = 4096;
const MAX_EVENTS = 20;
const KINDS = ['created', 'updated', 'deleted'] as const;
/** The address of a change does not depend on its time. */
const ANY_TIME = '2026-01-01T00:00:00.000Z';

/**
 * Registers `events/{eventId}`: the status and story of all events with an id. `events?id=` takes an id with a slash. Also
 * registers `changes/fhir` and `changes/dicom`: the same of the jobs of one version of a resource, or of one image; without
 * a version, of its newest versions. That question is a POST, because ids of resources must not be in URLs.
 */
export function registerEvents(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'events', ({ params, query }) => answerFor(params.eventId || query.get('id') || '', deps));
  serve(functions, 'fhirChanges', (request) => answerChanges('fhir', request, deps));
  serve(functions, 'dicomChanges', (request) => answerChanges('dicom', request, deps));
}

async function answerFor(eventId: string, { ledger, waiting }: Deps): Promise<HttpResponseInit> {
  if (eventId === '') return httpError(400, 'no-event-id', 'Name an event: /api/events/{eventId}, or /api/events?id=.');
  const idDigest = digest(eventId);
  // Rows first: a job that gets its record between the two reads is then found in one of them.
  const rows = await waiting.find(idDigest);
  const records = await ledger.find(idDigest);
  const events = describeEvents(records, rows);
  return events.length > 0 ? { jsonBody: { events } satisfies z.input<typeof eventsAnswer> } : NO_SUCH_EVENT;
}

const NO_SUCH_EVENT = httpError(
  404,
  'no-such-event',
  'No job of an event with this id is recorded. An id with a slash goes into /api/events?id=. An event that no ' +
    'workflow wants has no jobs. An invalid event is among the dead letters. Settled jobs are forgotten after ' +
    'LEDGER_RETENTION_DAYS.',
);

async function answerChanges(
  service: keyof typeof changeBodies,
  request: Pick<HttpRequest, 'text' | 'headers'>,
  deps: Deps,
): Promise<HttpResponseInit> {
  const body = await readBody(request, { schema: changeBodies[service], maxCharacters: MAX_CHARACTERS });
  if (body.kind === 'wrong') return body.answer;
  const { version, ...rest } = body.value;
  const resource = { service, ...rest } as ResourceName;
  const source = sourceOf(resource, deps.config);
  if (typeof source !== 'string') return source;
  const changesOf = (each: number) => digestsOf(resource, each, source);
  const records =
    version === undefined
      ? await findVersions(resource, changesOf, deps)
      : await deps.ledger.findChanges(changesOf(version));
  const ids = [...new Set(records.map(({ event }) => digest(event.id)))].slice(0, MAX_EVENTS);
  const rows = (await Promise.all(ids.map((id) => deps.waiting.find(id)))).flat();
  const events = describeEvents(records, rows).slice(0, MAX_EVENTS);
  deps.telemetry.log('info', 'changes-shown', { by: callerIdOf(request, deps), count: events.length });
  return events.length > 0 ? { jsonBody: { events } satisfies z.input<typeof eventsAnswer> } : NO_SUCH_CHANGE;
}

function sourceOf({ host }: ResourceName, config: Deps['config']): string | HttpResponseInit {
  try {
    return workspaceOf(host, config);
  } catch (error) {
    if (error instanceof NonRetriableError) return httpError(409, 'workspace-unknown', error.message);
    throw error;
  }
}

/** Returns the digests of a version as a creation, an update and a deletion: its number does not say which change made it. */
function digestsOf(resource: ResourceName, version: number, source: string): string[] {
  return KINDS.map((change) => {
    const { raw } = foundEvent({ ...resource, version, change, time: ANY_TIME }, source);
    return keyOf(parseEvent(raw)).contentDigest;
  });
}

const NO_SUCH_CHANGE = httpError(
  404,
  'no-such-change',
  'No job of this change has begun. Without `version`, only the newest versions are looked for, and of an image only with the ' +
    'workflow resource-index. Settled jobs are forgotten after LEDGER_RETENTION_DAYS. A change that no workflow wants ' +
    'has no jobs. `npm run reconcile` finds changes that the app has never heard of.',
);
