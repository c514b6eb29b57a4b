import type { EventStatus } from '../../src/api/events.js';
import type { Overview, RecentJob } from '../../src/api/overview.js';
import type { WorkflowStatus } from '../../src/api/workflows.js';

// Answers of the app in states that a test cannot bring about quickly.

const NOW_MS = Date.parse('2026-03-14T12:00:00Z');
const at = (secondsAgo: number) => new Date(NOW_MS - secondsAgo * 1000).toISOString();
const MINUTES = Array.from({ length: 60 }, (_, index) => index);
const wave = (index: number, mean: number, swing: number) => Math.round(mean + swing * Math.sin(index / 6));

function minutesOf(share: number): Overview['minutes'] {
  const events = MINUTES.map((index) => Math.round(share * wave(index, 900, 400)));
  return {
    at: MINUTES.map((index) => Math.floor(NOW_MS / 60_000) * 60 - (59 - index) * 60),
    events,
    completed: events.map((count) => Math.round(count * 0.97)),
    superseded: events.map((count) => Math.round(count * 0.02)),
    deadLettered: MINUTES.map((index) => (index > 40 && index < 45 ? 12 : 0)),
    retried: MINUTES.map((index) => (index > 38 && index < 46 ? 60 : 2)),
    lagP50: MINUTES.map((index) => (index > 38 && index < 46 ? 0.9 : 0.12 + (index % 7) / 100)),
    lagP99: MINUTES.map((index) => (index > 38 && index < 46 ? 5.6 : 0.6 + (index % 5) / 10)),
    missing: MINUTES.map((index) => (index === 50 ? 3 : 0)),
  };
}

const instances: Overview['instances'] = [
  {
    id: 'k3Jd0x',
    isThis: true,
    state: 'running',
    startedAt: at(86_400),
    seenAt: at(4),
    eventsPerSecond: 9.1,
    minutes: minutesOf(0.6),
  },
  {
    id: 'p7Wq2a',
    isThis: false,
    state: 'running',
    startedAt: at(7200),
    seenAt: at(7),
    eventsPerSecond: 6.2,
    minutes: minutesOf(0.4),
  },
  {
    id: 'a1Bc9z',
    isThis: false,
    state: 'silent',
    startedAt: at(90_000),
    seenAt: at(1900),
    eventsPerSecond: 0,
    minutes: minutesOf(0),
  },
];

/** An app in which all is well. */
export const greenOverview: Overview = {
  now: at(0),
  level: 'green',
  problems: [],
  eventsPerSecond: 15.3,
  minutes: minutesOf(1),
  instances,
  countedAt: at(20),
  waiting: { rows: 12, isMore: false, earliestDueAt: at(-40) },
  deadLetters: {
    pending: { failed: 0, invalid: 0, crash: 0, 'unknown-workflow': 0 },
    byReason: {},
    isMore: false,
    oldestAt: null,
  },
  undelivered: { blobs: 0, unreadable: 0, isMore: false, oldestAt: null },
  compared: [
    {
      ...{ service: 'fhir', host: 'clinic-main.fhir.azurehealthcareapis.com', upTo: at(700), behindSeconds: 700 },
      ...{ compared: 58_511, missing: 3, broughtIn: 3 },
    },
  ],
};

/** An app that needs help. */
export const redOverview: Overview = {
  ...greenOverview,
  level: 'red',
  problems: [
    {
      level: 'red',
      code: 'circuit-open',
      workflow: 'fragile',
      message: 'The circuit of fragile has been open for 12 minutes: its receiver fails. Check the receiver.',
    },
    {
      level: 'amber',
      code: 'dead-letters',
      message: `10,412 dead letters are pending, the oldest since ${at(50_000)}. Find their cause, then redrive them.`,
    },
    {
      level: 'amber',
      code: 'undelivered',
      message: 'Event Grid has given up on the events of 4 blobs. The timer imports them.',
    },
  ],
  deadLetters: {
    pending: { failed: 10_400, invalid: 12, crash: 0, 'unknown-workflow': 0 },
    byReason: { 'non-retriable': 10_000, 'tries-spent': 400, invalid: 12 },
    isMore: false,
    oldestAt: at(50_000),
  },
  undelivered: { blobs: 4, unreadable: 0, isMore: false, oldestAt: at(4000) },
};

const workflow: WorkflowStatus = {
  name: 'resource-index',
  on: ['fhir * created,updated,deleted'],
  ordering: 'latest',
  timeoutSeconds: 10,
  maxTries: 20,
  concurrency: 16,
  paused: null,
  lastHour: { completed: 52_380, superseded: 1080, deadLettered: 0, retried: 6, durationP50: 0.02, durationP99: 0.3 },
  circuits: [],
};
export const workflows: readonly WorkflowStatus[] = [
  workflow,
  {
    ...workflow,
    name: 'fragile',
    on: ['fhir Observation created,updated'],
    ordering: 'any',
    lastHour: { ...workflow.lastHour, completed: 100, deadLettered: 48 },
    circuits: [
      { instance: 'k3Jd0x', state: 'open', failuresInARow: 31, openSince: at(720), nextProbeAt: at(-20) },
      { instance: 'p7Wq2a', state: 'closed', failuresInARow: 2, openSince: null, nextProbeAt: null },
    ],
  },
  { ...workflow, name: 'patient-registry', paused: { since: at(3600), by: 'key-holder', why: 'The registry moves.' } },
];

export const recentJobs: readonly RecentJob[] = Array.from({ length: 25 }, (_, index) => ({
  at: at(index * 2),
  instance: index % 2 ? 'k3Jd0x' : 'p7Wq2a',
  eventId: `event-${100 - index}`,
  type: 'Microsoft.HealthcareApis.FhirResourceUpdated',
  resourceType: index % 3 ? 'Observation' : 'Patient',
  workflow: index % 3 ? 'fragile' : 'resource-index',
  outcome: index % 6 === 1 ? 'dead-lettered' : index % 6 === 4 ? 'retried' : 'completed',
  try: 1 + (index % 4),
  durationMs: 12 + index * 7,
  errorCode: index % 6 === 1 ? 'NonRetriableError' : '',
}));

export const story: EventStatus = {
  id: 'event-7',
  type: 'Microsoft.HealthcareApis.FhirResourceUpdated',
  source: '/subscriptions/1/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
  time: at(600),
  state: 'settled',
  workflows: {
    'resource-index': {
      status: 'completed',
      tries: 1,
      steps: [
        { at: at(599), what: 'claimed' },
        { at: at(598.9), what: 'completed' },
      ],
    },
    fragile: {
      status: 'dead-lettered',
      tries: 3,
      error: 'timeout',
      deadLetter: 'failed.2026-03-14.AAAAAAAAAAAAAAAAAAAAAA.0',
      steps: [
        { at: at(599), what: 'claimed' },
        { at: at(589), what: 'retry', code: 'timeout', until: at(560) },
        { at: at(560), what: 'taken-over' },
        { at: at(550), what: 'wait', code: 'resource-busy', until: at(540) },
        { at: at(540), what: 'claimed' },
        { at: at(530), what: 'dead-lettered', code: 'timeout' },
      ],
    },
  },
};
