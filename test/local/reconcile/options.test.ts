import { OptionError } from '../../../src/local/options.js';
import { accountEnv, withSimulatedServices } from '../../../src/local/reconcile/connect.js';
import { parseOptions, readHistoryOptions } from '../../../src/local/reconcile/options.js';

const NOW = new Date('2026-03-14T12:00:00.000Z');
const read = (...args: string[]) => readHistoryOptions(parseOptions(args), NOW);

describe('when the options of npm run reconcile are read', () => {
  it('given days, then the span begins with the first and ends after the last', () => {
    expect(read('--since', '2026-03-01', '--until', '2026-03-02')).toEqual({
      since: '2026-03-01T00:00:00.000Z',
      until: '2026-03-03T00:00:00.000Z',
      service: undefined,
      types: undefined,
      workflow: undefined,
      areRowsLost: false,
      isDryRun: false,
      isJson: false,
      perSecond: 5000,
    });
  });

  it('given all options, then each is read', () => {
    const flags = ['--rows-lost', '--dry-run', '--json', '--rate', '2.5'];

    expect(
      read(
        '--since',
        '2026-03-14T11:00Z',
        '--service',
        'A.Example',
        '--types',
        'Patient, Device',
        '--workflow',
        'w',
        ...flags,
      ),
    ).toEqual({
      since: '2026-03-14T11:00:00.000Z',
      until: undefined,
      service: 'a.example',
      types: ['Patient', 'Device'],
      workflow: 'w',
      areRowsLost: true,
      isDryRun: true,
      isJson: true,
      perSecond: 2.5,
    });
  });

  it.each([
    { args: [], says: '--since is missing' },
    { args: ['--since', 'yesterday'], says: "--since is 'yesterday', must be a day or a time" },
    { args: ['--since', '2026-02-30'], says: "--since is '2026-02-30', must be a day or a time" },
    { args: ['--since', ''], says: '--since is empty' },
    {
      args: ['--since', '2026-03-15'],
      says: "--since is '2026-03-15', must not be in the future: it is 2026-03-14T12:00Z.",
    },
    {
      args: ['--since', '2026-03-01', '--until', '2026-03-14'],
      says: "--until is '2026-03-14', must not be in the future: it is 2026-03-14T12:00Z. Leave it out to compare",
    },
    {
      args: ['--since', '2026-03-10', '--until', '2026-03-09'],
      says: "--since is '2026-03-10', must be before --until '2026-03-09'.",
    },
    { args: ['--since', '2026-03-14T11:51Z'], says: 'must be at least 10 minutes ago' },
    { args: ['--since', '2026-03-01', '--rate', '0'], says: "--rate is '0', must be from 0.01 to 20000." },
    { args: ['--since', '2026-03-01', '--dry'], says: "Unknown option '--dry'." },
    { args: ['--since', '2026-03-01', '--workflwo', 'x'], says: 'Did you mean --workflow?' },
    { args: ['--since', '2026-03-01', 'x'], says: "Unexpected argument 'x'." },
  ])('given $args, then the error says what is expected', ({ args, says }) => {
    expect(() => read(...args)).toThrow(OptionError);
    expect(() => read(...args)).toThrow(says);
  });
});

describe('when the settings list no service', () => {
  const simulated = {
    FHIR_HOSTS: 'simulator-main.fhir.azurehealthcareapis.com http://127.0.0.1:7072/api/simulator/fhir',
    DICOM_HOSTS: 'simulator-main.dicom.azurehealthcareapis.com http://127.0.0.1:7072/api/simulator/dicom',
  };

  it.each([
    { given: 'the simulator', env: { SIMULATOR: 'on', PORT: '7072' }, then: simulated },
    { given: 'the simulator and a service', env: { SIMULATOR: 'on', FHIR_HOSTS: 'a' }, then: { FHIR_HOSTS: 'a' } },
    { given: 'no simulator', env: {}, then: {} },
  ])('given $given, then $then', ({ env, then }) => {
    expect(withSimulatedServices(env)).toEqual({ ...env, ...then });
  });
});

describe('the settings for an account in Azure', () => {
  it('given local storage, then the settings are only the named accounts, without a simulator', () => {
    const local = { EventStorage: 'UseDevelopmentStorage=true', WorkflowStorage__accountName: 'old', FHIR_HOSTS: 'f' };

    expect(accountEnv({ account: 'events1', workflowAccount: 'tables1' }, { ...local, SIMULATOR: 'on' })).toEqual({
      FHIR_HOSTS: 'f',
      SIMULATOR: 'off',
      EventStorage__accountName: 'events1',
      WorkflowStorage__accountName: 'tables1',
    });
    expect(accountEnv({ account: 'events1' }, local)).not.toHaveProperty('WorkflowStorage');
  });
});
