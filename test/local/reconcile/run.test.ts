import { OptionError } from '../../../src/local/options.js';
import { DICOM_HOST, FHIR_HOST, json, startService, status } from '../../clients/stand-in.js';
import {
  bundleOf,
  dicomFeed,
  feedOf,
  fhirHistory,
  SPAN,
  timeOf,
  type Version,
  versionsOf,
} from '../../reconcile/services.js';
import { openCommand } from './open-command.js';

const SINCE = ['--since', '2026-01-01'];
const DELETED: Version = { type: 'Patient', id: 'p0', version: 2, time: timeOf(5), method: 'DELETE' };

describe('npm run reconcile', () => {
  it('given a dry run, then it prints the number of missing changes, and nothing changes', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { type, tables } = openCommand({ fhir: service.url });

    const { code, output } = await type(...SINCE, '--dry-run');

    expect(code).toBe(0);
    expect(output).toBe(
      'Dry run: nothing was changed.\n' +
        `${FHIR_HOST} (history), from 2026-01-01T00:00:00.000Z to 2026-01-01T11:50:00.` +
        `${/11:50:00\.(\d+Z)/.exec(output)?.[1]}: 3 changes compared, 0 known, 3 missing, which the command brings in without --dry-run.\n`,
    );
    expect(tables.inspect('waiting')).toEqual([]);
    expect(tables.inspect('reconcile')).toEqual([]);
  });

  it('given both services, then the missing changes are brought in, and each workflow runs once for each', async () => {
    await using fhir = await startService(fhirHistory([...versionsOf(2), DELETED]));
    await using dicom = await startService(dicomFeed(feedOf(2)));
    const { type, runs, runRows, tables } = openCommand({ fhir: fhir.url, dicom: dicom.url });

    const { code, output } = await type(...SINCE, '--json');

    expect(code).toBe(0);
    const { dryRun, parts } = JSON.parse(output);
    expect(dryRun).toBe(false);
    const counts = { known: 0, unreadable: 0, end: 'done' };
    expect(parts).toMatchObject([
      { host: FHIR_HOST, part: 'history', compared: 3, missing: 3, broughtIn: 3, ...counts },
      { host: DICOM_HOST, part: 'feed', compared: 2, missing: 2, broughtIn: 2, ...counts },
    ]);
    expect(tables.inspect('waiting')).toHaveLength(5);
    expect(tables.inspect('reconcile')).toEqual([]);
    await runRows();
    expect(runs.filter((one) => one.startsWith('every-change')).sort()).toEqual(
      [timeOf(0), timeOf(0), timeOf(1), timeOf(1), timeOf(5)].map((time) => `every-change ${time}`),
    );
  });

  it('given changes that reconciliation has brought in, then they are known', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { type, runs, runRows } = openCommand({ fhir: service.url });
    await type(...SINCE);
    await runRows();
    const before = runs.length;

    const { output } = await type(...SINCE);
    await runRows();

    expect(output).toContain('3 changes compared, 3 known, 0 missing, 0 brought in.');
    expect(runs).toHaveLength(before);
  });

  it('given a workflow with ordering latest, then only this workflow runs, for the current versions', async () => {
    await using service = await startService(fhirHistory([...versionsOf(2), { ...DELETED, method: 'PUT' }]));
    const { type, runs, runRows } = openCommand({ fhir: service.url });

    const { output } = await type(...SINCE, '--workflow', 'patients');
    await runRows();

    expect(output).toContain('(current Patient)');
    expect(output).toContain('2 changes compared');
    expect(runs.sort()).toEqual([`patients ${timeOf(1)}`, `patients ${timeOf(5)}`]);
  });

  it('given types, then only their changes are brought in', async () => {
    const versions = [...versionsOf(2), { type: 'Device', id: 'd', version: 1, time: timeOf(9) }];
    await using service = await startService(fhirHistory(versions));
    const { type } = openCommand({ fhir: service.url, dicom: service.url });

    const { output } = await type(...SINCE, '--types', 'Device,Observation', '--json');

    expect(JSON.parse(output).parts).toMatchObject([{ host: FHIR_HOST, compared: 1 }]);
  });

  it('given an end, then only older changes are brought in', async () => {
    await using service = await startService(fhirHistory(versionsOf(20)));
    const { type } = openCommand({ fhir: service.url });

    const { output } = await type('--since', SPAN.since, '--until', timeOf(7), '--json');

    expect(JSON.parse(output).parts).toMatchObject([
      { since: SPAN.since, before: timeOf(7), upTo: timeOf(7), compared: 7 },
    ]);
  });

  it('given a service that fails half-way, then the exit code is 1, and the same command continues from there', async () => {
    const history = fhirHistory(versionsOf(25), { maxPage: 10 });
    await using service = await startService(history, history, status(403), history);
    const { type, tables } = openCommand({ fhir: service.url });

    const first = await type(...SINCE);

    expect(first.code).toBe(1);
    expect(first.output).toContain(`to ${timeOf(19)}: 20 changes compared, 0 known, 20 missing, 20 brought in.`);
    expect(first.output).toContain(
      `${FHIR_HOST} was not compared to the end. The FHIR service refused (403): give the app's identity the role`,
    );
    expect(tables.inspect('reconcile').map(({ row }) => row)).toMatchObject([{ host: FHIR_HOST, upTo: timeOf(19) }]);

    const second = await type(...SINCE, '--json');

    expect(second.code).toBe(0);
    expect(JSON.parse(second.output).parts).toMatchObject([{ since: timeOf(19), compared: 6, broughtIn: 6 }]);
    expect(service.urls()[3]).toContain(`_since=${encodeURIComponent(timeOf(19))}`);
    expect(tables.inspect('reconcile')).toEqual([]);
  });

  it('given a service that fails, then the next one is compared', async () => {
    await using fhir = await startService(status(404));
    await using dicom = await startService(dicomFeed(feedOf(2)));
    const { type } = openCommand({ fhir: fhir.url, dicom: dicom.url });

    const { code, output } = await type(...SINCE, '--json');

    expect(code).toBe(1);
    expect(JSON.parse(output).parts).toMatchObject([
      { host: FHIR_HOST, end: 'failed', error: { code: 'fhir-not-found' } },
      { host: DICOM_HOST, end: 'done', compared: 2 },
    ]);
    expect(JSON.parse(output).message).toContain('Correct the URL in FHIR_HOSTS or DICOM_HOSTS.');
  });

  it('given entries that name no change, then the exit code is 1, and the report has their number', async () => {
    await using service = await startService(json(bundleOf([{ resource: { resourceType: 'Patient' } }])));
    const { type } = openCommand({ fhir: service.url });

    const { code, output } = await type(...SINCE);

    expect(code).toBe(1);
    expect(output).toContain('1 entry names no change that an event can hold: left out.');
  });

  it('given Ctrl-C, then the exit code is 130, and the report has the changes compared so far', async () => {
    const history = fhirHistory(versionsOf(25), { maxPage: 10 });
    const opened: { interrupt?: () => void } = {};
    await using service = await startService(history, (request, response) => {
      opened.interrupt?.();
      history(request, response);
    });
    const command = openCommand({ fhir: service.url });
    opened.interrupt = command.interrupt;

    const { code, output } = await command.type(...SINCE);

    expect(code).toBe(130);
    expect(output).toContain(`to ${timeOf(9)}: 10 changes compared`);
    expect(output).toContain('Stopped. The same command goes on from there.');
  });

  it('given a terminal, then progress is on one line, which is cleared at the end; else a short run shows none', async () => {
    await using service = await startService(fhirHistory(versionsOf(30), { maxPage: 10 }));
    const { typeAt, type } = openCommand({ fhir: service.url });

    const { errors } = await typeAt(200, ...SINCE, '--dry-run');

    expect(errors).toContain(`% of ${FHIR_HOST}: `);
    expect(errors).toContain(' missing, up to 2026-01-01T');
    expect(errors).not.toContain('\n');
    expect(errors.endsWith('\r\x1b[K')).toBe(true);
    expect((await type(...SINCE, '--dry-run')).errors).toBe('');
  });

  it('given a wait that the service asks for, then a line says so', async () => {
    await using service = await startService(status(429, { 'retry-after': '6' }), fhirHistory(versionsOf(1)));
    const { type, interrupt, noted } = openCommand({ fhir: service.url });
    const typed = type(...SINCE, '--dry-run');
    await noted;
    interrupt();

    expect((await typed).errors).toBe(`${FHIR_HOST} asks for a wait of 6 s.\n`);
  });

  it('given a service of an unlisted workspace, then the error says what to set, and nothing is read', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { type } = openCommand({ fhir: service.url, env: { WORKSPACES: '/subscriptions/1/a,/subscriptions/1/b' } });

    await expect(type(...SINCE)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('Set WORKSPACES to the Azure resource id'),
    });
    expect(service.asked).toEqual([]);
  });

  it.each([
    { args: ['--service', 'w-g.fhir.azurehealthcareapis.com'], says: `Did you mean ${FHIR_HOST}?` },
    { args: ['--service', 'elsewhere'], says: `must be a host name in FHIR_HOSTS or DICOM_HOSTS: ${FHIR_HOST}.` },
    {
      args: ['--workflow', 'patient'],
      says: "--workflow is 'patient', must be a workflow of the app: every-change, patients, switched-off. Did you mean patients?",
    },
    { args: ['--workflow', 'switched-off'], says: "'switched-off', which is off with these settings" },
    {
      args: ['--types', 'Patient,Pateint'],
      says: "--types has 'Pateint', which no workflow wants. Did you mean Patient?",
    },
    { args: ['--types', 'Device', '--workflow', 'patients'], says: "--types has 'Device', which no workflow wants." },
    { args: ['--types', ','], says: '--types has no type' },
  ])('given $args, then the command refuses before anything is read', async ({ args, says }) => {
    await using service = await startService(fhirHistory([]));
    const { type } = openCommand({ fhir: service.url });

    const typed = type(...SINCE, ...args);

    await expect(typed).rejects.toBeInstanceOf(OptionError);
    await expect(typed).rejects.toThrow(says);
    expect(service.asked).toEqual([]);
  });

  it('given a service without changes that the workflow wants, then the output says so', async () => {
    await using service = await startService(dicomFeed(feedOf(1)));
    const { type } = openCommand({ dicom: service.url });

    const { code, output } = await type(...SINCE, '--workflow', 'patients');

    expect({ code, output }).toEqual({
      code: 0,
      output: 'Nothing to compare: no workflow wants changes of these services and types.\n',
    });
  });
});
