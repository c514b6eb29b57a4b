import { METRICS as APP_METRICS, type Metric as AppMetric, WORKFLOW } from '../../src/telemetry/metrics.js';

/**
 * The names that queries may use. Microsoft documents the columns (azure/azure-monitor/reference/tables) and the
 * platform metrics (azure/azure-monitor/reference/supported-metrics).
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

/** The tables of the workspace, each with the columns that the app's queries may use. */
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

/** `undefined` as the values of an attribute: any word, such as the name of a workflow. */
export type Metric = {
  kind: 'counter' | 'gauge' | 'histogram';
  attributes: Record<string, readonly string[] | undefined>;
};

/** The app's metrics under the exporter's names. Each is a row of AppMetrics, with its attributes in Properties. */
export const METRICS: Record<string, Metric> = Object.fromEntries(
  Object.values<AppMetric>(APP_METRICS).map(({ name, kind, attributes }) => [
    name,
    {
      kind,
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([key, values]) => [key, values === WORKFLOW ? undefined : values]),
      ),
    },
  ]),
);

/** Metrics of Azure's resources, with their dimensions. `group` is the metric group in a workbook. */
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

/** The response types of throttled requests to Azure Storage. */
export const THROTTLED = [
  'ServerBusyError',
  'ClientThrottlingError',
  'ClientAccountRequestThrottlingError',
  'ClientAccountBandwidthThrottlingError',
];
