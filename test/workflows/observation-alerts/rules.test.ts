import fc from 'fast-check';
import { loadRules, readRules } from '../../../src/workflows/observation-alerts/rules.js';

const POTASSIUM = { name: 'potassium', code: '2823-3', above: 6, unit: 'mmol/L', severity: 'critical' };
const POTASSIUM_LIMIT = { side: 'above', value: 6 };
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
  it('given a limit, then the rule is read', () => {
    expect(ruleOf(POTASSIUM)).toEqual({
      name: 'potassium',
      codes: [{ system: LOINC, code: '2823-3' }],
      componentCodes: undefined,
      condition: { kind: 'limits', limits: [{ side: 'above', value: 6 }], unit: 'mmol/L' },
      severity: 'critical',
      takesPreliminary: true,
      analyte: { molarMass: undefined, charge: undefined },
    });
  });

  it('given codes of other systems, a component, an analyte and `final`, then the rule has each of them', () => {
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
    { fields: { atLeast: 6 }, limits: [{ side: 'atLeast', value: 6 }] },
    { fields: { below: 2 }, limits: [{ side: 'below', value: 2 }] },
    { fields: { above: 6, atMost: 0 }, limits: [POTASSIUM_LIMIT, { side: 'atMost', value: 0 }] },
  ])('given $fields, then the rule has these limits', ({ fields, limits }) => {
    const { above: _, ...rest } = POTASSIUM;
    expect(ruleOf({ ...rest, ...fields })?.condition).toEqual({ kind: 'limits', limits, unit: 'mmol/L' });
  });

  it.each([
    { fields: { rise: 0.3, within: '48h' }, movements: ['rise'], withinMs: 172_800_000 },
    { fields: { fall: 0.3, within: '90m' }, movements: ['fall'], withinMs: 5_400_000 },
    { fields: { change: 0.3, within: '366d' }, movements: ['rise', 'fall'], withinMs: 31_622_400_000 },
  ])('given $fields, then the rule has a delta by an amount', ({ fields, movements, withinMs }) => {
    const condition = { kind: 'delta', movements, size: 0.3, unit: 'mg/dL', withinMs };
    expect(ruleOf({ ...RISE, rise: undefined, ...fields })?.condition).toEqual(condition);
  });

  it.each([
    { fields: { risePercent: 50 }, movements: ['rise'] },
    { fields: { fallPercent: 50 }, movements: ['fall'] },
    { fields: { changePercent: 50 }, movements: ['rise', 'fall'] },
  ])('given $fields, then the rule has a delta by percent', ({ fields, movements }) => {
    const condition = { kind: 'delta', movements, size: 50, unit: undefined, withinMs: 604_800_000 };
    expect(ruleOf({ ...RISE, rise: undefined, unit: undefined, within: '7d', ...fields })?.condition).toEqual(
      condition,
    );
  });

  it('given the reference range or an interpretation, then the rule has it', () => {
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
    ['', 'line 1, column 1 is where the file stops being JSON'],
    ['{\n  "rules": [\n    { "name": "a", }\n  ]\n}', 'line 3, column 20 is where the file stops being JSON'],
    ['{"rules": []', 'line 1, column 13 is where the file stops being JSON'],
    ['// none\n{}', 'line 1, column 1 is where the file stops being JSON'],
    ['null', '$ is null, must be { "rules": [ … ] }'],
    ['[]', '$ is an empty list, must be { "rules": [ … ] }'],
    ['{}', 'rules is missing, must be a list of rules'],
    ['{"rules":{}}', 'rules is an object, must be a list of rules'],
    ['{"rules":[],"rule":1}', 'rule is no property that is known here'],
    ['{"rules":["a"]}', 'rules[0] is "a", must be a rule, an object'],
  ])('given %j, then %s', (text, problem) => {
    expect(problemsIn(text)).toEqual([problem]);
  });

  it.each<[Fields, string]>([
    [{ name: undefined }, "name is missing, must be a name of a-z, 0-9 and '-'"],
    [{ name: 'Potassium' }, `name is "Potassium", must be 1 to 63 of a-z, 0-9 and '-', a letter first`],
    [{ code: undefined }, `code is missing, must be ${CODES}`],
    [{ code: 28233 }, `code is 28233, must be ${CODES}`],
    [{ code: [] }, `code is an empty list, must be ${CODES}`],
    [{ code: '2823-4' }, `code is "2823-4", must be ${CHECKED}`],
    [{ code: 'K' }, `code is "K", must be ${CHECKED}`],
    [{ code: ['2823-3', '6298-5'] }, `code[1] is "6298-5", must be ${CHECKED}`],
    [{ code: { system: 'x' } }, 'code.code is missing, must be a code of that system'],
    [{ code: [{ code: 'x' }] }, 'code[0].system is missing, must be the URI of a code system'],
    [{ code: { system: 'x', code: 'y', display: 'z' } }, 'code.display is no property that is known here'],
    [{ component: '8480-7' }, `component is "8480-7", must be ${CHECKED}`],
    [{ above: '6' }, 'above is "6", must be a number'],
    [{ above: null }, 'above is null, must be a number'],
    [{ unit: undefined }, 'unit is missing, must be there with this condition'],
    [{ unit: ' ' }, 'unit is " ", must be a unit of UCUM'],
    [{ unit: 'mmol per L' }, 'unit is "mmol per L", must be a unit of UCUM, as mmol/L, 10*9/L, mm[Hg], Cel or %'],
    [{ unit: 'mmHg' }, 'unit is "mmHg", must be a unit of UCUM, as mmol/L, 10*9/L, mm[Hg], Cel or %'],
    [{ severity: undefined }, "severity is missing, must be 'info', 'warning' or 'critical'"],
    [{ severity: 'high' }, `severity is "high", must be 'info', 'warning' or 'critical'`],
    [{ preliminary: 'no' }, 'preliminary is "no", must be true or false'],
    [{ molarMass: 0 }, 'molarMass is 0, must be a number over 0, in g/mol'],
    [{ charge: 1.5 }, 'charge is 1.5, must be a whole number from 1 to 10'],
    [{ note: 1 }, 'note is 1, must be a text'],
    [{ limit: 6 }, 'limit is no property that is known here'],
    [{ within: '48h' }, 'within is there, must be left out with this condition'],
    [{ atLeast: 7 }, 'atLeast stands beside above, must be in a rule of its own'],
    [{ below: 6 }, 'below is 6, must be less than 6: a rule alerts outside of a range'],
    [{ atMost: 7 }, 'atMost is 7, must be less than 6: a rule alerts outside of a range'],
    [
      { above: undefined },
      ' has no condition, must have one of above, atLeast, below, atMost, outsideReferenceRange, interpretation, rise, fall, change, risePercent, fallPercent, changePercent',
    ],
    [{ rise: 1, within: '48h' }, ' has above, rise, must have one kind of condition; make a rule of each'],
  ])('given a limit with %p, then %s', (fields, problem) => {
    const place = problem.startsWith(' ') ? 'rules[0]' : 'rules[0].';
    expect(problemsIn(fileOf({ ...POTASSIUM, ...fields }))).toEqual([`${place}${problem}`]);
  });

  it.each<[Fields, string]>([
    [{ rise: 0 }, 'rise is 0, must be a number over 0'],
    [{ rise: -0.3 }, 'rise is -0.3, must be a number over 0'],
    [{ within: undefined }, 'within is missing, must be there with this condition'],
    [{ within: 48 }, "within is 48, must be a time, as '48h'"],
    [{ within: '2 days' }, `within is "2 days", must be a time of up to 366 days, as '30m', '48h' or '7d'`],
    [{ within: '367d' }, `within is "367d", must be a time of up to 366 days, as '30m', '48h' or '7d'`],
    [{ fall: 1 }, 'fall stands beside rise, must be in a rule of its own'],
    [
      { rise: undefined, fallPercent: 101, unit: undefined },
      'fallPercent is 101, must be a number from 0 to 100, of percent',
    ],
    [{ rise: undefined, risePercent: 50 }, 'unit is there, must be left out with this condition'],
  ])('given a delta with %p, then %s', (fields, problem) => {
    expect(problemsIn(fileOf({ ...RISE, ...fields }))).toEqual([`rules[0].${problem}`]);
  });

  it.each<[Fields, string]>([
    [{ outsideReferenceRange: false }, 'outsideReferenceRange is false, must be true'],
    [{ unit: 'mg/dL' }, 'unit is there, must be left out with this condition'],
    [
      { outsideReferenceRange: undefined, interpretation: [] },
      'interpretation is an empty list, must be a list of one code or more',
    ],
    [{ outsideReferenceRange: undefined, interpretation: 'HH' }, 'interpretation is "HH", must be a list of codes'],
    [
      { outsideReferenceRange: undefined, interpretation: ['HH', 'high'] },
      'interpretation[1] is "high", must be one of A, AA, H, HH, HU, L, LL, LU, POS, DET, R',
    ],
  ])('given an interpretation rule with %p, then %s', (fields, problem) => {
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

  it('given many problems, then all are reported at once', () => {
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

  it('given units that can be compared, then there is no problem', () => {
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

  it('given no path, then the bundled rules apply', () => {
    const loaded = loadRules(undefined, never);
    expect(loaded).toMatchObject({
      kind: 'ok',
      rules: expect.arrayContaining([expect.objectContaining({ name: 'potassium-critical' })]),
    });
  });

  it('given a path, then the rules of the file apply', () => {
    const loaded = loadRules('mine.json', (path) => (path === 'mine.json' ? fileOf(POTASSIUM) : ''));
    expect(loaded).toMatchObject({ kind: 'ok', rules: [{ name: 'potassium' }] });
  });

  it('given problems in the file, then the error has a line for each', () => {
    expect(loadRules('mine.json', () => fileOf({ ...POTASSIUM, above: '6', severity: 1 }))).toEqual({
      kind: 'wrong',
      problems: [
        'mine.json: rules[0].above is "6", must be a number',
        "mine.json: rules[0].severity is 1, must be 'info', 'warning' or 'critical'",
      ],
    });
  });

  it('given no such file, then the error says so', () => {
    const missing = () => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    };
    expect(loadRules('mine.json', missing)).toEqual({
      kind: 'wrong',
      problems: ['ALERT_RULES names a file that cannot be read (ENOENT): mine.json'],
    });
  });

  it('given another error than one of the file system, then it is thrown', () => {
    expect(() => loadRules('mine.json', never)).toThrow('nothing is to be read');
  });
});
