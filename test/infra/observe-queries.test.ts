import { analyse } from './observe-kusto.js';
import { METRICS, TABLES } from './observe-names.js';
import { type Query, queries } from './observe-queries.js';

let all: Query[] = [];
beforeAll(async () => {
  all = await queries();
});

/** All problems that `find` finds, each with the name of its query. */
const problemsIn = (find: (query: Query) => string[]) =>
  all.flatMap((query) => find(query).map((what) => `${query.name}: ${what}`));
const usesMetrics = ({ text }: Query) => /\bAppMetrics\b/.test(text);
const metricsIn = ({ text }: Query) => analyse(text).strings.filter((word) => word.startsWith('ahds.'));

describe('when a query runs in the workspace', () => {
  it('given the documented tables and columns, then Kusto accepts every query without a warning', () => {
    expect(all.length).toBeGreaterThan(25);
    expect(problemsIn(({ text }) => analyse(text).problems)).toEqual([]);
  });

  it('given a query with an unknown column, a wrong type or a syntax error, then the analysis reports a problem', () => {
    expect(analyse("AppMetrics | where MetricName == 'x'").problems).toHaveLength(1);
    expect(analyse('AppMetrics | summarize sum(Name)').problems).toHaveLength(1);
    expect(analyse('AppMetrics | where (Name == 1').problems).not.toEqual([]);
  });

  it('given a query of AppMetrics, then it names metrics, and the app records them', () => {
    const unnamed = problemsIn((query) =>
      usesMetrics(query) && metricsIn(query).length === 0 ? ['names no metric'] : [],
    );

    expect(unnamed).toEqual([]);
    expect(problemsIn((query) => metricsIn(query).filter((name) => !(name in METRICS)))).toEqual([]);
  });

  it('given attributes in a query, then its metrics have them', () => {
    const wrong = problemsIn((query) => {
      const attributes = metricsIn(query).flatMap((name) => Object.keys(METRICS[name]?.attributes ?? {}));
      const used = [...query.text.matchAll(/\bProperties\.(\w+)/g)].map(([, name = '']) => name);
      return usesMetrics(query) ? used.filter((name) => !attributes.includes(name)) : [];
    });

    expect(wrong).toEqual([]);
  });

  it('given values of attributes in a query, then its metrics can have them', () => {
    const comparisons = /(?:tostring\(Properties\.(\w+)\)|\b(\w+)) *(?:==|!=|in) *\(?((?:'[^']*'(?:, *)?)+)/g;
    let compared = 0;
    const wrong = problemsIn((query) =>
      [...query.text.matchAll(comparisons)].flatMap(([, property, alias = '', values = '']) => {
        const attribute = property ?? alias;
        if (!usesMetrics(query) || attribute === 'Name') return [];
        const possible = metricsIn(query).flatMap((name) => METRICS[name]?.attributes[attribute] ?? []);
        const used = [...values.matchAll(/'([^']*)'/g)].map(([, value = '']) => value);
        compared += used.length;
        return used.filter((value) => !possible.includes(value)).map((value) => `${attribute} is never ${value}`);
      }),
    );

    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(8);
  });

  // The exporter sends a counter or a gauge as one value, without minimum and maximum and with a count of 1.
  it('given a query that reads Min, Max or ItemCount, then its metric is a histogram', () => {
    const wrong = problemsIn((query) => {
      const kinds = metricsIn(query).map((name) => METRICS[name]?.kind);
      const used = analyse(query.text).names.filter((name) => ['Min', 'Max', 'ItemCount'].includes(name));
      return usesMetrics(query) && !kinds.includes('histogram') ? used : [];
    });

    expect(wrong).toEqual([]);
  });

  it('given the tables of TABLES, then a query uses each', () => {
    const used = new Set(all.flatMap(({ text }) => analyse(text).names));

    expect(Object.keys(TABLES).filter((name) => !used.has(name))).toEqual([]);
  });
});
