import { readFileSync } from 'node:fs';
import { readModule } from './observe-bicep.js';
import { analyse } from './observe-kusto.js';
import { PLATFORM_METRICS } from './observe-names.js';
import { type Item, WORKBOOK, type Workbook, workbook } from './observe-queries.js';

/** Item types, each with the content version that Azure's own workbooks use. */
const VERSIONS: Record<number, string | undefined> = {
  1: undefined,
  3: 'KqlItem/1.0',
  9: 'KqlParameterItem/1.0',
  10: 'MetricsItem/2.0',
};
const VISUALIZATIONS = ['table', 'tiles', 'timechart', 'areachart', 'linechart', 'barchart', 'piechart'];
/** A workbook's numbers for aggregations. */
const TOTAL = 1;
const AVERAGE = 4;

type Metric = { namespace: string; metric: string; aggregation: number; splitBy: string | null };

let page: Workbook;
let items: Item[];
beforeAll(async () => {
  page = await workbook();
  items = page.items;
});

const ofType = (type: number) => items.filter((item) => item.type === type);

describe('when the workbook is opened', () => {
  it('given the items, then their types and versions are known and their names are unique', () => {
    expect(page.version).toBe('Notebook/1.0');
    expect(items.map(({ type, content }) => [type, content.version])).toEqual(
      items.map(({ type }) => [type, VERSIONS[type]]),
    );
    expect(items.every(({ type }) => type in VERSIONS)).toBe(true);
    expect(new Set(items.map(({ name }) => name)).size).toBe(items.length);
  });

  it('given the queries, then they query the workspace over the selected time range', () => {
    for (const { name, content } of ofType(3)) {
      expect(content).toMatchObject({
        queryType: 0,
        resourceType: 'microsoft.operationalinsights/workspaces',
        crossComponentResources: ['/workspace'],
      });
      expect(VISUALIZATIONS).toContain(content.visualization);
      const time = name === 'now' ? { durationMs: 1_800_000 } : { durationMs: 0 };
      expect([name, content.timeContext]).toEqual([name, time]);
      expect([name, content.timeContextFromParameter]).toEqual([name, name === 'now' ? undefined : 'TimeRange']);
    }
    expect(ofType(3).length).toBeGreaterThan(8);
  });

  it('given parameters in braces, then they are exactly the declared parameters', () => {
    const parameters = ofType(9).flatMap(({ content }) =>
      (content.parameters as { name: string }[]).map(({ name }) => name),
    );
    const used = [...JSON.stringify(items).matchAll(/\{([A-Z]\w*)[:}]/g)].map(([, name]) => name);

    expect(new Set(used)).toEqual(new Set(parameters));
  });

  it('given a chart over time, then its query returns a time and a number', () => {
    for (const { name, content } of ofType(3)) {
      if (!['timechart', 'areachart'].includes(String(content.visualization))) continue;
      const types = analyse(String(content.query).replaceAll('{TimeRange:grain}', '5m')).columns.map(
        ({ type }) => type,
      );

      expect([name, types]).toEqual([name, expect.arrayContaining(['datetime', 'real'])]);
    }
  });

  it('given the tiles, then they show exactly the columns of their query', () => {
    const [now] = items.filter(({ name }) => name === 'now');
    const settings = JSON.stringify(now?.content.tileSettings);
    const shown = [...settings.matchAll(/"(?:columnMatch|sortCriteriaField)":"(\w+)"/g)].map(([, name]) => name);

    const columns = analyse(String(now?.content.query)).columns.map(({ name }) => name);
    expect(shown.sort()).toEqual([...columns].sort());
  });

  it('given Azure metrics, then the resources provide the metrics and their dimensions', () => {
    for (const { name, content } of ofType(10)) {
      const { resourceType, metrics, timeContextFromParameter } = content as unknown as {
        resourceType: string;
        metrics: Metric[];
        timeContextFromParameter: string;
      };
      const { group = '?', metrics: known = {} } = PLATFORM_METRICS[resourceType] ?? {};

      expect([name, timeContextFromParameter]).toEqual([name, 'TimeRange']);
      for (const { namespace, metric, aggregation, splitBy } of metrics) {
        const short = metric.split('-').at(-1) ?? '';
        expect([namespace, metric]).toEqual([resourceType, `${resourceType}-${group}-${short}`]);
        expect(Object.keys(known)).toContain(short);
        if (splitBy !== null) expect(known[short]).toContain(splitBy);
        expect(aggregation).toBe(short === 'SuccessE2ELatency' ? AVERAGE : TOTAL);
      }
    }
    expect(ofType(10).map(({ content }) => content.resourceIds)).toEqual([
      ['/topic'],
      ['/topic'],
      ['/storage/one', '/storage/two'],
      ['/storage/one', '/storage/two'],
    ]);
  });
});

describe('when the workbook is deployed', () => {
  it('given the ids of resources, then every placeholder is replaced', () => {
    expect(JSON.stringify(page)).not.toMatch(/<\w+Ids?>/);
    expect(readFileSync('infra/workbook.json', 'utf8').match(/<\w+Ids?>/g)?.length).toBeGreaterThan(10);
    expect(page.fallbackResourceIds).toEqual(['/Insights']);
  });

  it('given no system topic, then the charts of the topic have no resource', async () => {
    const { items: all } = await workbook({ ...WORKBOOK, systemTopicId: '' });

    const charts = all.filter(({ type }) => type === 10);
    expect(charts.map(({ content }) => (content.resourceIds as string[]).length)).toEqual([0, 0, 2, 2]);
  });

  it('given Application Insights, then its gallery shows the shared workbook under a stable name', async () => {
    const { resources, parameters } = await readModule('infra/modules/workbook.bicep', WORKBOOK);

    expect(resources.map(({ body }) => body)).toMatchObject([
      {
        name: 'guid(/resourceGroup,events)',
        kind: 'shared',
        properties: { displayName: 'events', category: 'workbook', sourceId: '/insights' },
      },
    ]);
    expect([...parameters].filter(([, { description }]) => !description)).toEqual([]);
  });
});
