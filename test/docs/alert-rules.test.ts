import { readFileSync } from 'node:fs';
import type { Row } from '../../src/workflow.js';
import { decideAlert, decideNoAlert, factsOf } from '../../src/workflows/observation-alerts/alert.js';
import { evaluate } from '../../src/workflows/observation-alerts/evaluate.js';
import { readingFor } from '../../src/workflows/observation-alerts/read-observation.js';
import type { Result } from '../../src/workflows/observation-alerts/results.js';
import { loadRules, readRules } from '../../src/workflows/observation-alerts/rules.js';
import type { Alert } from '../../src/workflows/observation-alerts/verdict.js';
import { observation, quantity, ruleOf } from '../workflows/observation-alerts/observations.js';

const page = readFileSync('docs/alert-rules.md', 'utf8');
const EXAMPLE = /^```json\n([\s\S]*?)^```\n((?:\n\|.*(?:\n\|.*)*)?)/gm;
const [file, ...examples] = [...page.matchAll(EXAMPLE)].map(([, json = '', table = '']) => ({
  json,
  rows: rowsOf(table),
}));
const cases = examples.flatMap(({ json, rows }) => rows.map((row) => ({ json, ...row })));

describe('when a reader follows docs/alert-rules.md', () => {
  it('given the page, then it has six example rules and a table of results for them', () => {
    expect(examples).toHaveLength(6);
    expect(cases.length).toBeGreaterThanOrEqual(21);
  });

  it('given the example file, then the app reads it without problems', () => {
    expect(readRules(file?.json ?? '')).toMatchObject({ kind: 'ok', rules: [{ name: 'potassium-critical' }] });
  });

  it.each(examples)('given the rule $json then the app accepts it', ({ json }) => {
    expect(readRules(`{"rules":[${json}]}`).kind).toBe('ok');
  });

  it.each(cases)('given $result, after $before, range $range, then $then', ({ json, result, before, range, then }) => {
    const rule = ruleOf(JSON.parse(json));
    const code = { coding: [...rule.codes] };
    const [low, high] = range.split(' to ');
    const now = observation({
      code,
      id: 'now',
      effectiveDateTime: '2026-03-10',
      valueQuantity: quantity(result),
      referenceRange: low && high ? [{ low: quantity(low), high: quantity(high) }] : [],
    });
    const earlier = observation({ code, effectiveDateTime: '2026-03-09', valueQuantity: quantity(before) });
    const [reading, previous] = [now, earlier].map((observed) => readingFor(rule, observed));
    if (reading === undefined) throw new Error('The rule is not for this Observation.');

    const verdict = evaluate(rule, reading, previous);

    expect(verdict.kind === 'undecided' ? `undecided: ${verdict.reason}` : verdict.kind).toBe(then);
  });

  const isRule = (fields: object) => {
    const rule = { name: 'a', code: '2160-0', severity: 'info', ...fields };
    return readRules(JSON.stringify({ rules: [rule] })).kind === 'ok';
  };
  const limit = { above: 1, unit: 'mmol/L' };

  it.each([
    { says: 'at most 366 days', most: { risePercent: 1, within: '366d' }, beyond: { risePercent: 1, within: '367d' } },
    {
      says: '`fallPercent` (at most 100)',
      most: { fallPercent: 100, within: '1d' },
      beyond: { fallPercent: 101, within: '1d' },
    },
    { says: 'of one ion, 1 to 10', most: { ...limit, charge: 10 }, beyond: { ...limit, charge: 11 } },
    { says: 'of one ion, 1 to 10', most: { ...limit, charge: 1 }, beyond: { ...limit, charge: 0 } },
    {
      says: '1 to 63 of a-z, 0-9',
      most: { ...limit, name: 'a'.repeat(63) },
      beyond: { ...limit, name: 'a'.repeat(64) },
    },
    { says: 'a letter first', most: { ...limit, name: 'a1' }, beyond: { ...limit, name: '1a' } },
  ])("given the limit '$says', then the app has the same limit", ({ says, most, beyond }) => {
    expect(page).toContain(says);
    expect([isRule(most), isRule(beyond)]).toEqual([true, false]);
  });

  it('given the listed codes of interpretations, then a rule accepts exactly these', () => {
    const [, list = ''] = /`Observation\.interpretation`, each of ([^.]*)\./.exec(page) ?? [];
    const listed = [...list.matchAll(/`(\w+)`/g)].map(([, code]) => code);

    expect(listed.filter((code) => !isRule({ interpretation: [code] }))).toEqual([]);
    const others = [
      'N',
      'S',
      'I',
      'IND',
      'NEG',
      'ND',
      '<',
      '>',
      'B',
      'W',
      'U',
      'D',
      'NR',
      'E',
      'EX',
      'IE',
      'MS',
      'VS',
      'HX',
      'LX',
    ];
    expect(others.filter((code) => isRule({ interpretation: [code] }))).toEqual([]);
  });

  it('given the listed columns, then they are exactly the columns of the alerts', () => {
    const [, table = ''] = /^\| column \|.*\n\|.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
    const listed = table
      .split('\n')
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const amount = { value: 1, comparator: '<', unit: 'mmol/L' } as const;
    const verdicts: Alert[] = [
      { kind: 'alert', by: 'limit', amount, side: 'above', threshold: 1 },
      { kind: 'alert', by: 'interpretation', interpretation: 'HH' },
      {
        kind: 'alert',
        by: 'delta',
        amount,
        side: 'rise',
        threshold: 1,
        previous: { amount, takenAt: new Date(0), observationId: 'o-1' },
      },
    ];
    const reading = { observationId: 'o-2', subject: 'Patient/1', takenAt: new Date(0) };
    const result = { reading, host: 'h', version: 1 } as unknown as Result;
    const rule = ruleOf({ name: 'a', code: '2160-0', ...limit, severity: 'info' });
    const rows = verdicts.map((verdict) => decideAlert({ status: 'withdrawn' }, factsOf(rule, result, verdict), 'now'));
    const withdrawn = decideNoAlert(rows[0] as Row, 'corrected');
    const columns = new Set([...rows, withdrawn].flatMap((row) => Object.keys(row as Row)));

    columns.delete('sentRevision'); // internal to the app
    expect([...listed].sort()).toEqual([...columns, 'notSent'].sort());
  });

  it('given the example of problems, then the app reports the same problems', () => {
    const rule = { name: 'a', code: '2823-4', above: 6, unit: 'mmHg', severity: 'info', sevrity: 'info' };
    const loaded = loadRules('my-rules.json', () => JSON.stringify({ rules: [rule] }));
    const [, shown = ''] = /^```text\n([\s\S]*?)^```/m.exec(page) ?? [];

    const problems = loaded.kind === 'wrong' ? loaded.problems : [];
    expect([...problems].sort()).toEqual(shown.trim().split('\n').sort());
  });
});

/** The rows of a table, by the names of its columns. The last column holds the expected verdict. */
function rowsOf(table: string): { result: string; before: string; range: string; then: string }[] {
  const [names = [], , ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').slice(1, -1).map(plain));
  return rows.map((cells) => {
    const cell = (name: string) => cells[names.indexOf(name)] ?? '';
    return { result: cell('result'), before: cell('before'), range: cell('range'), then: cells.at(-1) ?? '' };
  });
}

function plain(cell: string): string {
  return cell.replaceAll('`', '').trim();
}
