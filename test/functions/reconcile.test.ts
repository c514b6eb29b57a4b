import { readFileSync } from 'node:fs';
import { StorageError, type TableStore } from '../../src/storage/table-store.js';
import { defineWorkflow, fhir } from '../../src/workflow.js';
import { DICOM_HOST, FHIR_HOST, startService, status } from '../clients/stand-in.js';
import { dicomFeed, feedOf, fhirHistory, timeOf, versionsOf } from '../reconcile/services.js';
import { openReconcileApp } from './reconcile-app.js';

const FIRST = '2026-01-01T09:59:00.000Z';
const LATER = '2026-01-01T10:30:00.000Z';

/** An app whose comparison began at FIRST, one minute before the changes of the stand-ins; then it is LATER. */
async function begin(options: Parameters<typeof openReconcileApp>[0]) {
  const opened = openReconcileApp({ startAt: FIRST, ...options });
  await opened.tick();
  opened.setTime(LATER);
  opened.records.length = 0;
  return opened;
}

describe('when the timer reconcile runs', () => {
  it('given its first start, then the comparison begins at that time, and reads nothing', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { tick, rows, functions, lines } = openReconcileApp({ fhir: service.url, startAt: LATER });

    await tick();

    expect(functions.optionsOf('reconcile')).toMatchObject({ schedule: '15 * * * * *', runOnStartup: false });
    expect(rows('continuous').map(({ row }) => row)).toEqual([
      { service: 'fhir', host: FHIR_HOST, upTo: LATER, compared: 0, missing: 0, broughtIn: 0, holder: '' },
    ]);
    expect(service.asked).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('given an app that an earlier release has used today, then the comparison begins with the first day by change', async () => {
    await using service = await startService(fhirHistory([]));
    const { tick, rows, tables } = openReconcileApp({ fhir: service.url, startAt: LATER });
    await tables.create('appstate');
    await tables.commit('appstate', 'ledger', [{ kind: 'insert', key: 'by-change', row: { firstDay: '20260102' } }]);

    await tick();

    expect(rows('continuous')[0]?.row.upTo).toBe('2026-01-02T00:00:00.000Z');
  });

  it('given changes without a job, then each runs once, and the position is the grace before now', async () => {
    await using fhirService = await startService(fhirHistory(versionsOf(2)));
    await using dicomService = await startService(dicomFeed(feedOf(1)));
    const { tick, rows, runRows, runs, lines, records } = await begin({
      fhir: fhirService.url,
      dicom: dicomService.url,
    });

    await tick();
    await runRows();
    await tick();
    await runRows();

    expect(runs.sort()).toEqual([timeOf(0), timeOf(0), timeOf(1)].map((time) => `every-change ${time}`));
    expect(rows('continuous').map(({ row }) => row)).toMatchObject([
      { host: DICOM_HOST, upTo: '2026-01-01T10:20:01.000Z', compared: 1, missing: 1, broughtIn: 1 },
      { host: FHIR_HOST, upTo: '2026-01-01T10:20:01.000Z', compared: 2, missing: 2, broughtIn: 2 },
    ]);
    expect(lines).toEqual(['info {"what":"changes-brought-in","numbers":{"missing":3,"broughtIn":3,"unreadable":0}}']);
    expect(JSON.stringify([lines, rows('continuous')])).not.toMatch(/M4RK3R|Patient|_history|1\.2\.3/);
    expect(records.slice(0, 6)).toEqual([
      ['changesCompared', 2, 'fhir'],
      ['changesMissing', 2, 'fhir'],
      ['comparisonAge', 600, 'fhir'],
      ['changesCompared', 1, 'dicom'],
      ['changesMissing', 1, 'dicom'],
      ['comparisonAge', 600, 'dicom'],
    ]);
  });

  it('given one workflow with ordering latest, then it reads the history, which has the deletions', async () => {
    await using service = await startService(fhirHistory([]));
    const latest = defineWorkflow({ name: 'latest', on: fhir('Patient'), ordering: 'latest', handle() {} });
    const { tick } = await begin({ fhir: service.url, workflows: [latest] });

    await tick();

    expect(service.urls()[0]).toContain('/Patient/_history?');
  });

  it('given a service that no workflow wants, then nothing is read', async () => {
    await using service = await startService(dicomFeed(feedOf(1)));
    const patients = defineWorkflow({ name: 'patients', on: fhir('Patient'), handle() {} });
    const { tick, tables } = await begin({ dicom: service.url, workflows: [patients] });

    await tick();

    expect(service.asked).toEqual([]);
    expect(tables.inspect('reconcile')).toEqual([]);
  });

  it('given a position that the ledger has forgotten, then it moves on to the retention, with a warning', async () => {
    const [older, newer] = versionsOf(2).map((version, at) => ({ ...version, time: timeOf(120_000 * at) }));
    await using service = await startService(fhirHistory([older, newer].filter((one) => one !== undefined)));
    const { tick, setTime, rows, lines } = await begin({ fhir: service.url });
    setTime('2026-01-08T10:01:00.000Z'); // 7 days and a minute after the older change

    await tick();

    expect(rows('continuous')[0]?.row).toMatchObject({ upTo: '2026-01-08T09:51:00.000Z', compared: 1 });
    expect(lines).toContain('warn {"what":"reconcile-behind-retention","numbers":{"skippedSeconds":120}}');
  });

  it('given a service that fails, then the others are compared, a line says so once, and the next run goes on', async () => {
    const history = fhirHistory(versionsOf(3));
    await using fhirService = await startService(status(403), history);
    await using dicomService = await startService(dicomFeed(feedOf(1)));
    const { tick, rows, lines, records } = await begin({ fhir: fhirService.url, dicom: dicomService.url });

    await tick();

    expect(lines).toEqual([
      'info {"what":"changes-brought-in","numbers":{"missing":1,"broughtIn":1,"unreadable":0}}',
      'error {"what":"reconcile-failed","errorCode":"fhir-forbidden","count":1}',
    ]);
    expect(records).toContainEqual(['comparisonAge', 1860, 'fhir']);
    expect(rows('continuous').map(({ row }) => [row.service, row.upTo, row.holder])).toEqual([
      ['dicom', '2026-01-01T10:20:00.000Z', ''],
      ['fhir', FIRST, ''],
    ]);

    await tick();

    expect(rows('continuous')[1]?.row).toMatchObject({ upTo: '2026-01-01T10:20:00.000Z', missing: 3 });
  });

  it('given the time of a run is over, then the next run goes on after the last page', async () => {
    await using service = await startService(
      fhirHistory(versionsOf(4), { maxPage: 2 }),
      () => {}, // never answers
      fhirHistory(versionsOf(4)),
    );
    const { tick, expire, rows, lines } = await begin({ fhir: service.url });

    const run = tick();
    await service.askedTimes(2);
    expire(40_000);
    await run;

    expect(rows('continuous')[0]?.row).toMatchObject({ upTo: timeOf(1), compared: 2, holder: '' });
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
    await tick();
    expect(service.urls()[2]).toContain(`_since=${encodeURIComponent(timeOf(1))}`);
    expect(rows('continuous')[0]?.row.upTo).toBe('2026-01-01T10:20:00.000Z');
  });

  it('given a run that died, then its row is busy for 90 s, after which a run goes on', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { tick, advance, rows, tables } = await begin({ fhir: service.url });
    const [stored] = rows('continuous');
    await tables.commit('reconcile', 'continuous', [
      { kind: 'merge', key: stored?.key ?? '', row: { holder: 'dead' }, etag: stored?.etag ?? '' },
    ]);

    advance(89_000);
    await tick();
    expect(service.asked).toEqual([]);
    advance(1000);
    await tick();

    expect(rows('continuous')[0]?.row).toMatchObject({ missing: 3, holder: '' });
  });

  it('given nothing new, then as many requests to storage as docs/costs.md says, and one read', async () => {
    await using service = await startService(fhirHistory([]));
    let requests = 0;
    const counted = (tables: TableStore): TableStore => ({
      ...tables,
      query: (...all) => {
        requests += 1;
        return tables.query(...all);
      },
      commit: (...all) => {
        requests += 1;
        return tables.commit(...all);
      },
    });
    const { tick, advance } = await begin({ fhir: service.url, wrap: counted });
    await tick();
    advance(60_000);
    requests = 0;

    await tick();

    expect(requests).toBe(1 + 4);
    expect(service.asked).toHaveLength(2);
    expect(readFileSync('docs/costs.md', 'utf8')).toContain(
      '| `reconcile`, every minute | 1 request; for each service that is compared 4 more, and a read',
    );
  });

  it('given two runs at once, then one of them reads the service', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { tick, rows } = await begin({ fhir: service.url });

    await Promise.all([tick(), tick()]);

    expect(service.asked).toHaveLength(1);
    expect(rows('continuous')[0]?.row).toMatchObject({ missing: 3, holder: '' });
  });

  it('given storage fails, then a line has its code, and the timer does not throw', async () => {
    await using service = await startService(fhirHistory([]));
    const query: TableStore['query'] = () => Promise.reject(new StorageError('unreachable', 'No.'));
    const { tick, lines } = openReconcileApp({ fhir: service.url, wrap: (tables) => ({ ...tables, query }) });

    await tick();

    expect(lines).toContain('error {"what":"reconcile-failed","errorCode":"unreachable","count":1}');
  });

  it('given a workspace that no setting names, then one warning for the life of the process', async () => {
    await using service = await startService(fhirHistory([]));
    const workspaces = ['other', 'another'].map(
      (name) => `/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/${name}`,
    );
    const { tick, lines } = openReconcileApp({ fhir: service.url, env: { WORKSPACES: workspaces.join(',') } });

    await tick();
    await tick();

    expect(lines).toEqual(['warn {"what":"reconcile-workspace-unknown","errorCode":"workspace-unknown"}']);
  });

  it('given the process ends, then the run stops', async () => {
    await using service = await startService(() => {}); // never answers
    const { tick, functions, rows } = await begin({ fhir: service.url });

    const run = tick();
    await service.askedTimes(1);
    await functions.terminate();
    await run;

    expect(rows('continuous')[0]?.row).toMatchObject({ upTo: FIRST, holder: '' });
  });

  it('given the process ends before a run, then nothing is read', async () => {
    await using service = await startService(fhirHistory([]));
    const { tick, functions } = await begin({ fhir: service.url });

    await functions.terminate();
    await tick();

    expect(service.asked).toEqual([]);
  });

  it('given RECONCILE is off, then no service is read', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { tick, rows } = await begin({ fhir: service.url, env: { RECONCILE: 'off' } });

    await tick();

    expect(service.asked).toEqual([]);
    expect(rows('continuous')).toEqual([]);
  });

  it('given no service that may be read, then there is no such timer', () => {
    expect(openReconcileApp({}).functions.names()).toEqual([]);
  });
});
