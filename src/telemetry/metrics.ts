/**
 * Every metric of the app. What an attribute can be is a list, or the name of a workflow that runs here: nothing of an
 * event fits in, and how many series there are is bounded. Bounds of histograms are for OTLP: Azure Monitor keeps the
 * sum, the count, the least and the most of an interval, and no buckets. Hence `jobsSettled`, which counts by lag.
 */
export type Metric = {
  readonly name: `ahds.${string}`;
  readonly unit: string;
  readonly description: string;
  readonly attributes: Readonly<Record<string, readonly string[] | typeof WORKFLOW>>;
} & ({ readonly kind: 'counter' | 'gauge' } | { readonly kind: 'histogram'; readonly bounds: readonly number[] });

/** In the place of a list: the name of a workflow that this process has, else `unknown`. */
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
/** Of dead letters; what is none of them, such as one that cannot be read, is in no series. */
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
const SETTLED = ['completed', 'superseded', 'dead-lettered'] as const;

export const METRICS = {
  events: {
    name: 'ahds.events',
    kind: 'counter',
    unit: '{event}',
    description:
      'What came, by what it was taken for. not-safe: in a POST that was answered with 500, and comes again.',
    attributes: { outcome: ['taken', 'ignored', 'invalid', 'not-safe'], type: TYPES },
  },
  jobs: {
    name: 'ahds.jobs',
    kind: 'counter',
    unit: '{job}',
    description: 'What became of jobs. One that is retried or put off is counted again when it comes again.',
    attributes: {
      workflow: WORKFLOW,
      outcome: [...SETTLED, 'retried', 'put-off', 'duplicate', 'shared'],
    },
  },
  jobsSettled: {
    name: 'ahds.jobs.settled',
    kind: 'counter',
    unit: '{job}',
    description:
      'Jobs that are settled, by how long after their event; those of events that have no time are left out.',
    attributes: { workflow: WORKFLOW, outcome: SETTLED, lag: ['within-1s', 'within-5s', 'over-5s', 'redriven'] },
  },
  jobLag: {
    name: 'ahds.job.lag',
    kind: 'histogram',
    unit: 's',
    description: "From an event's time until its job is settled; not of what was redriven.",
    attributes: { workflow: WORKFLOW, outcome: SETTLED },
    bounds: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600],
  },
  workflowDuration: {
    name: 'ahds.workflow.duration',
    kind: 'histogram',
    unit: 's',
    description: 'How long a handler ran, each try by itself.',
    attributes: { workflow: WORKFLOW, outcome: ['done', 'failed', 'aborted'] },
    bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 60, 300, 1500],
  },
  jobTries: {
    name: 'ahds.job.tries',
    kind: 'histogram',
    unit: '{try}',
    description: 'How many tries a job has taken when it is settled.',
    attributes: { workflow: WORKFLOW, outcome: SETTLED },
    bounds: [1, 2, 3, 4, 5, 6, 8, 10, 15, 20],
  },
  leasesTakenOver: {
    name: 'ahds.leases.taken_over',
    kind: 'counter',
    unit: '{lease}',
    description: 'Jobs taken over from a process that died, or that stood still for longer than a lease.',
    attributes: { workflow: WORKFLOW },
  },
  leasesLost: {
    name: 'ahds.leases.lost',
    kind: 'counter',
    unit: '{lease}',
    description: 'Jobs that this process had to let go of, since it could not renew their lease.',
    attributes: { workflow: WORKFLOW },
  },
  idsReused: {
    name: 'ahds.ids.reused',
    kind: 'counter',
    unit: '{event}',
    description: 'Events whose id this process has just seen with other data. Both are processed.',
    attributes: {},
  },
  circuitsOpened: {
    name: 'ahds.circuits.opened',
    kind: 'counter',
    unit: '{circuit}',
    description: 'Workflows that have failed so often in a row that one job at a time is tried.',
    attributes: { workflow: WORKFLOW },
  },
  reads: {
    name: 'ahds.reads',
    kind: 'counter',
    unit: '{read}',
    description: 'Reads of the FHIR and DICOM services, tries counted as one.',
    attributes: { service: ['fhir', 'dicom'], outcome: ['done', 'gone', 'failed'] },
  },
  tasksFailed: {
    name: 'ahds.tasks.failed',
    kind: 'counter',
    unit: '{run}',
    description: "Runs of a workflow's task that have failed.",
    attributes: { workflow: WORKFLOW },
  },
  deadLettersPending: {
    name: 'ahds.dead_letters.pending',
    kind: 'gauge',
    unit: '{letter}',
    description: 'Dead letters that nobody has dealt with.',
    attributes: { stage: ['invalid', 'failed', 'crash', 'unknown-workflow'] },
  },
  deadLettersByReason: {
    name: 'ahds.dead_letters.by_reason',
    kind: 'gauge',
    unit: '{letter}',
    description: 'The same, by reason.',
    attributes: { reason: REASONS },
  },
  deadLettersOldestAge: {
    name: 'ahds.dead_letters.oldest_age',
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest of them; 0 where there is none.',
    attributes: {},
  },
  undeliveredPending: {
    name: 'ahds.undelivered.pending',
    kind: 'gauge',
    unit: '{blob}',
    description: "Blobs of Event Grid's own dead letters.",
    attributes: {},
  },
  undeliveredUnreadable: {
    name: 'ahds.undelivered.unreadable',
    kind: 'gauge',
    unit: '{blob}',
    description: 'Blobs among them that the app cannot import, and that no person has dealt with.',
    attributes: {},
  },
  undeliveredOldestAge: {
    name: 'ahds.undelivered.oldest_age',
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest of them; 0 where there is none.',
    attributes: {},
  },
  waitingRows: {
    name: 'ahds.waiting.rows',
    kind: 'gauge',
    unit: '{row}',
    description: 'Jobs that wait for their next try, or for a place.',
    attributes: {},
  },
  waitingOverdue: {
    name: 'ahds.waiting.overdue',
    kind: 'gauge',
    unit: 's',
    description: 'How long the earliest of them has been due; 0 where none is.',
    attributes: {},
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

export type AttributesOf<M extends MetricName> = {
  readonly [A in keyof (typeof METRICS)[M]['attributes']]: (typeof METRICS)[M]['attributes'][A] extends readonly (infer Value)[]
    ? Value
    : string;
};
