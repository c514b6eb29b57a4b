import { type Resource, readModule } from './observe-bicep.js';
import { ALERTS, TOPIC_ALERTS } from './observe-queries.js';

export type Dimension = { name: string; operator: string; values: string[] };
export type Criterion = {
  query: string;
  metricNamespace: string;
  metricName: string;
  metricMeasureColumn: string | null;
  timeAggregation: string;
  operator: string;
  threshold: number;
  dimensions: Dimension[];
};
export type Rule = {
  description: string;
  severity: number;
  enabled: boolean;
  scopes: string[];
  evaluationFrequency: string;
  windowSize: string;
  overrideQueryTimeRange: string | null;
  autoMitigate: boolean;
  criteria: { allOf: Criterion[] };
  actions: unknown;
};

export const LOG_RULE = 'Microsoft.Insights/scheduledQueryRules@2026-03-01';
export const METRIC_RULE = 'Microsoft.Insights/metricAlerts@2026-01-01';
export const ACTIVITY_RULE = 'Microsoft.Insights/activityLogAlerts@2026-01-01';

export const readAlerts = (more = {}) => readModule('infra/modules/alerts.bicep', { ...ALERTS, ...more });
export const readTopicAlerts = (more = {}) =>
  readModule('infra/modules/topic-alerts.bicep', { ...TOPIC_ALERTS, ...more });

export const nameOf = ({ body }: Resource) =>
  String(body.name)
    .replace(/^ahds-/, '')
    .replace(/^storage-throttled-.*/, 'storage-throttled');
export const ruleOf = ({ body }: Resource) => body.properties as Rule;
/** Rules on metrics: not those on an availability test. */
export const hasCriterion = (resource: Resource) => 'allOf' in ruleOf(resource).criteria;
export const criterionOf = (resource: Resource) => ruleOf(resource).criteria.allOf[0] as Criterion;
export const isRule = ({ type }: Resource) => [LOG_RULE, METRIC_RULE, ACTIVITY_RULE].includes(type);
