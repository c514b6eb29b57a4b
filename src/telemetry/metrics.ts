/**
 * A metric of the app. The values of an attribute are a list, or the names of workflows. So no value of an event fits in,
 * and the number of series is bounded. The bounds of histograms are for OTLP: Azure Monitor keeps sum, count, minimum and
 * maximum of an interval, and no buckets. Hence `jobsSettled` counts by lag.
 */
export type Metric = {
  readonly name: `ahds.${string}`;
  readonly unit: string;
  readonly description: string;
  readonly attributes: Readonly<Record<string, readonly string[] | typeof WORKFLOW>>;
} & ({ readonly kind: 'counter' | 'gauge' } | { readonly kind: 'histogram'; readonly bounds: readonly number[] });

/** Instead of a list: the name of a workflow in this process, or of one that is paused; else `unknown`. */
export const WORKFLOW: unique symbol = Symbol('the name of a workflow');

const TYPES = [
  'Microsoft.HealthcareApis.FhirResourceCreated',
  'Microsoft.HealthcareApis.FhirResourceUpdated',
  'Microsoft.HealthcareApis.FhirResourceDeleted',
  'Microsoft.HealthcareApis.DicomImageCreated',
  'Microsoft.HealthcareApis.DicomImageUpdated',
  'Microsoft.HealthcareApis.DicomImageDeleted',
  'unknown',
] as const;
/** The reasons of dead letters. A dead letter with another reason, such as an unreadable one, is in no series. */
export const REASONS = [
  'invalid',
  'unknown-type',
  'too-large',
  'workspace-not-listed',
  'non-retriable',
  'tries-spent',
  'gave-up',
  'failed',
  'crash',
  'unknown-workflow',
] as const;
const SERVICES = ['fhir', 'dicom'] as const;
const SETTLED = ['completed', 'superseded', 'dead-lettered'] as const;

