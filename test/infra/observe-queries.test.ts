import { analyse } from './observe-kusto.js';
import { METRICS, TABLES } from './observe-names.js';
import { type Query, queries } from './observe-queries.js';

let all: Query[] = [];
beforeAll(async () => {
  all = await queries();
});

/** What is wrong, with the name of the query where it is. */
const wrongOf = (find: (query: Query) => string[]) =>
  all.flatMap((query) => find(query).map((what) => `${query.name}: ${what}`));
const asksMetrics = ({ text }: Query) => /\bAppMetrics\b/.test(text);
const metricsIn = ({ text }: Query) => analyse(text).strings.filter((word) => word.startsWith('ahds.'));

describe('when people or rules ask the workspace', () => {
  it('given the documented tables and columns, then Kusto takes every query, without a warning', () => {
    expect(all.length).toBeGreaterThan(25);
    expect(wrongOf(({ text }) => analyse(text).problems)).toEqual([]);
  });

  it('given a column that the table does not have, then this would be told', () => {
    expect(analyse("AppMetrics | where MetricName == 'x'").problems).toHaveLength(1);
    expect(analyse('AppMetrics | summarize sum(Name)').problems).toHaveLength(1);
    expect(analyse('AppMetrics | where (Name == 1').problems).not.toEqual([]);
  });

  it('given the table of metrics, then the metrics that it asks for are those of the app', () => {
    const unnamed = wrongOf((query) =>
      asksMetrics(query) && metricsIn(query).length === 0 ? ['names no metric'] : [],
    );

    expect(unnamed).toEqual([]);
    expect(wrongOf((query) => metricsIn(query).filter((name) => !(name in METRICS)))).toEqual([]);
  });

  it('given attributes, then the metrics have them', () => {
    const wrong = wrongOf((query) => {
      const attributes = metricsIn(query).flatMap((name) => Object.keys(METRICS[name]?.attributes ?? {}));
      const asked = [...query.text.matchAll(/\bProperties\.(\w+)/g)].map(([, name = '']) => name);
      return asksMetrics(query) ? asked.filter((name) => !attributes.includes(name)) : [];
    });

    expect(wrong).toEqual([]);
  });

  it('given values of attributes, then the metrics can have them', () => {
    const comparisons = /(?:tostring\(Properties\.(\w+)\)|\b(\w+)) *(?:==|!=|in) *\(?((?:'[^']*'(?:, *)?)+)/g;
    let compared = 0;
    const wrong = wrongOf((query) =>
      [...query.text.matchAll(comparisons)].flatMap(([, property, alias = '', values = '']) => {
        const attribute = property ?? alias;
        if (!asksMetrics(query) || attribute === 'Name') return [];
        const possible = metricsIn(query).flatMap((name) => METRICS[name]?.attributes[attribute] ?? []);
        const asked = [...values.matchAll(/'([^']*)'/g)].map(([, value = '']) => value);
        compared += asked.length;
        return asked.filter((value) => !possible.includes(value)).map((value) => `${attribute} is never ${value}`);
      }),
    );

    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(8);
  });

  // The exporter sends a counter or a gauge as one value: no least, no most, and a count of 1.
  it('given the least, the most or the count of measurements, then it is of a histogram', () => {
    const wrong = wrongOf((query) => {
      const kinds = metricsIn(query).map((name) => METRICS[name]?.kind);
      const asked = analyse(query.text).names.filter((name) => ['Min', 'Max', 'ItemCount'].includes(name));
      return asksMetrics(query) && !kinds.includes('histogram') ? asked : [];
    });

    expect(wrong).toEqual([]);
  });

  it('given the tables that are declared here, then each is asked', () => {
    const used = new Set(all.flatMap(({ text }) => analyse(text).names));

    expect(Object.keys(TABLES).filter((name) => !used.has(name))).toEqual([]);
  });
});
