import { readdirSync } from 'node:fs';
import type { Module, Resource } from './observe-bicep.js';
import { analyse } from './observe-kusto.js';
import { METRICS, PLATFORM_METRICS, THROTTLED } from './observe-names.js';
import { workbook } from './observe-queries.js';
import {
  ACTIVITY_RULE,
  criterionOf,
  isRule,
  LOG_RULE,
  METRIC_RULE,
  nameOf,
  type Rule,
  readAlerts,
  readTopicAlerts,
  ruleOf,
} from './observe-rules.js';

/** The documented ones, in minutes. */
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
  metricRules = rules.filter(({ type }) => type === METRIC_RULE);
});

describe('when the rules that ask logs are deployed', () => {
  it('given what they measure and split by, then the query answers with that, a number and a text', () => {
    for (const rule of logRules) {
      const { query, metricMeasureColumn: measure, timeAggregation, dimensions } = criterionOf(rule);
      const types = Object.fromEntries(analyse(query).columns.map(({ name, type }) => [name, type]));

      expect([nameOf(rule), timeAggregation]).toEqual([nameOf(rule), measure === null ? 'Count' : 'Maximum']);
      if (measure !== null) expect([nameOf(rule), types[measure]]).toEqual([nameOf(rule), 'real']);
      // A row for each value that it is split by, and one row at most where it is not.
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

  it('given how often and how far they look, then Azure can, and no moment is left out', () => {
    for (const { evaluationFrequency, windowSize, overrideQueryTimeRange } of logRules.map(ruleOf)) {
      expect(LOG_MINUTES).toContain(minutesOf(evaluationFrequency));
      expect(LOG_MINUTES).toContain(minutesOf(windowSize));
      expect(minutesOf(windowSize)).toBeGreaterThan(minutesOf(evaluationFrequency));
      expect([null, 'P2D']).toContain(overrideQueryTimeRange); // two days are the most
    }
  });

  it('given a query that looks back by itself, then its rule lets it', () => {
    const looksBack = logRules.filter((rule) => /\bnow\(\)|\bago\(/.test(criterionOf(rule).query));

    expect(looksBack.map((rule) => [nameOf(rule), ruleOf(rule).overrideQueryTimeRange])).toEqual([
      ['no-events', 'P2D'],
    ]);
  });

  it('given what a rule cannot ask, then none does', () => {
    const wrong = logRules.filter((rule) =>
      /bag_unpack|pivot|narrow|AggregatedValue|ago\((?!\d+[dhms]\))/.test(criterionOf(rule).query),
    );

    expect(wrong.map(nameOf)).toEqual([]);
  });

  it('given that nothing is measured at all, then one rule fires, and only that one', () => {
    const fires = logRules.filter((rule) => {
      const { metricMeasureColumn, operator, threshold } = criterionOf(rule);
      return metricMeasureColumn === null && operator === 'LessThan' && threshold > 0; // no rows: a count of 0
    });

    expect(fires.map(nameOf)).toEqual(['backlog-unknown']);
    // It fires when any of the kinds is missing, so that no other rule on gauges is blind unseen.
    const [{ query, threshold } = { query: '', threshold: 0 }] = fires.map(criterionOf);
    const kinds = analyse(query).strings.filter((name) => METRICS[name]?.kind === 'gauge');
    expect(threshold).toBe(kinds.length);
    expect(analyse(query).columns.map(({ name }) => name)).toEqual(['Name']);
    for (const rule of logRules) {
      if (nameOf(rule) !== 'backlog-unknown') expect(criterionOf(rule).operator).toBe('GreaterThan');
    }
  });

  it('given infra/kql, then each file in it is the query of a rule', () => {
    expect([...alerts.files].sort()).toEqual(
      readdirSync('infra/kql')
        .map((file) => `infra/kql/${file}`)
        .sort(),
    );
  });

  it('given what they ask for, then the workbook shows it, too', async () => {
    const shown = (await workbook()).items.flatMap(({ type, content }) =>
      type === 3 ? analyse(String(content.query).replaceAll('{TimeRange:grain}', '5m')).strings : [],
    );

    const asked = new Set(
      logRules.flatMap((rule) => analyse(criterionOf(rule).query).strings).filter((name) => name in METRICS),
    );
    expect([...asked].filter((name) => !shown.includes(name))).toEqual([]);
  });
});

describe('when the rules that look at metrics of Azure are deployed', () => {
  it('given metrics and dimensions, then the resources have them', () => {
    for (const rule of metricRules) {
      const { metricNamespace, metricName, dimensions, timeAggregation } = criterionOf(rule);
      const known = PLATFORM_METRICS[metricNamespace.toLowerCase()]?.metrics[metricName];

      expect([nameOf(rule), known]).toEqual([nameOf(rule), expect.arrayContaining(dimensions.map(({ name }) => name))]);
      expect([timeAggregation, dimensions.length]).toEqual(['Total', 1]);
    }
  });

  it('given how often and how far they look, then Azure can, and the first value of a metric that is silent is not missed', () => {
    for (const { evaluationFrequency, windowSize } of metricRules.map(ruleOf)) {
      expect(METRIC_FREQUENCIES).toContain(evaluationFrequency);
      expect(METRIC_WINDOWS).toContain(windowSize);
      expect(minutesOf(windowSize)).toBeGreaterThan(minutesOf(evaluationFrequency));
    }
  });

  it('given several storage accounts, then a rule for each, for each way to be refused', () => {
    const storage = metricRules.filter((rule) => nameOf(rule) === 'storage-throttled');

    expect(storage.map((rule) => [rule.body.name, ruleOf(rule).scopes])).toEqual([
      ['ahds-storage-throttled-one', ['/storage/one']],
      ['ahds-storage-throttled-two', ['/storage/two']],
    ]);
    for (const rule of storage) expect(criterionOf(rule).dimensions[0]?.values).toEqual(THROTTLED);
  });

  it('given the system topic, then what is dropped, dead-lettered and not delivered is told, at any number that is one too many', () => {
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
  it('given any, then the operators are told, and again when it is over', () => {
    for (const { type, body } of rules) {
      const { actions, autoMitigate } = body.properties as Rule;

      expect(JSON.stringify(actions)).toContain('/operators');
      if (type !== ACTIVITY_RULE) expect(autoMitigate).toBe(true); // those of the activity log have no state
    }
  });

  it('given mail addresses, then each is told; given none, then nobody', async () => {
    const receiversOf = ({ resources }: Module) => {
      const [group] = resources.filter(({ symbol }) => symbol === 'operators').map(({ body }) => body.properties);
      return (group as Record<string, unknown>).emailReceivers;
    };

    expect(receiversOf(await readAlerts({ emails: ['on-call@clinic.example', 'it@clinic.example'] }))).toEqual([
      { name: 'operator-0', emailAddress: 'on-call@clinic.example', useCommonAlertSchema: true },
      { name: 'operator-1', emailAddress: 'it@clinic.example', useCommonAlertSchema: true },
    ]);
    expect(receiversOf(alerts)).toEqual([]);
  });

  it('given somebody stops the app, then that is the operation that is looked for', () => {
    const [stopped] = rules.filter(({ type }) => type === ACTIVITY_RULE);

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
  ])('given %s, then it is the threshold of %s', async (parameter, name, otherwise) => {
    expect(thresholdOf(alerts, name)).toEqual([otherwise]);
    expect(thresholdOf(await readAlerts({ [parameter]: 77 }), name)).toEqual([77]);
  });

  it("given maxThrottledRequests and maxFailedDeliveries, then they are those of Azure's metrics", async () => {
    expect(thresholdOf(await readAlerts({ maxThrottledRequests: 77 }), 'storage-throttled')).toEqual([77, 77]);
    expect(thresholdOf(await readTopicAlerts({ maxFailedDeliveries: 77 }), 'deliveries-failing')).toEqual([77]);
  });

  const isOn = ({ resources }: Module) => resources.filter(isRule).map((rule) => [nameOf(rule), ruleOf(rule).enabled]);

  it('given that no events are expected, then quiet alone is not told of', async () => {
    const off = isOn(await readAlerts({ areEventsExpected: false })).filter(([, enabled]) => !enabled);

    expect(off).toEqual([['no-events', false]]);
  });

  it('given that the rules are off, then all are', async () => {
    const on = [await readAlerts({ areRulesOn: false }), await readTopicAlerts({ areRulesOn: false })].flatMap(isOn);

    expect(on.filter(([, enabled]) => enabled)).toEqual([]);
    expect(on.length).toBe(rules.length);
  });
});
