import { readFileSync } from 'node:fs';
import { evaluate } from '../../src/workflows/observation-alerts/evaluate.js';
import { loadRules } from '../../src/workflows/observation-alerts/load-rules.js';
import { readingFor } from '../../src/workflows/observation-alerts/read-observation.js';
import { readRules } from '../../src/workflows/observation-alerts/rules.js';
import { observation, quantity, ruleOf } from '../workflows/observation-alerts/observations.js';

const page = readFileSync('docs/alert-rules.md', 'utf8');
const EXAMPLE = /^```json\n([\s\S]*?)^```\n((?:\n\|.*(?:\n\|.*)*)?)/gm;
const [file, ...examples] = [...page.matchAll(EXAMPLE)].map(([, json = '', table = '']) => ({
  json,
  rows: rowsOf(table),
}));
const cases = examples.flatMap(({ json, rows }) => rows.map((row) => ({ json, ...row })));

describe('when somebody reads docs/alert-rules.md', () => {
  it('given the page, then it has examples of each condition, and what becomes of results', () => {
    expect(examples).toHaveLength(6);
    expect(cases.length).toBeGreaterThanOrEqual(21);
  });

  it('given the file, then it is one', () => {
    expect(readRules(file?.json ?? '')).toMatchObject({ kind: 'ok', rules: [{ name: 'potassium-critical' }] });
  });

  it.each(examples)('given the rule $json then it is one', ({ json }) => {
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
    const [reading, previous] = [now, earlier].map((one) => readingFor(rule, one));
    if (reading === undefined) throw new Error('The rule is not for this Observation.');

    const verdict = evaluate(rule, reading, previous);

    expect(verdict.kind === 'undecided' ? `undecided: ${verdict.why}` : verdict.kind).toBe(then);
  });

  it('given the problems that it shows, then they are told like this', () => {
    const rule = { name: 'a', code: '2823-4', above: 6, unit: 'mmHg', severity: 'info', sevrity: 'info' };
    const loaded = loadRules('my-rules.json', () => JSON.stringify({ rules: [rule] }));
    const [, shown = ''] = /^```text\n([\s\S]*?)^```/m.exec(page) ?? [];

    const told = loaded.kind === 'wrong' ? loaded.problems : [];
    expect([...told].sort()).toEqual(shown.trim().split('\n').sort());
  });
});

/** Columns are named; the last one is what becomes of it. */
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
