import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { UcumLhcUtils } from '@lhncbc/ucum-lhc';
import fc from 'fast-check';
import { USUAL_UNITS } from '../../../src/workflows/observation-alerts/read-unit.js';
import {
  type Analyte,
  applyConversion,
  conversionOf,
  isUcum,
} from '../../../src/workflows/observation-alerts/units.js';

const GLUCOSE = { molarMass: 180.156 };
const CREATININE = { molarMass: 113.12 };

function convert(value: number, from: string, to: string, analyte?: Analyte): number {
  const conversion = conversionOf(from, to, analyte);
  if (typeof conversion === 'string') throw new Error(conversion);
  return applyConversion(conversion, value);
}

describe('when a value is converted', () => {
  // The right-hand sides are those of published tables, at the digits that those give.
  it.each([
    { value: 90, from: 'mg/dL', to: 'mmol/L', analyte: GLUCOSE, is: 4.996, digits: 3 },
    { value: 7, from: 'mmol/L', to: 'mg/dL', analyte: GLUCOSE, is: 126.1, digits: 1 },
    { value: 1, from: 'mg/dL', to: 'umol/L', analyte: CREATININE, is: 88.4, digits: 1 },
    { value: 353.6, from: 'umol/L', to: 'mg/dL', analyte: CREATININE, is: 4, digits: 2 },
    { value: 10, from: 'mg/dL', to: 'mmol/L', analyte: { molarMass: 40.078 }, is: 2.495, digits: 3 },
    { value: 4, from: 'meq/L', to: 'mmol/L', analyte: { charge: 1 }, is: 4, digits: 9 },
    { value: 5, from: 'meq/L', to: 'mmol/L', analyte: { charge: 2 }, is: 2.5, digits: 9 },
    { value: 10.02, from: 'mg/dL', to: 'meq/L', analyte: { molarMass: 40.078, charge: 2 }, is: 5, digits: 2 },
    { value: 120, from: 'mm[Hg]', to: 'kPa', is: 15.999, digits: 3 },
    { value: 1, from: '[in_i]', to: 'cm', is: 2.54, digits: 9 },
    { value: 1, from: '[lb_av]', to: 'kg', is: 0.45359237, digits: 8 },
    { value: 13.5, from: 'g/dL', to: 'g/L', is: 135, digits: 9 },
    { value: 1, from: 'g/L', to: 'mg/dL', is: 100, digits: 9 },
    { value: 60, from: '/min', to: 'Hz', is: 1, digits: 9 },
    { value: 60, from: '{beats}/min', to: '/min', is: 60, digits: 9 },
    { value: 0.97, from: '1', to: '%', is: 97, digits: 9 },
    { value: 4, from: '10*3/uL', to: '10*9/L', is: 4, digits: 9 },
    { value: 2.5, from: 'm[IU]/L', to: 'u[IU]/mL', is: 2.5, digits: 9 },
    { value: 0.3, from: 'k[IU]/L', to: '[IU]/mL', is: 0.3, digits: 9 },
  ])('given $value $from, then $is $to', ({ value, from, to, analyte, is, digits }) => {
    expect(convert(value, from, to, analyte)).toBeCloseTo(is, digits);
  });

  it.each([
    { value: 98.6, from: '[degF]', to: 'Cel', is: 37 },
    { value: 32, from: '[degF]', to: 'Cel', is: 0 },
    { value: -40, from: '[degF]', to: 'Cel', is: -40 },
    { value: 103.1, from: '[degF]', to: 'Cel', is: 39.5 },
    { value: 37, from: 'Cel', to: '[degF]', is: 98.6 },
    { value: 310.15, from: 'K', to: 'Cel', is: 37 },
    { value: 4, from: '10*3/uL', to: '10*9/L', is: 4 },
    { value: 0, from: 'mg/dL', to: 'g/L', is: 0 },
  ])('given $value $from, then $is $to, to the last digit', ({ value, from, to, is }) => {
    expect(convert(value, from, to)).toBe(is);
  });

  it.each([
    { from: 'mg/dL', to: 'mmol/L', kind: 'units-not-comparable' },
    { from: 'meq/L', to: 'mmol/L', kind: 'units-not-comparable' },
    { from: 'mm[Hg]', to: 'mg', kind: 'units-not-comparable' },
    { from: '[IU]/L', to: 'mg/L', kind: 'units-not-comparable' },
    { from: '[IU]/L', to: 'cd/L', kind: 'units-not-comparable' },
    { from: '[IU]/L', to: "[arb'U]/L", kind: 'units-not-comparable' },
    { from: "[IU]/[USP'U]", to: "[IU]/[arb'U]", kind: 'units-not-comparable' },
    { from: 'mol/L', to: '[pH]', kind: 'units-not-comparable' },
    { from: 'C', to: 'Cel', kind: 'units-not-comparable' },
    { from: 'mmHg', to: 'mm[Hg]', kind: 'unit-unknown' },
    { from: 'degF', to: 'Cel', kind: 'unit-unknown' },
    { from: 'mg / dL', to: 'mg/dL', kind: 'unit-unknown' },
    { from: '9mg()', to: 'mg', kind: 'unit-unknown' },
    { from: '', to: 'mg', kind: 'unit-unknown' },
    { from: `${'m.'.repeat(5_000)}m`, to: 'm', kind: 'unit-unknown' },
  ] as const)('given $from and $to, then $kind', ({ from, to, kind }) => {
    expect(conversionOf(from, to)).toBe(kind);
  });

  it.each([
    { from: 'B[SPL]', to: 'Pa' },
    { from: '%[slope]', to: 'deg' },
    { from: 'bit_s', to: '1' },
  ])('given $from and $to, then they are not linear', ({ from, to }) => {
    expect(conversionOf(from, to)).toBe('units-not-comparable');
  });

  it('given values that are too large or too small for any digit, then they stay as they are', () => {
    expect(convert(1e300, 'kg', 'ng')).toBe(Number.POSITIVE_INFINITY);
    expect(convert(1e-150, 'g', 'kg')).toBeCloseTo(1e-153, 160);
    expect(convert(1.5e15, 'g/L', 'mg/dL')).toBe(1.5e17);
  });

  it('given the same two units again, then they are not parsed again, unless thousands were in between', () => {
    const parsed = jest.spyOn(UcumLhcUtils.prototype, 'convertUnitTo');
    const parsesOf = (from: string) => {
      parsed.mockClear();
      conversionOf(from, 'mg');
      return parsed.mock.calls.length;
    };

    expect(parsesOf('dag')).toBeGreaterThan(0);
    expect(parsesOf('dag')).toBe(0);
    for (let n = 2; n < 2_100; n += 1) conversionOf(`${n}.g`, 'mg');
    expect(parsesOf('dag')).toBeGreaterThan(0);
    parsed.mockRestore();
  });

  it('given the same unit, even an unknown one, then the value stays', () => {
    expect(convert(0.1 + 0.2, 'boxes', 'boxes')).toBe(0.1 + 0.2);
  });

  it('given a conversion there and back, then the value is the same', () => {
    const pairs = [
      ['mg/dL', 'mmol/L'],
      ['[degF]', 'Cel'],
      ['mm[Hg]', 'kPa'],
      ['10*3/uL', '10*9/L'],
      ['m[IU]/L', '[IU]/mL'],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.integer({ min: -9_999, max: 9_999 }), ([a, b], hundredths) => {
        const value = hundredths / 100;
        expect(Math.abs(convert(convert(value, a, b, GLUCOSE), b, a, GLUCOSE) - value)).toBeLessThan(1e-8);
      }),
    );
  });
});

