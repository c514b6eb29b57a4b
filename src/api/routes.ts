import { z } from 'zod';
import { accessAnswer } from './access.js';
import { discardBody, listQuery, redriveBody } from './dead-letter-requests.js';
import { changeAnswer, listAnswer, outcomesAnswer, outcomesBody, payloadAnswer, shownAnswer } from './dead-letters.js';
import { changeBodies, eventsAnswer } from './events.js';
import { liveAnswer, readyAnswer, wrongSettingsAnswer } from './health.js';
import { actionList, overview, overviewWithoutStorage, recent } from './overview.js';
import { reconcileAccepted, reconcileBody, reconcileRequest, reconcileRequests } from './reconcile.js';
import type { Route } from './route.js';
import { statsAnswer, statsWithoutStorage } from './stats.js';
import { pauseAnswer, pauseBody, resumeBody, workflowList } from './workflows.js';

const CHANGES = {
  200: { description: 'The events of the change, or of the changes.', schema: eventsAnswer },
  404: { description: 'No job of such a change has begun.' },
  409: { description: 'No setting names the workspace of the service.' },
};
const NO_LETTER = { description: 'No dead letter has this id.' };
const CHANGED = {
  200: { description: 'The number of dead letters by result, and the same in words.', schema: changeAnswer },
};

/** The functions of the HTTP API by their names, without the lookups of workflows, which are in lookupRoute. */
export const ROUTES = {
  healthLive: {
    method: 'GET',
    route: 'health/live',
    authLevel: 'anonymous',
    role: 'anybody',
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
    role: 'Reader',
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
    role: 'signed-in',
    summary: 'This description of the HTTP API, as OpenAPI 3.1.',
    answers: { 200: { description: 'The document.' } },
  },
  access: {
    method: 'GET',
    route: 'access',
    authLevel: 'admin',
    role: 'signed-in',
    summary: 'Who calls, and with which roles: the page offers only what is allowed.',
    answers: { 200: { description: 'The caller; a key of `_master` has all roles.', schema: accessAnswer } },
  },
  stats: {
    method: 'GET',
    route: 'stats',
    authLevel: 'function',
    role: 'Reader',
    summary: 'The counters of this instance, and the rows and dead letters of all instances.',
    answers: {
      200: { description: 'Counts are at most a minute old.', schema: statsAnswer },
      503: { description: 'Storage did not answer: the counters alone.', schema: statsWithoutStorage },
    },
  },
  events: {
    method: 'GET',
    route: 'events/{eventId?}',
    authLevel: 'function',
    role: 'Reader',
    summary: 'What became of the events with an id, by workflow, step by step. An id with a slash goes into `?id=`.',
    query: z.strictObject({ id: z.string().optional() }),
    answers: {
      200: { description: 'The events: several can share an id.', schema: eventsAnswer },
      404: { description: 'No job of an event with this id is recorded.' },
    },
  },
  fhirChanges: {
    method: 'POST',
    route: 'changes/fhir',
    authLevel: 'function',
    role: 'Reader',
    summary: 'What became of a version of a FHIR resource; without `version`, of its newest versions.',
    body: changeBodies.fhir,
    answers: CHANGES,
  },
  dicomChanges: {
    method: 'POST',
    route: 'changes/dicom',
    authLevel: 'function',
    role: 'Reader',
    summary: 'What became of an image; without `version`, of its newest entry in the change feed.',
    body: changeBodies.dicom,
    answers: CHANGES,
  },
  deadLetters: {
    method: 'GET',
    route: 'dead-letters',
    authLevel: 'function',
    role: 'Reader',
    summary:
      'Dead letters by page, in the order of storage; with `by`, counted by the values of these fields, part by part.',
    query: listQuery,
    answers: { 200: { description: 'A page, or the groups.', schema: listAnswer } },
  },
  deadLetter: {
    method: 'GET',
    route: 'dead-letters/{id}',
    authLevel: 'function',
    role: 'Reader',
    summary: 'What is known of a dead letter, without its payload.',
    answers: { 200: { description: 'The dead letter.', schema: shownAnswer }, 404: NO_LETTER },
  },
  deadLetterPayload: {
    method: 'GET',
    route: 'dead-letters/{id}/payload',
    authLevel: 'admin',
    role: 'Operator',
    summary: 'The same, with payload and error message. The log says who has asked.',
    answers: { 200: { description: 'Clinical data.', schema: payloadAnswer }, 404: NO_LETTER },
  },
  redriveDeadLetters: {
    method: 'POST',
    route: 'dead-letters/redrive',
    authLevel: 'admin',
    role: 'Operator',
    summary: 'Lets the app run dead letters again, by ids or by a filter; with one id, a corrected event.',
    body: redriveBody,
    answers: CHANGED,
  },
  discardDeadLetters: {
    method: 'POST',
    route: 'dead-letters/discard',
    authLevel: 'admin',
    role: 'Operator',
    summary: 'Moves dead letters to `resolved/` with a note.',
    body: discardBody,
    answers: CHANGED,
  },
  deadLetterOutcomes: {
    method: 'POST',
    route: 'dead-letters/outcomes',
    authLevel: 'admin',
    role: 'Operator',
    summary: 'Counts what became of dead letters that were redriven.',
    body: outcomesBody,
    answers: { 200: { description: 'The number of ids by outcome. Each id counts once.', schema: outcomesAnswer } },
  },
  overview: {
    method: 'GET',
    route: 'overview',
    authLevel: 'function',
    role: 'Reader',
    summary: 'The last hour of all instances, what is in storage, and what needs a person.',
    answers: {
      200: { description: 'Counts of storage are at most a minute old.', schema: overview },
      503: { description: 'Storage did not answer: what this instance knows.', schema: overviewWithoutStorage },
    },
  },
  recent: {
    method: 'GET',
    route: 'recent',
    authLevel: 'function',
    role: 'Reader',
    summary: 'The last runs of jobs that have ended: up to 50 of each instance, 200 in all, the newest first.',
    answers: { 200: { description: 'The runs.', schema: recent } },
  },
  actions: {
    method: 'GET',
    route: 'actions',
    authLevel: 'function',
    role: 'Reader',
    summary: 'Who has redriven, discarded, paused, resumed or asked to compare, and when: the newest 100.',
    answers: { 200: { description: 'The actions of the last `RESOLVED_RETENTION_DAYS`.', schema: actionList } },
  },
  workflows: {
    method: 'GET',
    route: 'workflows',
    authLevel: 'function',
    role: 'Reader',
    summary: 'Each workflow, what all instances have done for it in the last hour, and its circuits.',
    answers: { 200: { description: 'The workflows.', schema: workflowList } },
  },
  askReconcile: {
    method: 'POST',
    route: 'reconcile',
    authLevel: 'admin',
    role: 'Operator',
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
    role: 'Reader',
    summary: 'All requests to compare, the newest first. One that has ended is listed for 30 days.',
    answers: { 200: { description: 'The requests.', schema: reconcileRequests } },
  },
  reconcileRequest: {
    method: 'GET',
    route: 'reconcile/{id}',
    authLevel: 'admin',
    role: 'Reader',
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
    role: 'Operator',
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
    role: 'Operator',
    summary: 'Resumes a workflow: the jobs that wait run.',
    body: resumeBody,
    answers: {
      200: { description: 'The state that holds. All instances follow within 10 s.', schema: pauseAnswer },
      404: { description: 'Neither the app nor a pause has a workflow of this name.' },
    },
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof ROUTES;
