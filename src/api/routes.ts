import * as z from 'zod';
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

const EVENTS_OF_CHANGE = {
  200: { description: 'The events of the change, or of the changes.', schema: eventsAnswer },
  404: { description: 'No job of such a change has begun.' },
  409: { description: 'No setting names the workspace of the service.' },
};
const NO_DEAD_LETTER = { description: 'No dead letter has this id.' };
const DEAD_LETTERS_CHANGED = {
  200: { description: 'The number of dead letters by result, and the same in words.', schema: changeAnswer },
};

/** Shows data: for any key, or the role Reader. */
const READS = { method: 'GET', authLevel: 'function', role: 'Reader' } as const;
/** Changes something: for the key `_master`, or the role Operator. */
const ACTS = { method: 'POST', authLevel: 'admin', role: 'Operator' } as const;

/** The functions of the HTTP API by their names, without the lookups of workflows, which are in lookupRoute. */
export const ROUTES = {
  healthLive: {
    method: 'GET',
    route: 'health/live',
    authLevel: 'anonymous',
    role: 'anybody',
    summary: 'Says whether the process answers, without a request to storage.',
    answers: {
      200: { description: 'The process answers.', schema: liveAnswer },
      503: { description: 'The settings are wrong.', schema: wrongSettingsAnswer },
    },
  },
  healthReady: {
    ...READS,
    route: 'health/ready',
    summary: 'Says whether each part of storage answers.',
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
    summary: 'Returns this description of the HTTP API, as OpenAPI 3.1.',
    answers: { 200: { description: 'The document.' } },
  },
  access: {
    method: 'GET',
    route: 'access',
    authLevel: 'admin',
    role: 'signed-in',
    summary: 'Says who calls, and with which roles. A key of `_master` has all roles.',
    answers: { 200: { description: 'The caller.', schema: accessAnswer } },
  },
  stats: {
    ...READS,
    route: 'stats',
    summary:
      'Counts what this instance has done, and the rows and dead letters of all instances, at most a minute ago.',
    answers: {
      200: { description: 'The counts.', schema: statsAnswer },
      503: { description: 'Storage did not answer: the counts of this instance alone.', schema: statsWithoutStorage },
    },
  },
  events: {
    ...READS,
    route: 'events/{eventId?}',
    summary:
      'Shows what became of the events with an id, by workflow, step by step. Several events can share an id. An id with a ' +
      'slash goes into `?id=`.',
    query: z.strictObject({ id: z.string().optional() }),
    answers: {
      200: { description: 'The events.', schema: eventsAnswer },
      404: { description: 'No job of an event with this id is recorded.' },
    },
  },
  fhirChanges: {
    method: 'POST',
    route: 'changes/fhir',
    authLevel: 'function',
    role: 'Reader',
    summary: 'Shows what became of a version of a FHIR resource; without `version`, of its newest versions.',
    body: changeBodies.fhir,
    answers: EVENTS_OF_CHANGE,
  },
  dicomChanges: {
    method: 'POST',
    route: 'changes/dicom',
    authLevel: 'function',
    role: 'Reader',
    summary: 'Shows what became of an image; without `version`, of its newest entry in the change feed.',
    body: changeBodies.dicom,
    answers: EVENTS_OF_CHANGE,
  },
  deadLetters: {
    ...READS,
    route: 'dead-letters',
    summary: 'Lists dead letters by page. With `by`: counts them by the values of these fields, part by part.',
    query: listQuery,
    answers: { 200: { description: 'A page, or the groups.', schema: listAnswer } },
  },
  deadLetter: {
    ...READS,
    route: 'dead-letters/{id}',
    summary: 'Shows a dead letter without its payload.',
    answers: { 200: { description: 'The dead letter.', schema: shownAnswer }, 404: NO_DEAD_LETTER },
  },
  deadLetterPayload: {
    method: 'GET',
    route: 'dead-letters/{id}/payload',
    authLevel: 'admin',
    role: 'Operator',
    summary: 'Shows a dead letter with payload and error message: clinical data. The log says who has asked.',
    answers: { 200: { description: 'The dead letter with its payload.', schema: payloadAnswer }, 404: NO_DEAD_LETTER },
  },
  redriveDeadLetters: {
    ...ACTS,
    route: 'dead-letters/redrive',
    summary: 'Lets the app run dead letters again, by ids or by a filter. With one id: also a corrected event.',
    body: redriveBody,
    answers: DEAD_LETTERS_CHANGED,
  },
  discardDeadLetters: {
    ...ACTS,
    route: 'dead-letters/discard',
    summary: 'Moves dead letters to `resolved/` with a note.',
    body: discardBody,
    answers: DEAD_LETTERS_CHANGED,
  },
  deadLetterOutcomes: {
    ...ACTS,
    route: 'dead-letters/outcomes',
    summary: 'Counts what became of redriven dead letters. Each id counts once.',
    body: outcomesBody,
    answers: { 200: { description: 'The number of ids by outcome.', schema: outcomesAnswer } },
  },
  overview: {
    ...READS,
    route: 'overview',
    summary: 'Shows the last hour of all instances, what was in storage at most a minute ago, and what needs a person.',
    answers: {
      200: { description: 'The overview.', schema: overview },
      503: { description: 'Storage did not answer: what this instance knows.', schema: overviewWithoutStorage },
    },
  },
  recent: {
    ...READS,
    route: 'recent',
    summary: 'Lists the last runs of jobs that have ended: up to 50 of each instance, 200 in all, the newest first.',
    answers: { 200: { description: 'The runs.', schema: recent } },
  },
  actions: {
    ...READS,
    route: 'actions',
    summary:
      'Lists who has redriven, discarded, paused, resumed or asked to compare: the newest 100 of the last ' +
      '`RESOLVED_RETENTION_DAYS`.',
    answers: { 200: { description: 'The actions.', schema: actionList } },
  },
  workflows: {
    ...READS,
    route: 'workflows',
    summary: 'Lists the workflows: what all instances have done for each in the last hour, its circuits and its pause.',
    answers: { 200: { description: 'The workflows.', schema: workflowList } },
  },
  askReconcile: {
    ...ACTS,
    route: 'reconcile',
    summary:
      'Asks to compare past changes with those that the app knows, and to bring in what is missing. The work begins within ' +
      'a minute.',
    body: reconcileBody,
    answers: {
      202: { description: 'The id of the request.', schema: reconcileAccepted },
    },
  },
  reconcileRequests: {
    method: 'GET',
    route: 'reconcile',
    authLevel: 'admin',
    role: 'Reader',
    summary: 'Lists all requests to compare, the newest first. A request that has ended is listed for 30 days.',
    answers: { 200: { description: 'The requests.', schema: reconcileRequests } },
  },
  reconcileRequest: {
    method: 'GET',
    route: 'reconcile/{id}',
    authLevel: 'admin',
    role: 'Reader',
    summary: 'Shows how far a request to compare is.',
    answers: {
      200: { description: 'The request.', schema: reconcileRequest },
      404: { description: 'No request has this id.' },
    },
  },
  pauseWorkflow: {
    ...ACTS,
    route: 'workflows/{name}/pause',
    summary: 'Pauses a workflow: its jobs wait until somebody resumes it. All instances follow within 10 s.',
    body: pauseBody,
    answers: {
      200: { description: 'The pause that holds.', schema: pauseAnswer },
      404: { description: 'The app has no workflow of this name.' },
    },
  },
  resumeWorkflow: {
    ...ACTS,
    route: 'workflows/{name}/resume',
    summary: 'Resumes a workflow: the jobs that wait run. All instances follow within 10 s.',
    body: resumeBody,
    answers: {
      200: { description: 'The state that holds.', schema: pauseAnswer },
      404: { description: 'Neither the app nor a pause has a workflow of this name.' },
    },
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof ROUTES;
