import { readdirSync } from 'node:fs';
import type { Module, Resource } from './observe-bicep.js';
import { analyse } from './observe-kusto.js';
import { METRICS, PLATFORM_METRICS, THROTTLED } from './observe-names.js';
import { workbook } from './observe-queries.js';
import {
  ACTIVITY_RULE,
  criterionOf,
  hasCriterion,
  isRule,
  LOG_RULE,
  METRIC_RULE,
  nameOf,
  type Rule,
  readAlerts,
  readTopicAlerts,
  ruleOf,
} from './observe-rules.js';

/** Frequencies and windows that Azure documents for log alerts, in minutes. */
const LOG_MINUTES = [1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440];
const METRIC_WINDOWS = ['PT1M', 'PT5M', 'PT15M', 'PT30M', 'PT1H', 'PT6H', 'PT12H', 'P1D'];
const METRIC_FREQUENCIES = ['PT1M', 'PT5M', 'PT15M', 'PT30M', 'PT1H'];

const minutesOf = (duration: string) => {
  const [, days, hours, minutes] = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/.exec(duration) ?? [];
  return Number(days ?? 0) * 1440 + Number(hours ?? 0) * 60 + Number(minutes ?? 0);
};

let alerts: Module;
let rules: Resource[];
let logRules: Resource[];
let metricRules: Resource[];
beforeAll(async () => {
  alerts = await readAlerts();
  rules = [...alerts.resources, ...(await readTopicAlerts()).resources].filter(isRule);
  logRules = rules.filter(({ type }) => type === LOG_RULE);
  metricRules = rules.filter((rule) => rule.type === METRIC_RULE && hasCriterion(rule));
});

