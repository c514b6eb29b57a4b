import fc from 'fast-check';
import type { Observation } from 'fhir/r4.js';
import { evaluate } from '../../../src/workflows/observation-alerts/evaluate.js';
import { readingFor } from '../../../src/workflows/observation-alerts/read-observation.js';
import { evaluateResult, LOINC, observation, outcomeOf, quantity, reading, ruleOf } from './observations.js';

const V3 = 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation';
const mmol = (text: string) => ({ valueQuantity: quantity(`${text} mmol/L`) });

describe('when a rule has a limit', () => {
  // Rows: what the result is. Columns: what each side of 6.0 makes of it.
  it.each([
    { result: '5.9', above: 'none', atLeast: 'none', below: 'alert', atMost: 'alert' },
    { result: '6', above: 'none', atLeast: 'alert', below: 'none', atMost: 'alert' },
    { result: '6.1', above: 'alert', atLeast: 'alert', below: 'none', atMost: 'none' },
    { result: '0', above: 'none', atLeast: 'none', below: 'alert', atMost: 'alert' },
    { result: '-7', above: 'none', atLeast: 'none', below: 'alert', atMost: 'alert' },
    { result: '>5.9', above: 'comparator', atLeast: 'comparator', below: 'comparator', atMost: 'comparator' },
    { result: '>6.0', above: 'alert', atLeast: 'alert', below: 'none', atMost: 'none' },
    { result: '>6.1', above: 'alert', atLeast: 'alert', below: 'none', atMost: 'none' },
    { result: '>=5.9', above: 'comparator', atLeast: 'comparator', below: 'comparator', atMost: 'comparator' },
    { result: '>=6.0', above: 'comparator', atLeast: 'alert', below: 'none', atMost: 'comparator' },
    { result: '>=6.1', above: 'alert', atLeast: 'alert', below: 'none', atMost: 'none' },
    { result: '<5.9', above: 'none', atLeast: 'none', below: 'alert', atMost: 'alert' },
    { result: '<6.0', above: 'none', atLeast: 'none', below: 'alert', atMost: 'alert' },
    { result: '<6.1', above: 'comparator', atLeast: 'comparator', below: 'comparator', atMost: 'comparator' },
    { result: '<=5.9', above: 'none', atLeast: 'none', below: 'alert', atMost: 'alert' },
    { result: '<=6.0', above: 'none', atLeast: 'comparator', below: 'comparator', atMost: 'alert' },
    { result: '<=6.1', above: 'comparator', atLeast: 'comparator', below: 'comparator', atMost: 'comparator' },
    { result: '5.9999999999', above: 'none', atLeast: 'alert', below: 'none', atMost: 'alert' },
    { result: '6.0000000001', above: 'none', atLeast: 'alert', below: 'none', atMost: 'alert' },
    { result: '5.9999999', above: 'none', atLeast: 'none', below: 'alert', atMost: 'alert' },
    { result: '6.0000001', above: 'alert', atLeast: 'alert', below: 'none', atMost: 'none' },
  ])('given $result, then above $above, atLeast $atLeast, below $below, atMost $atMost', ({ result, ...expected }) => {
    const found = Object.keys(expected).map((side) => [
      side,
      evaluateResult({ [side]: 6, unit: 'mmol/L' }, mmol(result)),
    ]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it.each([
    { result: '2.4', then: 'alert' },
    { result: '2.5', then: 'none' },
    { result: '4', then: 'none' },
    { result: '6', then: 'none' },
    { result: '6.1', then: 'alert' },
    { result: '<2.5', then: 'alert' },
    { result: '<3', then: 'comparator' },
    { result: '>5', then: 'comparator' },
    { result: '>6', then: 'alert' },
  ])('given $result outside of 2.5 to 6, then $then', ({ result, then }) => {
    expect(evaluateResult({ below: 2.5, above: 6, unit: 'mmol/L' }, mmol(result))).toBe(then);
  });

  it.each([
    { limit: 0, result: '0', side: 'above', then: 'none' },
    { limit: 0, result: '1e-300', side: 'above', then: 'alert' },
    { limit: 0, result: '0', side: 'atMost', then: 'alert' },
    { limit: -3, result: '-3.1', side: 'below', then: 'alert' },
    { limit: -3, result: '>-3', side: 'above', then: 'alert' },
  ])('given $result and $side $limit, then $then', ({ limit, result, side, then }) => {
    expect(evaluateResult({ [side]: limit, unit: 'mmol/L' }, mmol(result))).toBe(then);
  });

  it.each([
    { fields: { atLeast: 39.5, unit: 'Cel' }, result: '103.1 [degF]', then: 'alert' },
    { fields: { above: 39.5, unit: 'Cel' }, result: '103.1 [degF]', then: 'none' },
    { fields: { above: 39.5, unit: 'Cel' }, result: '103.2 [degF]', then: 'alert' },
    { fields: { atMost: 0, unit: 'Cel' }, result: '32 [degF]', then: 'alert' },
    { fields: { atLeast: 0, unit: 'Cel' }, result: '32 [degF]', then: 'alert' },
    { fields: { above: 39.5, unit: 'Cel' }, result: '>103.1 [degF]', then: 'alert' },
    { fields: { below: 54, unit: 'mg/dL', molarMass: 180.156 }, result: '2.9 mmol/L', then: 'alert' },
    { fields: { below: 54, unit: 'mg/dL', molarMass: 180.156 }, result: '3.1 mmol/L', then: 'none' },
    { fields: { below: 54, unit: 'mg/dL' }, result: '2.9 mmol/L', then: 'units-not-comparable' },
    { fields: { above: 6, unit: 'mmol/L', charge: 1 }, result: '6.1 meq/L', then: 'alert' },
    { fields: { above: 6, unit: 'mmol/L' }, result: '6.1 meq/L', then: 'units-not-comparable' },
    { fields: { above: 6, unit: 'mmol/L' }, result: '6100 umol/L', then: 'alert' },
    { fields: { above: 6, unit: 'mmol/L' }, result: '5900 umol/L', then: 'none' },
    { fields: { below: 90, unit: '%' }, result: '0.89 1', then: 'alert' },
    { fields: { above: 6, unit: 'mmol/L' }, result: '61 boxes', then: 'unit-unknown' },
    { fields: { above: 6, unit: 'mmol/L' }, result: '61', then: 'unit-missing' },
    { fields: { atLeast: 8, unit: '1' }, result: '8', then: 'alert' },
    { fields: { atLeast: 8, unit: '{score}' }, result: '8', then: 'unit-missing' },
    { fields: { above: 6, unit: 'ng/L' }, result: '1e300 kg/L', then: 'not-a-number' },
  ])('given $fields and $result, then $then', ({ fields, result, then }) => {
    expect(evaluateResult(fields, { valueQuantity: quantity(result) })).toBe(then);
  });

  it.each([
    { result: { valueInteger: 8 }, then: 'alert' },
    { result: { valueInteger: 7 }, then: 'none' },
    { result: { valueString: '8' }, then: 'not-a-number' },
    { result: {}, then: 'no-value' },
    { result: { valueQuantity: { value: 9, comparator: 'ad' as '<' } }, then: 'comparator-unknown' },
  ])('given a score of $result, then $then', ({ result, then }) => {
    expect(evaluateResult({ atLeast: 8, unit: '{score}' }, result)).toBe(then);
  });

  it.each([
    { status: 'final', all: 'alert', final: 'alert' },
    { status: 'preliminary', all: 'alert', final: 'none' },
    { status: 'registered', all: 'none', final: 'none' },
    { status: 'entered-in-error', all: 'none', final: 'none' },
  ] as const)('given status $status, then $all, and $final without preliminary ones', ({ status, all, final }) => {
    const fields = { above: 6, unit: 'mmol/L' };
    const result = { ...mmol('7'), status };
    expect(evaluateResult(fields, result)).toBe(all);
    expect(evaluateResult({ ...fields, preliminary: false }, result)).toBe(final);
  });

  it('given an alert, then it has the value in the unit of the rule, and the limit', () => {
    const rule = ruleOf({ below: 36, above: 39.5, unit: 'Cel' });

    expect(evaluate(rule, reading(rule, { valueQuantity: quantity('>104 [degF]') }))).toEqual({
      kind: 'alert',
      by: 'limit',
      amount: { value: 40, comparator: '>', unit: 'Cel' },
      side: 'above',
      threshold: 39.5,
    });
  });
});

describe('when a rule is about the reference range', () => {
  const range = (low?: string, high?: string) => ({
    ...(low && { low: quantity(low) }),
    ...(high && { high: quantity(high) }),
  });
  const normal = range('3.5 mmol/L', '5.1 mmol/L');

  it.each([
    { result: '3.4', ranges: [normal], then: 'alert' },
    { result: '3.5', ranges: [normal], then: 'none' },
    { result: '5.1', ranges: [normal], then: 'none' },
    { result: '5.2', ranges: [normal], then: 'alert' },
    { result: '<3.5', ranges: [normal], then: 'alert' },
    { result: '<=3.5', ranges: [normal], then: 'comparator' },
    { result: '>5.1', ranges: [normal], then: 'alert' },
    { result: '>4', ranges: [normal], then: 'comparator' },
    { result: '5.2', ranges: [range('3500 umol/L', '5100 umol/L')], then: 'alert' },
    { result: '5.1', ranges: [range('3500 umol/L', '5100 umol/L')], then: 'none' },
    { result: '5.2', ranges: [range('3.5 mmol/L')], then: 'none' },
    { result: '5.2', ranges: [range('3.5', '5.1')], then: 'unit-missing' },
    { result: '5.2', ranges: [range('3.5 mg', '5.1 mmol/L')], then: 'alert' },
    { result: '4', ranges: [range('3.5 mg', '5.1 mmol/L')], then: 'units-not-comparable' },
    { result: '4', ranges: [], then: 'no-reference-range' },
    { result: '4', ranges: [{ text: '3.5-5.1' }], then: 'no-reference-range' },
    { result: '5.3', ranges: [normal, range('3.6 mmol/L', '5.2 mmol/L')], then: 'alert' },
    { result: '5.2', ranges: [normal, range('3.6 mmol/L', '5.2 mmol/L')], then: 'reference-ranges-disagree' },
    { result: '4', ranges: [normal, range('3.6 mmol/L', '5.2 mmol/L')], then: 'none' },
  ])('given $result and $ranges, then $then', ({ result, ranges, then }) => {
    expect(evaluateResult({ outsideReferenceRange: true }, { ...mmol(result), referenceRange: ranges })).toBe(then);
  });

  it('given neither has a unit, then the units count as equal', () => {
    const result = { valueQuantity: { value: 5.2 }, referenceRange: [range('3.5', '5.1')] };
    expect(evaluateResult({ outsideReferenceRange: true }, result)).toBe('alert');
  });

  it('given an alert, then it has the bound in the unit of the range', () => {
    const rule = ruleOf({ outsideReferenceRange: true });
    const result = { ...mmol('3.4'), referenceRange: [range('3500 umol/L', '5100 umol/L')] };

    expect(evaluate(rule, reading(rule, result))).toEqual({
      kind: 'alert',
      by: 'reference-range',
      amount: { value: 3400, comparator: undefined, unit: 'umol/L' },
      side: 'below',
      threshold: 3500,
    });
  });
});

describe('when a rule is about the interpretation', () => {
  const coded = (...codes: string[]) => codes.map((code) => ({ coding: [{ system: V3, code }] }));

  it.each([
    { codes: ['HH'], then: 'alert' },
    { codes: ['N', 'LL'], then: 'alert' },
    { codes: ['H'], then: 'none' },
    { codes: ['hh'], then: 'none' },
    { codes: [], then: 'no-interpretation' },
  ])('given $codes, then $then', ({ codes, then }) => {
    expect(evaluateResult({ interpretation: ['HH', 'LL'] }, { interpretation: coded(...codes) })).toBe(then);
  });

  it('given an alert, then it has the code, and the value if it is a number', () => {
    const rule = ruleOf({ interpretation: ['HH', 'LL'] });
    const facts = { kind: 'alert', by: 'interpretation', interpretation: 'LL' };

    expect(evaluate(rule, reading(rule, { interpretation: coded('LL'), valueString: 'low' }))).toEqual(facts);
    expect(evaluate(rule, reading(rule, { interpretation: coded('LL'), ...mmol('2') }))).toEqual({
      ...facts,
      amount: { value: 2, comparator: undefined, unit: 'mmol/L' },
    });
  });
});

describe('when a rule is about the previous result', () => {
  const CREATININE = { code: '2160-0', within: '48h', molarMass: 113.12 };
  const code = { coding: [{ system: LOINC, code: '2160-0' }] };
  const NOW = '2026-03-10T08:00:00Z';
  const BEFORE = '2026-03-09T08:00:00Z';

  const creatinine = (text: string, fields: Partial<Observation> = {}) => ({
    code,
    id: 'now',
    effectiveDateTime: NOW,
    valueQuantity: quantity(text.includes(' ') ? text : `${text} mg/dL`),
    ...fields,
  });

  function compare(fields: Record<string, unknown>, now: Partial<Observation>, before?: Partial<Observation>) {
    const rule = ruleOf({ ...CREATININE, ...fields });
    return evaluate(rule, reading(rule, now), before && reading(rule, { id: 'before', ...before }));
  }
  const all = (outcome: string) => ({ rise: outcome, fall: outcome, change: outcome });
  const earlier = (text: string, fields: Partial<Observation> = {}) =>
    creatinine(text, { id: 'before', effectiveDateTime: BEFORE, ...fields });

  it.each([
    { was: '1.0', is: '1.3', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '1.1', is: '1.4', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '1.0', is: '1.29', rise: 'none', fall: 'none', change: 'none' },
    { was: '1.3', is: '1.0', rise: 'none', fall: 'alert', change: 'alert' },
    { was: '1.4', is: '1.1', rise: 'none', fall: 'alert', change: 'alert' },
    { was: '1.0', is: '1.0', rise: 'none', fall: 'none', change: 'none' },
    { was: '1.0', is: '>1.3', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '1.0', is: '>1.2', rise: 'comparator', fall: 'none', change: 'comparator' },
    { was: '<0.2', is: '0.5', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '<0.2', is: '0.4', rise: 'comparator', fall: 'none', change: 'comparator' },
    { was: '1.0', is: '<1.3', rise: 'none', fall: 'comparator', change: 'comparator' },
    { was: '>1.0', is: '1.3', rise: 'none', fall: 'comparator', change: 'comparator' },
    { was: '>10', is: '>10', rise: 'comparator', fall: 'comparator', change: 'comparator' },
    { was: '>10', is: '1', rise: 'none', fall: 'alert', change: 'alert' },
    { was: '88.4 umol/L', is: '1.31', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '1.0', is: '106 umol/L', rise: 'none', fall: 'none', change: 'none' },
    { was: '1.0 mg', is: '1.3', ...all('units-not-comparable') },
  ])('given $was, then $is: rise $rise, fall $fall, change $change', ({ was, is, ...expected }) => {
    const found = Object.keys(expected).map((direction) => [
      direction,
      outcomeOf(compare({ [direction]: 0.3, unit: 'mg/dL' }, creatinine(is), earlier(was))),
    ]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it.each([
    { was: '1.0', is: '1.5', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '1.1', is: '1.65', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '1.0', is: '1.49', rise: 'none', fall: 'none', change: 'none' },
    { was: '1.0', is: '0.5', rise: 'none', fall: 'alert', change: 'alert' },
    { was: '1.0', is: '0.51', rise: 'none', fall: 'none', change: 'none' },
    { was: '<0.2', is: '0.3', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '<0.2', is: '0', rise: 'none', fall: 'alert', change: 'alert' },
    { was: '<0.2', is: '0.29', rise: 'comparator', fall: 'none', change: 'comparator' },
    { was: '1.0', is: '133 umol/L', rise: 'alert', fall: 'none', change: 'alert' },
    { was: '0', is: '1', ...all('previous-not-positive') },
    { was: '-1', is: '1', ...all('previous-not-positive') },
  ])('given $was, then $is, by half: rise $rise, fall $fall, change $change', ({ was, is, ...expected }) => {
    const found = Object.keys(expected).map((direction) => [
      direction,
      outcomeOf(compare({ [`${direction}Percent`]: 50 }, creatinine(is), earlier(was))),
    ]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it.each([
    { what: 'nothing left', was: '1', is: '0', then: 'alert' },
    { what: 'a little left', was: '1', is: '0.01', then: 'none' },
    { what: 'more than anybody can say before, and nothing left', was: '>1', is: '0', then: 'alert' },
  ])('given a fall by 100 percent and $what, then $then', ({ was, is, then }) => {
    expect(outcomeOf(compare({ fallPercent: 100 }, creatinine(is), earlier(was)))).toBe(then);
  });

  it.each([
    { was: '37 Cel', is: '39 Cel' },
    { was: '98.6 [degF]', is: '39 Cel' },
  ])('given percents of a temperature, $was and $is, then the rule is undecided', ({ was, is }) => {
    expect(outcomeOf(compare({ risePercent: 5 }, creatinine(is), earlier(was)))).toBe('units-not-comparable');
  });

  it('given temperatures, then their difference is in the unit of the rule', () => {
    const fields = { rise: 2, unit: 'Cel' };
    expect(outcomeOf(compare(fields, creatinine('102.2 [degF]'), earlier('98.6 [degF]')))).toBe('alert');
    expect(outcomeOf(compare(fields, creatinine('102.1 [degF]'), earlier('98.6 [degF]')))).toBe('none');
  });

  it.each([
    { what: '48 hours before', fields: { effectiveDateTime: '2026-03-08T08:00:00Z' }, then: 'alert' },
    { what: 'a millisecond more', fields: { effectiveDateTime: '2026-03-08T07:59:59.999Z' }, then: 'none' },
    { what: 'the day before without a time', fields: { effectiveDateTime: '2026-03-09' }, then: 'alert' },
    { what: 'at the same time, with an id before it', fields: { effectiveDateTime: NOW, id: 'a' }, then: 'alert' },
    { what: 'at the same time, with an id after it', fields: { effectiveDateTime: NOW, id: 'z' }, then: 'none' },
    { what: 'later', fields: { effectiveDateTime: '2026-03-10T08:00:01Z' }, then: 'none' },
    { what: 'before, but entered in error', fields: { status: 'entered-in-error' as const }, then: 'none' },
    { what: 'before, without a number', fields: { valueQuantity: {} }, then: 'no-value' },
  ])('given the previous result is $what, then $then', ({ fields, then }) => {
    expect(outcomeOf(compare({ rise: 0.3, unit: 'mg/dL' }, creatinine('2'), earlier('1', fields)))).toBe(then);
  });

  it('given no previous result, no patient or no time, then there is nothing to compare', () => {
    const fields = { rise: 0.3, unit: 'mg/dL' };
    expect(outcomeOf(compare(fields, creatinine('2')))).toBe('none');
    expect(outcomeOf(compare(fields, creatinine('2', { subject: {} }), earlier('1')))).toBe('no-subject');
    expect(outcomeOf(compare(fields, creatinine('2', { effectiveDateTime: '' }), earlier('1')))).toBe('no-time');
  });

  it('given an alert, then it has both values in the unit of the rule, and names the other result', () => {
    expect(compare({ change: 0.3, unit: 'mg/dL' }, creatinine('1'), earlier('1.5'))).toEqual({
      kind: 'alert',
      by: 'delta',
      amount: { value: 1, comparator: undefined, unit: 'mg/dL' },
      side: 'fall',
      threshold: 0.3,
      previous: {
        amount: { value: 1.5, comparator: undefined, unit: 'mg/dL' },
        takenAt: new Date(BEFORE),
        observationId: 'before',
      },
    });
    expect(compare({ risePercent: 50 }, creatinine('2'), earlier('1'))).toMatchObject({
      side: 'risePercent',
      threshold: 50,
    });
  });
});

describe('when results come in any form', () => {
  const units = [
    { unit: 'mg/dL', per: 1 },
    { unit: 'g/L', per: 0.01 },
    { unit: 'mg/L', per: 10 },
    { unit: 'ug/mL', per: 10 },
    { unit: 'g/dL', per: 0.001 },
    { unit: 'mmol/L', per: 10 / 180.156 },
    { unit: 'umol/L', per: 10_000 / 180.156 },
  ];
  const IN_MG = { unit: 'mg/dL', molarMass: 180.156 };
  const hundredths = fc.integer({ min: 0, max: 100_000 }).map((n) => n / 100);

  it('given a value in any unit, then the decision is the same as in the unit of the rule', () => {
    const comparators = fc.constantFrom('', '<', '<=', '>', '>=');
    const sides = fc.constantFrom('above', 'atLeast', 'below', 'atMost');
    const values = fc.oneof(hundredths, fc.constant('limit' as const));
    const others = [
      ...units.map(({ unit, per }) => ({ ...IN_MG, inOther: (n: number) => `${n * per} ${unit}` })),
      { unit: 'Cel', inOther: (n: number) => `${Number((n * 1.8 + 32).toFixed(3))} [degF]` },
    ];
    fc.assert(
      fc.property(
        values,
        hundredths,
        sides,
        comparators,
        fc.constantFrom(...others),
        (value, limit, side, c, other) => {
          const number = value === 'limit' ? limit : value;
          const { inOther, ...fields } = { [side]: limit, ...other };
          const inRuleUnit = evaluateResult(fields, { valueQuantity: quantity(`${c}${number} ${other.unit}`) });
          expect(evaluateResult(fields, { valueQuantity: quantity(`${c}${inOther(number)}`) })).toBe(inRuleUnit);
        },
      ),
      { numRuns: 1_200 },
    );
  });

  it('given two results in any units, then the decision about their difference is the same', () => {
    const fields = fc.constantFrom<Record<string, unknown>>(
      { rise: 0.3, unit: 'mg/dL' },
      { fall: 0.3, unit: 'mg/dL' },
      { change: 20, unit: 'mg/dL' },
      { risePercent: 50 },
      { fallPercent: 50 },
    );
    const unit = fc.constantFrom(...units);
    fc.assert(
      fc.property(fields, hundredths, hundredths, unit, unit, (condition, was, is, one, two) => {
        const rule = ruleOf({ within: '7d', molarMass: 180.156, ...condition });
        const decide = (a: string, b: string) =>
          outcomeOf(
            evaluate(
              rule,
              reading(rule, { valueQuantity: quantity(b), effectiveDateTime: '2026-03-03' }),
              reading(rule, { id: 'before', valueQuantity: quantity(a), effectiveDateTime: '2026-03-02' }),
            ),
          );
        const expected = decide(`${was} mg/dL`, `${is} mg/dL`);
        expect(decide(`${was * one.per} ${one.unit}`, `${is * two.per} ${two.unit}`)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it('given any JSON in its places, then there is a decision, and nothing is thrown', () => {
    const conditions = [
      { above: 6, below: 2, unit: 'mmol/L' },
      { outsideReferenceRange: true },
      { interpretation: ['HH'] },
      { change: 1, unit: 'mmol/L', within: '48h' },
      { changePercent: 1, within: '48h' },
    ];
    const rules = conditions.map(ruleOf);
    const amount = fc.record(
      {
        value: fc.oneof(fc.double(), fc.jsonValue()),
        unit: fc.oneof(fc.string(), fc.constantFrom('mmol/L', 'mg')),
        comparator: fc.constantFrom('<', '>', 'x'),
      },
      { requiredKeys: [] },
    );
    const any = fc.oneof(
      fc.jsonValue(),
      amount,
      fc.array(fc.record({ low: amount, high: amount }, { requiredKeys: [] })),
    );
    const names = 'id status subject effectiveDateTime valueQuantity valueInteger referenceRange interpretation'.split(
      ' ',
    );
    const results = fc.dictionary(fc.constantFrom(...names), any);
    fc.assert(
      fc.property(fc.constantFrom(...rules), results, results, (rule, now, before) => {
        const [a, b] = [now, before].map((fields) =>
          readingFor(rule, { ...observation(), ...fields } as unknown as Observation),
        );
        if (a === undefined) throw new Error('The code is right.');
        expect(['alert', 'none', 'undecided']).toContain(evaluate(rule, a, b).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});