describe('when a unit comes from outside', () => {
  const signs = 'mg mol / . ( ) () { } {x} Cel [ ] [IU] 2 -1 10* c'.split(' ');
  const parts = [...signs, ' ', ...Object.getOwnPropertyNames(Object.prototype)];
  const texts = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...parts), { maxLength: 9 }).map((all) => all.join('')),
  );

  it('given any text, then nothing is thrown, and nothing printed', () => {
    const printed = jest.spyOn(console, 'log').mockImplementation(() => {});
    fc.assert(
      fc.property(texts, (text) => {
        isUcum(text);
        const found = conversionOf(text, 'mg/dL');
        expect(typeof found === 'string' || Number.isFinite(found.factor)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  it.each(['mg/dL', '%', '{score}', 'mL/(min.{1.73_m2})', 'mL/min/{1.73_m2}', 'g/dl', "[arb'U]/mL", '10*9/L'])(
    'given %s, then it is UCUM',
    (unit) => {
      expect(isUcum(unit)).toBe(true);
    },
  );

  it('given a unit that counts as UCUM without the library, then the library says so too', () => {
    expect(USUAL_UNITS.size).toBeGreaterThan(15);
    for (const unit of USUAL_UNITS)
      expect(UcumLhcUtils.getInstance().validateUnitString(unit)).toMatchObject({ status: 'valid', ucumCode: unit });
  });

  it.each(['mmHg', 'mEq/L', 'IU/L', 'degF', '°C', 'µmol/L', 'celsius', '(mg', 'mg/'])(
    'given %s, then it is not UCUM',
    (unit) => {
      expect(isUcum(unit)).toBe(false);
    },
  );
});

describe('when nothing has to be converted', () => {
  /** Runs `code` in a process of its own. Returns whether it has loaded the library. */
  function loadsLibrary(code: string): string {
    const folder = JSON.stringify(resolve('src/workflows/observation-alerts'));
    const script = `
      import { createRequire } from 'node:module';
      const folder = ${folder};
      ${code}
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      process.stdout.write(String(loaded.some((file) => file.includes('ucum-lhc'))));`; // console.log would colour it
    const runner = ['--import', './test/local/run-typescript.mjs', '--input-type=module', '--eval', script];
    return execFileSync(process.execPath, runner, { encoding: 'utf8' });
  }

  it('given a rule is evaluated in its own unit, then the library is not even loaded', () => {
    expect(
      loadsLibrary(`
        const { readingFor } = await import(folder + '/read-observation.ts');
        const { evaluate } = await import(folder + '/evaluate.ts');
        await import(folder + '/rules.ts');
        const codes = [{ system: 'http://loinc.org', code: '2823-3' }];
        const condition = { kind: 'limits', limits: [{ side: 'above', value: 6 }], unit: 'mmol/L' };
        const rule = { codes, condition, takesPreliminary: true, analyte: {} };
        const unit = { system: 'http://unitsofmeasure.org', code: 'mmol/L' };
        const reading = readingFor(rule, { status: 'final', code: { coding: codes }, valueQuantity: { value: 7, ...unit } });
        if (evaluate(rule, reading).kind !== 'alert') throw new Error('This is no alert.');`),
    ).toBe('false');
  });

  it('given the rules that come with the app are checked, then the library is not loaded', () => {
    expect(
      loadsLibrary(`
        const { loadRules } = await import(folder + '/rules.ts');
        if (loadRules(undefined).kind !== 'ok') throw new Error('The rules are wrong.');`),
    ).toBe('false');
  });

  it('given other units, then the library is loaded', () => {
    expect(
      loadsLibrary("const { conversionOf } = await import(folder + '/units.ts'); conversionOf('g/L', 'mg/dL');"),
    ).toBe('true');
  });
});
