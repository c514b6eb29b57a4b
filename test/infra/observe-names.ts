/**
 * What the queries may name. The columns are those that Microsoft documents (azure/azure-monitor/reference/tables);
 * the platform's metrics, too (azure/azure-monitor/reference/supported-metrics). The app's own are in one place, here.
 */

const EVERY_APP_TABLE = {
  AppRoleInstance: 'string',
  AppRoleName: 'string',
  AppVersion: 'string',
  ItemCount: 'int',
  OperationId: 'string',
  OperationName: 'string',
  ParentId: 'string',
  Properties: 'dynamic',
  SDKVersion: 'string',
  TimeGenerated: 'datetime',
  Type: 'string',
  _ResourceId: 'string',
};

/** Those of their columns that a query of ours might want. */
export const TABLES: Record<string, Record<string, string>> = {
  AppMetrics: { ...EVERY_APP_TABLE, Name: 'string', Sum: 'real', Min: 'real', Max: 'real' },
  AppTraces: { ...EVERY_APP_TABLE, Message: 'string', SeverityLevel: 'int', Measurements: 'dynamic' },
  AppRequests: {
    ...EVERY_APP_TABLE,
    Name: 'string',
    Success: 'bool',
    ResultCode: 'string',
    DurationMs: 'real',
    Id: 'string',
    Measurements: 'dynamic',
    Source: 'string',
    Url: 'string',
  },
  AppExceptions: {
    ...EVERY_APP_TABLE,
    ExceptionType: 'string',
    ProblemId: 'string',
    OuterMessage: 'string',
    OuterType: 'string',
    InnermostMessage: 'string',
    InnermostType: 'string',
    SeverityLevel: 'int',
    Details: 'dynamic',
  },
};

/** `undefined`: any word, such as the name of a workflow. */
type Values = readonly string[] | undefined;
export type Metric = { kind: 'counter' | 'gauge' | 'histogram'; attributes: Record<string, Values> };

const workflow = undefined;

/** The app's metrics, as the exporter names them: a row of AppMetrics each, attributes in Properties. */
export const METRICS: Record<string, Metric> = {
  'ahds.events': {
    kind: 'counter',
    attributes: { outcome: ['taken', 'ignored', 'invalid', 'not-safe'], type: undefined },
  },
  'ahds.jobs': {
    kind: 'counter',
    attributes: {
      workflow,
      outcome: ['completed', 'superseded', 'dead-lettered', 'retried', 'put-off', 'duplicate', 'shared'],
    },
  },
  'ahds.jobs.settled': {
    kind: 'counter',
    attributes: {
      workflow,
      outcome: ['completed', 'superseded', 'dead-lettered'],
      lag: ['within-1s', 'within-5s', 'over-5s', 'redriven'],
    },
  },
  'ahds.job.lag': {
    kind: 'histogram',
    attributes: { workflow, outcome: ['completed', 'superseded', 'dead-lettered'] },
  },
  'ahds.workflow.duration': { kind: 'histogram', attributes: { workflow, outcome: ['done', 'failed', 'aborted'] } },
  'ahds.job.tries': {
    kind: 'histogram',
    attributes: { workflow, outcome: ['completed', 'superseded', 'dead-lettered'] },
  },
  'ahds.dead_letters.pending': {
    kind: 'gauge',
    attributes: { stage: ['invalid', 'failed', 'crash', 'unknown-workflow'] },
  },
  'ahds.dead_letters.oldest_age': { kind: 'gauge', attributes: {} },
  'ahds.undelivered.pending': { kind: 'gauge', attributes: {} },
  'ahds.undelivered.oldest_age': { kind: 'gauge', attributes: {} },
  'ahds.waiting.rows': { kind: 'gauge', attributes: {} },
  'ahds.waiting.overdue': { kind: 'gauge', attributes: {} },
  'ahds.leases.taken_over': { kind: 'counter', attributes: { workflow } },
  'ahds.leases.lost': { kind: 'counter', attributes: { workflow } },
  'ahds.ids.reused': { kind: 'counter', attributes: {} },
  'ahds.circuits.opened': { kind: 'counter', attributes: { workflow } },
  'ahds.reads': {
    kind: 'counter',
    attributes: { service: ['fhir', 'dicom'], outcome: ['done', 'gone', 'failed'] },
  },
  'ahds.tasks.failed': { kind: 'counter', attributes: { workflow } },
};

/** Metrics of Azure's resources, with the dimensions that they have. `Transaction` is their group in a workbook. */
export const PLATFORM_METRICS: Record<string, { group: string; metrics: Record<string, readonly string[]> }> = {
  'microsoft.eventgrid/systemtopics': {
    group: '',
    metrics: {
      DeadLetteredCount: ['DeadLetterReason', 'EventSubscriptionName'],
      DeliveryAttemptFailCount: ['Error', 'ErrorType', 'EventSubscriptionName'],
      DeliverySuccessCount: ['EventSubscriptionName'],
      DestinationProcessingDurationInMs: ['EventSubscriptionName'],
      DroppedEventCount: ['DropReason', 'EventSubscriptionName'],
      MatchedEventCount: ['EventSubscriptionName'],
      PublishFailCount: ['ErrorType', 'Error'],
      PublishSuccessCount: [],
      PublishSuccessLatencyInMs: [],
      ServerDeliverySuccessRate: ['EventSubscriptionName'],
      UnmatchedEventCount: [],
    },
  },
  'microsoft.storage/storageaccounts': {
    group: 'Transaction',
    metrics: {
      Transactions: ['ResponseType', 'GeoType', 'ApiName', 'Authentication'],
      SuccessE2ELatency: ['GeoType', 'ApiName', 'Authentication'],
      SuccessServerLatency: ['GeoType', 'ApiName', 'Authentication'],
      Availability: ['GeoType', 'ApiName', 'Authentication'],
    },
  },
};

/** What Azure Storage calls an answer that it gives for being asked too much. */
export const THROTTLED = [
  'ServerBusyError',
  'ClientThrottlingError',
  'ClientAccountRequestThrottlingError',
  'ClientAccountBandwidthThrottlingError',
];
