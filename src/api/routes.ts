import { outcomesAnswer, outcomesBody } from './dead-letters.js';
import { liveAnswer, readyAnswer, wrongSettingsAnswer } from './health.js';
import { reconcileAccepted, reconcileBody, reconcileRequest, reconcileRequests } from './reconcile.js';
import type { Route } from './route.js';
import { statsAnswer, statsWithoutStorage } from './stats.js';
import { pauseAnswer, pauseBody, resumeBody } from './workflows.js';

/** The functions of the HTTP API by their names, without the lookups of workflows, which are in lookupRoute. */
export const ROUTES = {
  healthLive: {
    method: 'GET',
    route: 'health/live',
    authLevel: 'anonymous',
    summary: 'Whether the process answers. Asks nothing of storage.',
    answers: {
      200: { description: 'It does.', schema: liveAnswer },
      503: { description: 'The settings are wrong.', schema: wrongSettingsAnswer },
    },
  },
  healthReady: {
    method: 'GET',
    route: 'health/ready',
    authLevel: 'function',
    summary: 'Whether each part of storage answers.',
    answers: {
      200: { description: 'All parts answer.', schema: readyAnswer },
      503: {
        description: 'A part does not answer, or the settings are wrong.',
        schema: readyAnswer.or(wrongSettingsAnswer),
      },
    },
  },
  openApi: {
    method: 'GET',
    route: 'openapi.json',
    authLevel: 'function',
    summary: 'This description of the HTTP API, as OpenAPI 3.1.',
    answers: { 200: { description: 'The document.' } },
  },
  stats: {
    method: 'GET',
    route: 'stats',
    authLevel: 'function',
    summary: 'The counters of this instance, and the rows and dead letters of all instances.',
    answers: {
      200: { description: 'Counts are at most a minute old.', schema: statsAnswer },
      503: { description: 'Storage did not answer: the counters alone.', schema: statsWithoutStorage },
    },
  },
  deadLetterOutcomes: {
    method: 'POST',
    route: 'dead-letters/outcomes',
    authLevel: 'admin',
    summary: 'Counts what became of dead letters that were redriven.',
    body: outcomesBody,
    answers: { 200: { description: 'The number of ids by outcome. Each id counts once.', schema: outcomesAnswer } },
  },
  askReconcile: {
    method: 'POST',
    route: 'reconcile',
    authLevel: 'admin',
    summary: 'Asks to compare past changes with those that the app knows, and to bring in what is missing.',
    body: reconcileBody,
    answers: {
      202: { description: 'The timer `reconcile` works on it from the next minute on.', schema: reconcileAccepted },
    },
  },
  reconcileRequests: {
    method: 'GET',
    route: 'reconcile',
    authLevel: 'admin',
    summary: 'All requests to compare, the newest first. One that has ended is listed for 30 days.',
    answers: { 200: { description: 'The requests.', schema: reconcileRequests } },
  },
  reconcileRequest: {
    method: 'GET',
    route: 'reconcile/{id}',
    authLevel: 'admin',
    summary: 'How far a request to compare is.',
    answers: {
      200: { description: 'The request.', schema: reconcileRequest },
      404: { description: 'No request has this id.' },
    },
  },
  pauseWorkflow: {
    method: 'POST',
    route: 'workflows/{name}/pause',
    authLevel: 'admin',
    summary: 'Pauses a workflow: its jobs wait until somebody resumes it.',
    body: pauseBody,
    answers: {
      200: { description: 'The pause that holds. All instances follow within 10 s.', schema: pauseAnswer },
      404: { description: 'The app has no workflow of this name.' },
    },
  },
  resumeWorkflow: {
    method: 'POST',
    route: 'workflows/{name}/resume',
    authLevel: 'admin',
    summary: 'Resumes a workflow: the jobs that wait run.',
    body: resumeBody,
    answers: {
      200: { description: 'The state that holds. All instances follow within 10 s.', schema: pauseAnswer },
      404: { description: 'Neither the app nor a pause has a workflow of this name.' },
    },
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof ROUTES;