describe('when the log alert rules are deployed', () => {
  it('given the measure and dimensions of a rule, then its query returns them as a number and texts', () => {
    for (const rule of logRules) {
      const { query, metricMeasureColumn: measure, timeAggregation, dimensions } = criterionOf(rule);
      const types = Object.fromEntries(analyse(query).columns.map(({ name, type }) => [name, type]));

      expect([nameOf(rule), timeAggregation]).toEqual([nameOf(rule), measure === null ? 'Count' : 'Maximum']);
      if (measure !== null) expect([nameOf(rule), types[measure]]).toEqual([nameOf(rule), 'real']);
      // One column for the measure and one for each dimension: a row for each value of a dimension.
      expect([nameOf(rule), Object.keys(types).length]).toEqual([
        nameOf(rule),
        measure === null ? expect.any(Number) : 1 + dimensions.length,
      ]);
      for (const { name, operator, values } of dimensions) {
        expect([types[name], operator, values]).toEqual(['string', 'Include', ['*']]);
      }
    }
    expect(logRules.length).toBeGreaterThanOrEqual(10);
  });

  it('given frequency and window, then Azure supports both and consecutive windows overlap', () => {
    for (const { evaluationFrequency, windowSize, overrideQueryTimeRange } of logRules.map(ruleOf)) {
      expect(LOG_MINUTES).toContain(minutesOf(evaluationFrequency));
      expect(LOG_MINUTES).toContain(minutesOf(windowSize));
      expect(minutesOf(windowSize)).toBeGreaterThan(minutesOf(evaluationFrequency));
      expect([null, 'P2D']).toContain(overrideQueryTimeRange); // two days are Azure's maximum
    }
  });

  it('given a query that sets its own time range, then its rule overrides the time range', () => {
    const withOwnRange = logRules.filter((rule) => /\bnow\(\)|\bago\(/.test(criterionOf(rule).query));

    expect(withOwnRange.map((rule) => [nameOf(rule), ruleOf(rule).overrideQueryTimeRange])).toEqual([
      ['no-events', 'P2D'],
    ]);
  });

  it('given a workspace with other apps, then each query of a rule and of the workbook reads only this app', async () => {
    const shown = (await workbook()).items.flatMap(({ type, content }) => (type === 3 ? String(content.query) : []));
    const asked = logRules.map((rule) => criterionOf(rule).query);

    for (const query of [...asked, ...shown]) {
      expect(query.match(/\bApp(?:Metrics|Traces)\b/g)?.length).toBe(
        query.match(/ \| where _ResourceId =~ '\/[iI]nsights'/g)?.length,
      );
    }
    expect(shown.length).toBeGreaterThan(10);
  });

  it('given the KQL that alert rules do not support, then no rule uses it', () => {
    const wrong = logRules.filter((rule) =>
      /bag_unpack|pivot|narrow|AggregatedValue|ago\((?!\d+[dhms]\))/.test(criterionOf(rule).query),
    );

    expect(wrong.map(nameOf)).toEqual([]);
  });

  it('given no measurements at all, then only backlog-unknown fires', () => {
    const fires = logRules.filter((rule) => {
      const { metricMeasureColumn, operator, threshold } = criterionOf(rule);
      return metricMeasureColumn === null && operator === 'LessThan' && threshold > 0; // no rows: a count of 0
    });

    expect(fires.map(nameOf)).toEqual(['backlog-unknown']);
    // The rule fires as soon as one gauge is missing, because rules on a missing gauge never fire.
    const [{ query, threshold } = { query: '', threshold: 0 }] = fires.map(criterionOf);
    const kinds = analyse(query).strings.filter((name) => METRICS[name]?.kind === 'gauge');
    expect(threshold).toBe(kinds.length);
    expect(analyse(query).columns.map(({ name }) => name)).toEqual(['Name']);
    for (const rule of logRules) {
      if (nameOf(rule) !== 'backlog-unknown') expect(criterionOf(rule).operator).toBe('GreaterThan');
    }
  });

  it('given the files in infra/kql, then each is the query of a rule', () => {
    expect([...alerts.files].sort()).toEqual(
      readdirSync('infra/kql')
        .map((file) => `infra/kql/${file}`)
        .sort(),
    );
  });

  it('given the metrics of the rules, then the workbook shows them too', async () => {
    const shown = (await workbook()).items.flatMap(({ type, content }) =>
      type === 3 ? analyse(String(content.query).replaceAll('{TimeRange:grain}', '5m')).strings : [],
    );

    const queried = new Set(
      logRules.flatMap((rule) => analyse(criterionOf(rule).query).strings).filter((name) => name in METRICS),
    );
    expect([...queried].filter((name) => !shown.includes(name))).toEqual([]);
  });
});

describe('when the Azure metric alert rules are deployed', () => {
  it('given metrics and dimensions, then the Azure resources provide them', () => {
    for (const rule of metricRules) {
      const { metricNamespace, metricName, dimensions, timeAggregation } = criterionOf(rule);
      const known = PLATFORM_METRICS[metricNamespace.toLowerCase()]?.metrics[metricName];

      expect([nameOf(rule), known]).toEqual([nameOf(rule), expect.arrayContaining(dimensions.map(({ name }) => name))]);
      expect([timeAggregation, dimensions.length]).toEqual(['Total', 1]);
    }
  });

  it('given frequency and window, then Azure supports both and consecutive windows overlap', () => {
    for (const { evaluationFrequency, windowSize } of metricRules.map(ruleOf)) {
      expect(METRIC_FREQUENCIES).toContain(evaluationFrequency);
      expect(METRIC_WINDOWS).toContain(windowSize);
      expect(minutesOf(windowSize)).toBeGreaterThan(minutesOf(evaluationFrequency));
    }
  });

  it('given a shared topic, then the rules count only the subscriptions of the app, in both spellings of their names', () => {
    const topic = metricRules.filter((rule) => ruleOf(rule).scopes[0] === '/topic');

    expect(topic).toHaveLength(3);
    for (const rule of topic) {
      expect(criterionOf(rule).dimensions).toEqual([
        {
          name: 'EventSubscriptionName',
          operator: 'Include',
          values: ['app-fhir', 'app-dicom', 'APP-FHIR', 'APP-DICOM'],
        },
      ]);
    }
  });

  it('given a URL to test, then Azure requests it without a key, and a rule fires if two places get no answer; else neither exists', async () => {
    const find = ({ resources }: Module, symbol: string) => resources.find((resource) => resource.symbol === symbol);
    const without = await readAlerts({ testedUrl: '' });

    expect(find(alerts, 'availabilityTest')?.body.properties).toMatchObject({
      Frequency: 300,
      Locations: Array(5).fill({ Id: expect.stringMatching(/^(emea|us)-/) }),
      Request: { RequestUrl: 'https://app.example.com/api/health/live' },
    });
    expect(find(alerts, 'appUnreachable')?.body.properties).toMatchObject({
      scopes: ['/availabilityTest', '/insights'],
      criteria: { webTestId: '/availabilityTest', componentId: '/insights', failedLocationCount: 2 },
    });
    expect([find(without, 'availabilityTest'), find(without, 'appUnreachable')]).toEqual([undefined, undefined]);
  });

  it('given several storage accounts, then each has a rule that covers every throttling response', () => {
    const storage = metricRules.filter((rule) => nameOf(rule) === 'storage-throttled');

    expect(storage.map((rule) => [rule.body.name, ruleOf(rule).scopes])).toEqual([
      ['ahds-storage-throttled-one', ['/storage/one']],
      ['ahds-storage-throttled-two', ['/storage/two']],
    ]);
    for (const rule of storage) expect(criterionOf(rule).dimensions[0]?.values).toEqual(THROTTLED);
  });

  it('given the system topic, then rules cover dropped, dead-lettered and failed deliveries, each with a threshold', () => {
    const topic = metricRules.filter((rule) => ruleOf(rule).scopes[0] === '/topic');

    expect(
      topic.map((rule) => {
        const { metricName, operator, threshold } = criterionOf(rule);
        return [nameOf(rule), ruleOf(rule).severity, metricName, operator, threshold];
      }),
    ).toEqual([
      ['events-dropped', 0, 'DroppedEventCount', 'GreaterThan', 0],
      ['events-dead-lettered', 1, 'DeadLetteredCount', 'GreaterThan', 0],
      ['deliveries-failing', 1, 'DeliveryAttemptFailCount', 'GreaterThan', 20],
    ]);
  });
});

describe('when an alert fires', () => {
  const groupOf = (resources: readonly Resource[]) =>
    resources.find(({ symbol }) => symbol === 'operators')?.body.properties as Record<string, unknown> | undefined;

  it('given any rule, then it notifies the operators when it fires and when it resolves', () => {
    for (const { type, body } of rules) {
      const { actions, autoMitigate } = body.properties as Rule;

      expect(JSON.stringify(actions)).toContain('/operators');
      if (type !== ACTIVITY_RULE) expect(autoMitigate).toBe(true); // activity log alerts have no state
    }
  });

  it('given mail addresses, then each is a receiver; given none, then the group has no receivers', async () => {
    const receiversOf = ({ resources }: Module) => groupOf(resources)?.emailReceivers;

    expect(receiversOf(await readAlerts({ emails: ['on-call@clinic.example', 'it@clinic.example'] }))).toEqual([
      { name: 'operator-0', emailAddress: 'on-call@clinic.example', useCommonAlertSchema: true },
      { name: 'operator-1', emailAddress: 'it@clinic.example', useCommonAlertSchema: true },
    ]);
    expect(receiversOf(alerts)).toEqual([]);
  });

  it('given phones and a system for incidents, then each is a receiver', async () => {
    const { resources } = await readAlerts({
      phones: ['49-1701234567'],
      incidentWebhookUrl: 'https://on-call.example/1',
    });

    expect(groupOf(resources)).toMatchObject({
      smsReceivers: [{ name: 'phone-0', countryCode: '49', phoneNumber: '1701234567' }],
      webhookReceivers: [{ name: 'incidents', serviceUri: 'https://on-call.example/1', useCommonAlertSchema: true }],
    });
  });

  it('given an existing action group, then every rule notifies it, and there is no new group', async () => {
    const { resources } = await readAlerts({ existingActionGroupId: '/on-call' });

    expect(groupOf(resources)).toBeUndefined();
    for (const { body } of resources.filter(isRule)) {
      expect(JSON.stringify((body.properties as Rule).actions)).toContain('"/on-call"');
    }
  });

  it('given the rule for unhealthy resources, then it matches failures of Azure in the resource group', () => {
    const found = rules.find((rule) => nameOf(rule) === 'resource-unhealthy');

    expect(found?.body.properties).toMatchObject({
      scopes: ['/resourceGroup'],
      condition: {
        allOf: [
          { field: 'category', equals: 'ResourceHealth' },
          {
            anyOf: [
              { field: 'properties.currentHealthStatus', equals: 'Unavailable' },
              { field: 'properties.currentHealthStatus', equals: 'Degraded' },
            ],
          },
          { field: 'properties.cause', equals: 'PlatformInitiated' },
        ],
      },
    });
  });

  it('given the rule for a stopped app, then it matches the stop operation on the app in the activity log', () => {
    const stopped = rules.find((rule) => nameOf(rule) === 'app-stopped');

    expect(stopped?.body.properties).toMatchObject({
      scopes: ['/app'],
      condition: {
        allOf: [
          { field: 'category', equals: 'Administrative' },
          { field: 'operationName', equals: 'Microsoft.Web/sites/stop/action' },
          { field: 'status', equals: 'Succeeded' },
        ],
      },
    });
  });
});

describe('when an operator sets thresholds and switches', () => {
  const thresholdOf = ({ resources }: Module, name: string) =>
    resources
      .filter(isRule)
      .filter((rule) => nameOf(rule) === name)
      .map((rule) => criterionOf(rule).threshold);

  it.each([
    ['maxDeadLetters', 'dead-letters', 0],
    ['maxOverdueSeconds', 'waiting-overdue', 600],
    ['maxLatePercent', 'lag', 1],
    ['maxQuietMinutes', 'no-events', 60],
    ['maxTakenOver', 'leases-taken-over', 5],
    ['maxFailedTasks', 'tasks-failed', 5],
    ['maxBehindSeconds', 'comparing-behind', 3600],
    ['maxPausedSeconds', 'workflow-paused', 86_400],
    ['maxInstances', 'instances-at-limit', 32],
  ])('given %s, then it is the threshold of %s', async (parameter, name, fallback) => {
    expect(thresholdOf(alerts, name)).toEqual([fallback]);
    expect(thresholdOf(await readAlerts({ [parameter]: 77 }), name)).toEqual([77]);
  });

  it('given maxThrottledRequests and maxFailedDeliveries, then they are the thresholds of the Azure metric rules', async () => {
    expect(thresholdOf(await readAlerts({ maxThrottledRequests: 77 }), 'storage-throttled')).toEqual([77, 77]);
    expect(thresholdOf(await readTopicAlerts({ maxFailedDeliveries: 77 }), 'deliveries-failing')).toEqual([77]);
  });

  const isOn = ({ resources }: Module) => resources.filter(isRule).map((rule) => [nameOf(rule), ruleOf(rule).enabled]);

  it('given that no events are expected, then only no-events is disabled', async () => {
    const off = isOn(await readAlerts({ areEventsExpected: false })).filter(([, enabled]) => !enabled);

    expect(off).toEqual([['no-events', false]]);
  });

  it('given areRulesOn is false, then every rule is disabled', async () => {
    const on = [await readAlerts({ areRulesOn: false }), await readTopicAlerts({ areRulesOn: false })].flatMap(isOn);

    expect(on.filter(([, enabled]) => enabled)).toEqual([]);
    expect(on.length).toBe(rules.length);
  });
});