/** All metrics. Dashboards and alerts are tested against this list. */
export const METRICS = {
  events: {
    name: 'ahds.events',
    kind: 'counter',
    unit: '{event}',
    description:
      'Events received, by outcome. not-safe: in a POST that was answered with 500, so Event Grid sends it again.',
    attributes: { outcome: ['taken', 'ignored', 'invalid', 'not-safe'], type: TYPES },
  },
  jobs: {
    name: 'ahds.jobs',
    kind: 'counter',
    unit: '{job}',
    description:
      'Runs of jobs, by outcome. A job that is retried or deferred (put-off) is counted again at its next run.',
    attributes: {
      workflow: WORKFLOW,
      outcome: [...SETTLED, 'retried', 'put-off', 'duplicate', 'shared'],
    },
  },
  jobsSettled: {
    name: 'ahds.jobs.settled',
    kind: 'counter',
    unit: '{job}',
    description: 'Settled jobs, by the time since their event. Jobs of events without a time are left out.',
    attributes: { workflow: WORKFLOW, outcome: SETTLED, lag: ['within-1s', 'within-5s', 'over-5s', 'redriven'] },
  },
  jobLag: {
    name: 'ahds.job.lag',
    kind: 'histogram',
    unit: 's',
    description: 'The time from an event until its job is settled, without redriven jobs.',
    attributes: { workflow: WORKFLOW, outcome: SETTLED },
    bounds: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600],
  },
  workflowDuration: {
    name: 'ahds.workflow.duration',
    kind: 'histogram',
    unit: 's',
    description: 'How long a handler ran, for each try.',
    attributes: { workflow: WORKFLOW, outcome: ['done', 'failed', 'aborted'] },
    bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 60, 300, 1500],
  },
  jobTries: {
    name: 'ahds.job.tries',
    kind: 'histogram',
    unit: '{try}',
    description: 'The number of tries of a settled job.',
    attributes: { workflow: WORKFLOW, outcome: SETTLED },
    bounds: [1, 2, 3, 4, 5, 6, 8, 10, 15, 20],
  },
  leasesTakenOver: {
    name: 'ahds.leases.taken_over',
    kind: 'counter',
    unit: '{lease}',
    description: 'Jobs taken over from a process that died, or that was suspended for longer than a lease.',
    attributes: { workflow: WORKFLOW },
  },
  leasesLost: {
    name: 'ahds.leases.lost',
    kind: 'counter',
    unit: '{lease}',
    description: 'Jobs that this process lost because it could not renew their lease.',
    attributes: { workflow: WORKFLOW },
  },
  idsReused: {
    name: 'ahds.ids.reused',
    kind: 'counter',
    unit: '{event}',
    description: 'Events whose id this process has recently seen with other data. Both events are processed.',
    attributes: {},
  },
  circuitsOpened: {
    name: 'ahds.circuits.opened',
    kind: 'counter',
    unit: '{circuit}',
    description: 'Circuits that opened: after many failures in a row a workflow runs one job at a time.',
    attributes: { workflow: WORKFLOW },
  },
  workflowPaused: {
    name: 'ahds.workflow.paused',
    kind: 'gauge',
    unit: 's',
    description: 'How long a workflow has been paused; 0 if it is not.',
    attributes: { workflow: WORKFLOW },
  },
  reads: {
    name: 'ahds.reads',
    kind: 'counter',
    unit: '{read}',
    description: 'Reads of the FHIR and DICOM services. The tries of a read count once.',
    attributes: { service: SERVICES, outcome: ['done', 'gone', 'failed'] },
  },
  changesCompared: {
    name: 'ahds.changes.compared',
    kind: 'counter',
    unit: '{change}',
    description: "Changes of the services' histories that the continuous comparison has looked up.",
    attributes: { service: SERVICES },
  },
  changesMissing: {
    name: 'ahds.changes.missing',
    kind: 'counter',
    unit: '{change}',
    description:
      'Changes of these that no job knew: Event Grid has not delivered their events. The app brings them in.',
    attributes: { service: SERVICES },
  },
  comparisonAge: {
    name: 'ahds.changes.compared_age',
    kind: 'gauge',
    unit: 's',
    description:
      'The age of the newest change compared, of the service of this kind that is furthest behind. At least 600 s: ' +
      'newer changes are not compared.',
    attributes: { service: SERVICES },
  },
  tasksFailed: {
    name: 'ahds.tasks.failed',
    kind: 'counter',
    unit: '{run}',
    description: "Failed runs of workflows' tasks.",
    attributes: { workflow: WORKFLOW },
  },
  deadLettersPending: {
    name: 'ahds.dead_letters.pending',
    kind: 'gauge',
    unit: '{letter}',
    description: 'Pending dead letters, by stage.',
    attributes: { stage: ['invalid', 'failed', 'crash', 'unknown-workflow'] },
  },
  deadLettersByReason: {
    name: 'ahds.dead_letters.by_reason',
    kind: 'gauge',
    unit: '{letter}',
    description: 'Pending dead letters, by reason.',
    attributes: { reason: REASONS },
  },
  deadLettersOldestAge: {
    name: 'ahds.dead_letters.oldest_age',
    kind: 'gauge',
    unit: 's',
    description: 'The age of the oldest pending dead letter; 0 if there is none.',
    attributes: {},
  },
  undeliveredPending: {
    name: 'ahds.undelivered.pending',
    kind: 'gauge',
    unit: '{blob}',
    description: "Pending blobs of Event Grid's own dead letters.",
    attributes: {},
  },
  undeliveredUnreadable: {
    name: 'ahds.undelivered.unreadable',
    kind: 'gauge',
    unit: '{blob}',
    description: "Blobs of Event Grid's own dead letters that the app cannot import, and that are not resolved.",
    attributes: {},
  },
  undeliveredOldestAge: {
    name: 'ahds.undelivered.oldest_age',
    kind: 'gauge',
    unit: 's',
    description: "The age of the oldest of Event Grid's own dead letters; 0 if there is none.",
    attributes: {},
  },
  waitingRows: {
    name: 'ahds.waiting.rows',
    kind: 'gauge',
    unit: '{row}',
    description: 'Rows: jobs that wait for their next try, or for a slot.',
    attributes: {},
  },
  waitingOverdue: {
    name: 'ahds.waiting.overdue',
    kind: 'gauge',
    unit: 's',
    description: 'How long the earliest row has been due; 0 if no row is due.',
    attributes: {},
  },
  queuedEvents: {
    name: 'ahds.queued_events.messages',
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages of the queue events, and of its poison queue. Only where INGRESS is queue.',
    attributes: { queue: ['events', 'poison'] },
  },
  queuedEventsOldestAge: {
    name: 'ahds.queued_events.oldest_age',
    kind: 'gauge',
    unit: 's',
    description: 'The age of the oldest visible message of both; 0 if there is none.',
    attributes: {},
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

export type AttributesOf<M extends MetricName> = {
  readonly [A in keyof (typeof METRICS)[M]['attributes']]: (typeof METRICS)[M]['attributes'][A] extends readonly (infer Value)[]
    ? Value
    : string;
};
