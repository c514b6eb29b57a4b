import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Simulator } from '../simulator.js';
import { errorOf } from './json.js';

/** `events`: the last that were published, `events?subject=Patient/1`: of one resource. */
export function answerEvents({ method, query }: HttpRequest, { recent }: Simulator): HttpResponseInit {
  if (method !== 'GET') return errorOf(405, 'MethodNotAllowed', 'GET lists the last events.');
  return { jsonBody: { events: recent.list(query.get('subject') ?? '') } };
}
