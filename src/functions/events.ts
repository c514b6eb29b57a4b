import type { HttpResponseInit } from '@azure/functions';
import type * as z from 'zod';
import type { eventsAnswer } from '../api/events.js';
import { digest } from '../digest.js';
import type { App } from './compose.js';
import { describeEvents } from './describe-events.js';
import type { FunctionApp } from './function-app.js';
import { httpError } from './http-error.js';
import { serve } from './serve.js';

type Deps = Pick<App, 'ledger' | 'waiting'>;

/** Registers `events/{eventId}`: the status and story of all events with an id. `events?id=` takes an id with a slash. */
export function registerEvents(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'events', ({ params, query }) => answerFor(params.eventId || query.get('id') || '', deps));
}

async function answerFor(eventId: string, { ledger, waiting }: Deps): Promise<HttpResponseInit> {
  if (eventId === '') return httpError(400, 'no-event-id', 'Name an event: /api/events/{eventId}, or /api/events?id=.');
  const idDigest = digest(eventId);
  // Rows first: a job that gets its record between the two reads is then found in one of them.
  const rows = await waiting.find(idDigest);
  const records = await ledger.find(idDigest);
  const events = describeEvents(records, rows);
  return events.length > 0 ? { jsonBody: { events } satisfies z.input<typeof eventsAnswer> } : NOT_FOUND;
}

const NOT_FOUND = httpError(
  404,
  'no-such-event',
  'No job of an event with this id is recorded. An id with a slash goes into /api/events?id=. An event that no ' +
    'workflow wants has no jobs. An invalid event is among the dead letters. Settled jobs are forgotten after ' +
    'LEDGER_RETENTION_DAYS.',
);
