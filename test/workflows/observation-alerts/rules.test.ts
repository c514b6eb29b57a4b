import fc from 'fast-check';
import { loadRules } from '../../../src/workflows/observation-alerts/load-rules.js';
import { readRules } from '../../../src/workflows/observation-alerts/rules.js';

const POTASSIUM = { name: 'potassium', code: '2823-3', above: 6, unit: 'mmol/L', severity: 'critical' };
const RANGE = { name: 'range', code: '2823-3', outsideReferenceRange: true, severity: 'info' };
const RISE = { name: 'rise', code: '2160-0', rise: 0.3, unit: 'mg/dL', within: '48h', severity: 'warning' };
const LOINC = 'http://loinc.org';

type Fields = Record<string, unknown>;
const fileOf = (...rules: unknown[]) => JSON.stringify({ rules });

function ruleOf(fields: Fields) {
  const read = readRules(fileOf(fields));
  if (read.kind === 'wrong') throw new Error(JSON.stringify(read.problems));
  return read.rules[0];
}

/** `path message` of each problem. */
function problemsIn(text: string): string[] {
  const read = readRules(text);
  return read.kind === 'ok' ? [] : read.problems.map(({ path, message }) => `${path} ${message}`);
}

describe('when rules are read', () => {
  it('given a limit, then the rule', () => {
    expect(ruleOf(POTASSIUM)).toEqual({
      name: 'potassium',
      codes: [{ system: LOINC, code: '2823-3' }],
      componentCodes: undefined,
      condition: { kind: 'limits', upper: { side: 'above', value: 6 }, lower: undefined, unit: 'mmol/L' },
      severity: 'critical',
      takesPreliminary: true,
      analyte: { molarMass: undefined, charge: undefined },
    });
  });

  it('given codes of other systems, a component, an analyte and final results alone, then each of them', () => {
    const local = { system: 'urn:oid:1.2.3', code: 'BP' };
    const fields = { ...POTASSIUM, code: ['85354-9', local], component: '8480-6', preliminary: false };

    expect(ruleOf({ ...fields, molarMass: 39.1, charge: 1 })).toMatchObject({
      codes: [{ system: LOINC, code: '85354-9' }, local],
      componentCodes: [{ system: LOINC, code: '8480-6' }],
      takesPreliminary: false,
      analyte: { molarMass: 39.1, charge: 1 },
    });
  });

  it.each([
    { fields: { atLeast: 6 }, upper: { side: 'atLeast', value: 6 }, lower: undefined },
    { fields: { below: 2 }, upper: undefined, lower: { side: 'below', value: 2 } },
    { fields: { atMost: 0 }, upper: undefined, lower: { side: 'atMost', value: 0 } },
    { fields: { above: 6, below: 2 }, upper: { side: 'above', value: 6 }, lower: { side: 'below', value: 2 } },
    { fields: { atLeast: 6, atMost: -2 }, upper: { side: 'atLeast', value: 6 }, lower: { side: 'atMost', value: -2 } },
  ])('given $fields, then these limits', ({ fields, upper, lower }) => {
    const { above: _, ...rest } = POTASSIUM;
    expect(ruleOf({ ...rest, ...fields })?.condition).toEqual({ kind: 'limits', upper, lower, unit: 'mmol/L' });
  });

  it.each([
    { fields: { rise: 0.3, unit: 'mg/dL', within: '48h' }, direction: 'rise', withinMs: 172_800_000 },
    { fields: { fall: 0.3, unit: 'mg/dL', within: '90m' }, direction: 'fall', withinMs: 5_400_000 },
    { fields: { change: 0.3, unit: 'mg/dL', within: '366d' }, direction: 'change', withinMs: 31_622_400_000 },
  ])('given $fields, then a delta by an amount', ({ fields, direction, withinMs }) => {
    const condition = { kind: 'delta', direction, by: { kind: 'amount', amount: 0.3, unit: 'mg/dL' }, withinMs };
    expect(ruleOf({ name: 'delta', code: '2160-0', severity: 'info', ...fields })?.condition).toEqual(condition);
  });

  it.each([
    { fields: { risePercent: 50 }, direction: 'rise' },
    { fields: { fallPercent: 50 }, direction: 'fall' },
    { fields: { changePercent: 50 }, direction: 'change' },
  ])('given $fields, then a delta by percent', ({ fields, direction }) => {
    const condition = { kind: 'delta', direction, by: { kind: 'percent', percent: 50 }, withinMs: 604_800_000 };
    const rule = { name: 'delta', code: '2160-0', severity: 'info', within: '7d', ...fields };
    expect(ruleOf(rule)?.condition).toEqual(condition);
  });

  it('given the reference range or an interpretation, then these', () => {
    expect(ruleOf(RANGE)?.condition).toEqual({ kind: 'reference-range' });
    const { outsideReferenceRange: _, ...rest } = RANGE;
    const codes = ['HH', 'LL'];
    expect(ruleOf({ ...rest, interpretation: codes })?.condition).toEqual({ kind: 'interpretation', codes });
  });

  it('given no rule, notes, and a byte order mark, then there is no problem', () => {
    expect(readRules('\uFEFF{"note":"none yet","rules":[]}')).toEqual({ kind: 'ok', rules: [] });
  });

  it.each(['2823-3', '6298-4', '2345-7', '718-7', '59408-5', '85354-9', '8480-6', '8310-5', '10000-8'])(
    'given LOINC %s, then its check digit is right',
    (code) => {
      expect(problemsIn(fileOf({ ...POTASSIUM, code }))).toEqual([]);
    },
  );
});

