import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Simulator } from '../simulator.js';
import { errorOf } from './json.js';

/** Answers `events` with the last events; `events?subject=Patient/1` with the last events of one resource. */
export function answerEvents({ method, query }: HttpRequest, { recent }: Simulator): HttpResponseInit {
  if (method !== 'GET') return errorOf(405, 'MethodNotAllowed', 'GET lists the last events.');
  return { jsonBody: { events: recent.list(query.get('subject') ?? '') } };
}
