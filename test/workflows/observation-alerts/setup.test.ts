import { ConfigError } from '../../../src/config.js';
import { readSettings } from '../../../src/functions/read-settings.js';
import { observationAlerts } from '../../../src/workflows/observation-alerts/observation-alerts.js';
import { SECRET } from './endpoint.js';
import { rulesFile } from './rules-file.js';

const wrong = rulesFile({
  rules: [
    { name: 'a', code: '2823-4', above: 6, unit: 'mmol/L', severity: 'info' },
    { name: 'b', code: '2823-3', above: 6, unit: 'mmHg', severity: 'info' },
  ],
});
const setup = (settings: Record<string, string>) => observationAlerts.setup((name) => settings[name]);
const WEBHOOK = { ALERT_WEBHOOK_URL: 'https://hook.example/x', ALERT_WEBHOOK_SECRET: SECRET };

describe('when the app starts', () => {
  it.each([
    { given: 'neither hosts nor a simulator', settings: {}, then: { kind: 'off', code: 'fhir-hosts-absent' } },
    { given: 'a simulator', settings: { SIMULATOR: 'on' }, then: { kind: 'on' } },
    { given: 'hosts', settings: { FHIR_HOSTS: 'w-f.fhir.azurehealthcareapis.com' }, then: { kind: 'on' } },
    { given: 'a webhook too', settings: { SIMULATOR: 'on', ...WEBHOOK }, then: { kind: 'on' } },
  ])('given $given, then $then.kind', ({ settings, then }) => {
    expect(setup(settings)).toEqual(then);
  });

  it.each([
    'http://hook.example/x',
    'http://127.0.0.1.hook.example/x',
    'http://localhost:80@hook.example/x',
    'https://user:word@hook.example/x',
    'ftp://127.0.0.1/x',
    'hook.example',
  ])('given the URL %s, then it is wrong, and the problem does not show it', (url) => {
    expect(setup({ SIMULATOR: 'on', ...WEBHOOK, ALERT_WEBHOOK_URL: url })).toEqual({
      kind: 'wrong',
      problems: ['ALERT_WEBHOOK_URL is another text, must be a URL with https, or of this machine, without a user'],
    });
  });

  it.each(['http://127.0.0.1:9000/x', 'http://localhost/', 'http://[::1]:9000'])(
    'given %s, then the workflow is on',
    (url) => {
      expect(setup({ SIMULATOR: 'on', ...WEBHOOK, ALERT_WEBHOOK_URL: url }).kind).toBe('on');
    },
  );

  it('given rules and webhook are wrong, then every problem is reported, without the secret', () => {
    const secret = 'too-short';
    const found = setup({ ALERT_RULES: wrong, ALERT_WEBHOOK_SECRET: secret });

    expect(found).toEqual({
      kind: 'wrong',
      problems: [
        `${wrong}: rules[0].code is "2823-4", must be a LOINC code, with its check digit, as '2823-3'`,
        expect.stringContaining('rules[1].unit is "mmHg", must be a unit of UCUM'),
        expect.stringMatching(/^ALERT_WEBHOOK_URL is absent, must be/),
        expect.stringMatching(/^ALERT_WEBHOOK_SECRET is 9 other characters, must be/),
      ],
    });
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  it('given other settings are wrong too, then all problems are in one error', () => {
    const env = { EventStorage: 'UseDevelopmentStorage=true', ALERT_RULES: wrong, LOOKUPS: 'yes', ...WEBHOOK };

    const read = () => readSettings([observationAlerts], { ...env, ALERT_WEBHOOK_SECRET: 'short' });

    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/rules\[0\].code.*rules\[1\].unit.*ALERT_WEBHOOK_SECRET is 5.*LOOKUPS is 'yes'/s);
  });

  it('given a missing rules file, then the problem names it', () => {
    expect(setup({ ALERT_RULES: '/nowhere/rules.json', SIMULATOR: 'on' })).toMatchObject({
      kind: 'wrong',
      problems: ['ALERT_RULES names a file that cannot be read (ENOENT): /nowhere/rules.json'],
    });
  });
});
