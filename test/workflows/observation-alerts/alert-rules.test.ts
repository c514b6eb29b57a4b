import { evaluate } from '../../../src/workflows/observation-alerts/evaluate.js';
import { readingFor } from '../../../src/workflows/observation-alerts/read-observation.js';
import { loadRules } from '../../../src/workflows/observation-alerts/rules.js';
import { LOINC, observation, quantity } from './observations.js';

const loaded = loadRules(undefined, () => '');
const rules = loaded.kind === 'ok' ? loaded.rules : [];

const loinc = (code: string) => ({ coding: [{ system: LOINC, code }] });
const at = (time: string, code: string, value: string) =>
  observation({ id: time, code: loinc(code), valueQuantity: quantity(value), effectiveDateTime: time });

/** The names of the rules that alert. */
function alertsOf(result: ReturnType<typeof observation>, before?: ReturnType<typeof observation>): string[] {
  return rules.flatMap((rule) => {
    const reading = readingFor(rule, result);
    const isAlert = reading && evaluate(rule, reading, before && readingFor(rule, before)).kind === 'alert';
    return isAlert ? [rule.name] : [];
  });
}

describe('when no rules are set and the bundled rules apply', () => {
  it.each([
    { code: '2823-3', value: '6.1 mmol/L', alerts: ['potassium-critical'] },
    { code: '2823-3', value: '6.0 mmol/L', alerts: [] },
    { code: '6298-4', value: '2.4 meq/L', alerts: ['potassium-critical'] },
    { code: '2345-7', value: '53 mg/dL', alerts: ['glucose-low'] },
    { code: '2345-7', value: '22.3 mmol/L', alerts: ['glucose-high'] },
    { code: '2345-7', value: '5.5 mmol/L', alerts: [] },
    { code: '59408-5', value: '89 %', alerts: ['oxygen-saturation-low'] },
    { code: '2708-6', value: '0.89 1', alerts: ['oxygen-saturation-low'] },
    { code: '2708-6', value: '90 %', alerts: [] },
    { code: '8310-5', value: '39.6 Cel', alerts: ['body-temperature-high'] },
    { code: '8310-5', value: '103.2 [degF]', alerts: ['body-temperature-high'] },
    { code: '8310-5', value: '98.6 [degF]', alerts: [] },
  ])('given $code of $value, then $alerts', ({ code, value, alerts }) => {
    expect(alertsOf(at('2026-03-10', code, value))).toEqual(alerts);
  });

  it.each([
    { code: '2160-0', was: '0.9 mg/dL', is: '1.2 mg/dL', day: '09', alerts: ['creatinine-rise'] },
    { code: '2160-0', was: '0.5 mg/dL', is: '0.75 mg/dL', day: '05', alerts: ['creatinine-rise-by-half'] },
    {
      code: '2160-0',
      was: '80 umol/L',
      is: '121 umol/L',
      day: '09',
      alerts: ['creatinine-rise', 'creatinine-rise-by-half'],
    },
    { code: '2160-0', was: '0.9 mg/dL', is: '1.2 mg/dL', day: '05', alerts: [] },
    { code: '718-7', was: '12 g/dL', is: '10 g/dL', day: '09', alerts: ['hemoglobin-fall'] },
    { code: '718-7', was: '120 g/L', is: '101 g/L', day: '09', alerts: [] },
  ])('given $code was $was on March $day and is $is on March 10, then $alerts', ({ code, was, is, day, alerts }) => {
    expect(alertsOf(at('2026-03-10', code, is), at(`2026-03-${day}`, code, was))).toEqual(alerts);
  });

  it('given the systolic pressure of a panel, then the component counts', () => {
    const component = [
      { code: loinc('8480-6'), valueQuantity: quantity('181 mm[Hg]') },
      { code: loinc('8462-4'), valueQuantity: quantity('95 mm[Hg]') },
    ];
    expect(alertsOf(observation({ code: loinc('85354-9'), component }))).toEqual(['systolic-pressure-high']);
  });

  it('given an interpretation of critical, then there is an alert whatever the value', () => {
    const interpretation = [{ coding: [{ code: 'LL' }] }];
    expect(alertsOf({ ...at('2026-03-10', '2823-3', '2.6 mmol/L'), interpretation })).toEqual(['lab-says-critical']);
  });
});