describe('when a file of rules is wrong', () => {
  const CODES = 'a LOINC code, { system, code }, or a list of them';
  const CHECKED = "a LOINC code, with its check digit, as '2823-3'";

  it.each([
    { text: '', problem: 'line 1, column 1 is where the file stops being JSON' },
    {
      text: '{\n  "rules": [\n    { "name": "a", }\n  ]\n}',
      problem: 'line 3, column 20 is where the file stops being JSON',
    },
    { text: '{"rules": []', problem: 'line 1, column 13 is where the file stops being JSON' },
    { text: '// none\n{}', problem: 'line 1, column 1 is where the file stops being JSON' },
    { text: 'null', problem: '$ is null, must be { "rules": [ … ] }' },
    { text: '[]', problem: '$ is an empty list, must be { "rules": [ … ] }' },
    { text: '{}', problem: 'rules is missing, must be a list of rules' },
    { text: '{"rules":{}}', problem: 'rules is an object, must be a list of rules' },
    { text: '{"rules":[],"rule":1}', problem: 'rule is no property that is known here' },
    { text: '{"rules":["a"]}', problem: 'rules[0] is "a", must be a rule, an object' },
  ])('given $text, then $problem', ({ text, problem }) => {
    expect(problemsIn(text)).toEqual([problem]);
  });

  it.each([
    { fields: { name: undefined }, problem: "name is missing, must be a name of a-z, 0-9 and '-'" },
    {
      fields: { name: 'Potassium' },
      problem: `name is "Potassium", must be 1 to 63 of a-z, 0-9 and '-', a letter first`,
    },
    { fields: { code: undefined }, problem: `code is missing, must be ${CODES}` },
    { fields: { code: 28233 }, problem: `code is 28233, must be ${CODES}` },
    { fields: { code: [] }, problem: `code is an empty list, must be ${CODES}` },
    { fields: { code: '2823-4' }, problem: `code is "2823-4", must be ${CHECKED}` },
    { fields: { code: 'K' }, problem: `code is "K", must be ${CHECKED}` },
    { fields: { code: ['2823-3', '6298-5'] }, problem: `code[1] is "6298-5", must be ${CHECKED}` },
    { fields: { code: { system: 'x' } }, problem: 'code.code is missing, must be a code of that system' },
    { fields: { code: [{ code: 'x' }] }, problem: 'code[0].system is missing, must be the URI of a code system' },
    {
      fields: { code: { system: 'x', code: 'y', display: 'z' } },
      problem: 'code.display is no property that is known here',
    },
    { fields: { component: '8480-7' }, problem: `component is "8480-7", must be ${CHECKED}` },
    { fields: { above: '6' }, problem: 'above is "6", must be a number' },
    { fields: { above: null }, problem: 'above is null, must be a number' },
    { fields: { unit: undefined }, problem: 'unit is missing, must be there with this condition' },
    { fields: { unit: ' ' }, problem: 'unit is " ", must be a unit of UCUM' },
    {
      fields: { unit: 'mmol per L' },
      problem: 'unit is "mmol per L", must be a unit of UCUM, as mmol/L, 10*9/L, mm[Hg], Cel or %',
    },
    {
      fields: { unit: 'mmHg' },
      problem: 'unit is "mmHg", must be a unit of UCUM, as mmol/L, 10*9/L, mm[Hg], Cel or %',
    },
    { fields: { severity: undefined }, problem: "severity is missing, must be 'info', 'warning' or 'critical'" },
    { fields: { severity: 'high' }, problem: `severity is "high", must be 'info', 'warning' or 'critical'` },
    { fields: { preliminary: 'no' }, problem: 'preliminary is "no", must be true or false' },
    { fields: { molarMass: 0 }, problem: 'molarMass is 0, must be a number over 0, in g/mol' },
    { fields: { charge: 1.5 }, problem: 'charge is 1.5, must be a whole number from 1 to 10' },
    { fields: { note: 1 }, problem: 'note is 1, must be a text' },
    { fields: { limit: 6 }, problem: 'limit is no property that is known here' },
    { fields: { within: '48h' }, problem: 'within is there, must be left out with this condition' },
    { fields: { atLeast: 7 }, problem: 'atLeast stands beside above, must be in a rule of its own' },
    { fields: { below: 6 }, problem: 'below is 6, must be less than 6: a rule alerts outside of a range' },
    { fields: { atMost: 7 }, problem: 'atMost is 7, must be less than 6: a rule alerts outside of a range' },
    {
      fields: { above: undefined },
      problem:
        ' has no condition, must have one of above, atLeast, below, atMost, outsideReferenceRange, interpretation, rise, fall, change, risePercent, fallPercent, changePercent',
    },
    {
      fields: { rise: 1, within: '48h' },
      problem: ' has above, rise, must have one kind of condition; make a rule of each',
    },
  ])('given a limit with $fields, then $problem', ({ fields, problem }) => {
    const place = problem.startsWith(' ') ? 'rules[0]' : 'rules[0].';
    expect(problemsIn(fileOf({ ...POTASSIUM, ...fields }))).toEqual([`${place}${problem}`]);
  });

  it.each([
    { fields: { rise: 0 }, problem: 'rise is 0, must be a number over 0' },
    { fields: { rise: -0.3 }, problem: 'rise is -0.3, must be a number over 0' },
    { fields: { within: undefined }, problem: 'within is missing, must be there with this condition' },
    { fields: { within: 48 }, problem: "within is 48, must be a time, as '48h'" },
    {
      fields: { within: '2 days' },
      problem: `within is "2 days", must be a time of up to 366 days, as '30m', '48h' or '7d'`,
    },
    {
      fields: { within: '367d' },
      problem: `within is "367d", must be a time of up to 366 days, as '30m', '48h' or '7d'`,
    },
    { fields: { fall: 1 }, problem: 'fall stands beside rise, must be in a rule of its own' },
    {
      fields: { rise: undefined, fallPercent: 101, unit: undefined },
      problem: 'fallPercent is 101, must be a number from 0 to 100, of percent',
    },
    { fields: { rise: undefined, risePercent: 50 }, problem: 'unit is there, must be left out with this condition' },
  ])('given a delta with $fields, then $problem', ({ fields, problem }) => {
    expect(problemsIn(fileOf({ ...RISE, ...fields }))).toEqual([`rules[0].${problem}`]);
  });

  it.each([
    { fields: { outsideReferenceRange: false }, problem: 'outsideReferenceRange is false, must be true' },
    { fields: { unit: 'mg/dL' }, problem: 'unit is there, must be left out with this condition' },
    {
      fields: { outsideReferenceRange: undefined, interpretation: [] },
      problem: 'interpretation is an empty list, must be a list of one code or more',
    },
    {
      fields: { outsideReferenceRange: undefined, interpretation: 'HH' },
      problem: 'interpretation is "HH", must be a list of codes',
    },
    {
      fields: { outsideReferenceRange: undefined, interpretation: ['HH', 'high'] },
      problem: 'interpretation[1] is "high", must be one of A, AA, H, HH, HU, L, LL, LU, POS, DET, R',
    },
  ])('given an interpretation rule with $fields, then $problem', ({ fields, problem }) => {
    expect(problemsIn(fileOf({ ...RANGE, ...fields }))).toEqual([`rules[0].${problem}`]);
  });

  it('given a number that no double can hold, then it is said to be too large', () => {
    const text = fileOf(POTASSIUM).replace('"above":6', '"above":1e999');
    expect(problemsIn(text)).toEqual(['rules[0].above is too large a number, must be a number']);
  });

  it('given a name twice, then the problem names the second rule and the first', () => {
    expect(problemsIn(fileOf(POTASSIUM, RISE, { ...RANGE, name: 'potassium' }))).toEqual([
      'rules[2].name is that of rules[0], must be its own',
    ]);
  });

  it('given many problems, then all of them at once', () => {
    const file = fileOf({ ...POTASSIUM, code: 'K', unit: 'mmHg', severity: 'x', more: 1 }, 5, {
      ...RISE,
      within: '1y',
    });

    expect(problemsIn(file)).toEqual([
      `rules[0].code is "K", must be ${CHECKED}`,
      `rules[0].severity is "x", must be 'info', 'warning' or 'critical'`,
      'rules[0].more is no property that is known here',
      'rules[1] is 5, must be a rule, an object',
      `rules[2].within is "1y", must be a time of up to 366 days, as '30m', '48h' or '7d'`,
      'rules[0].unit is "mmHg", must be a unit of UCUM, as mmol/L, 10*9/L, mm[Hg], Cel or %',
    ]);
  });

  it('given any text or JSON, then it returns the problems and does not throw', () => {
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom('2823-3', 'mmol/L', 'mmHg', 6, true, '48h', null));
    const names = fc.constantFrom(
      ...Object.keys({ ...POTASSIUM, ...RANGE, ...RISE }),
      'component',
      'below',
      '__proto__',
    );
    const rules = fc.array(fc.oneof(fc.dictionary(names, values), fc.jsonValue()), { maxLength: 4 });
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      rules.map((all) => fileOf(...all)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const read = readRules(text);
        expect(read.kind === 'ok' || read.problems.length > 0).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('given very deep nesting, then it is reported as any other value', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect(problemsIn(`{"rules":[${deep}]}`)).toEqual(['rules[0] is a list, must be a rule, an object']);
  });
});

describe('when rules of one code have different units', () => {
  const MG = { ...POTASSIUM, name: 'mg', unit: 'mg/dL' };
  const problem = (path: string, unit: string, other: string) =>
    `${path}.unit is ${unit}, that of ${other} for the same code mmol/L: must be comparable, by itself or with a molarMass or charge`;

  it('given that they compare, then there is no problem', () => {
    expect(problemsIn(fileOf(POTASSIUM, { ...POTASSIUM, name: 'umol', unit: 'umol/mL' }))).toEqual([]);
  });

  it('given units that cannot be compared, then the problem names the second rule', () => {
    expect(problemsIn(fileOf(POTASSIUM, MG))).toEqual([problem('rules[1]', 'mg/dL', 'rules[0]')]);
  });

  it('given the first of a list of codes is another, then it is still seen', () => {
    const second = { ...MG, code: ['6298-4', { system: LOINC, code: '2823-3' }] };
    expect(problemsIn(fileOf(POTASSIUM, second))).toEqual([problem('rules[1]', 'mg/dL', 'rules[0]')]);
  });

  it.each([
    { what: 'a molar mass in one of them', rules: [POTASSIUM, { ...MG, molarMass: 39.1 }] },
    {
      what: 'a charge in the other',
      rules: [
        { ...POTASSIUM, charge: 1 },
        { ...MG, unit: 'meq/L' },
      ],
    },
    {
      what: 'another component',
      rules: [
        { ...POTASSIUM, component: '8480-6' },
        { ...MG, component: '8462-4' },
      ],
    },
    { what: 'another code', rules: [POTASSIUM, { ...MG, code: '2345-7' }] },
  ])('given $what, then there is no problem', ({ rules }) => {
    expect(problemsIn(fileOf(...rules))).toEqual([]);
  });
});

describe('when rules are loaded', () => {
  const never = () => {
    throw new Error('nothing is to be read');
  };

  it('given no path, then those that come with the app', () => {
    const loaded = loadRules(undefined, never);
    expect(loaded).toMatchObject({
      kind: 'ok',
      rules: expect.arrayContaining([expect.objectContaining({ name: 'potassium-critical' })]),
    });
  });

  it('given a path, then those in the file', () => {
    const loaded = loadRules('mine.json', (path) => (path === 'mine.json' ? fileOf(POTASSIUM) : ''));
    expect(loaded).toMatchObject({ kind: 'ok', rules: [{ name: 'potassium' }] });
  });

  it('given problems in it, then a line for each', () => {
    expect(loadRules('mine.json', () => fileOf({ ...POTASSIUM, above: '6', severity: 1 }))).toEqual({
      kind: 'wrong',
      problems: [
        'mine.json: rules[0].above is "6", must be a number',
        "mine.json: rules[0].severity is 1, must be 'info', 'warning' or 'critical'",
      ],
    });
  });

  it('given no such file, then that', () => {
    const missing = () => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    };
    expect(loadRules('mine.json', missing)).toEqual({
      kind: 'wrong',
      problems: ['ALERT_RULES names a file that cannot be read (ENOENT): mine.json'],
    });
  });

  it('given an error that is none of the file system, then it is thrown', () => {
    expect(() => loadRules('mine.json', never)).toThrow('nothing is to be read');
  });
});
