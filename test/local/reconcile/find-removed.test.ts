import { ConfigError } from '../../../src/config.js';
import { removedEvent } from '../../../src/reconcile/found-event.js';
import { StorageError } from '../../../src/storage/table-store.js';
import { FHIR_HOST, json, startService, status } from '../../clients/stand-in.js';
import { bundleOf, fhirHistory, fhirResources, timeOf, type Version, versionsOf } from '../../reconcile/services.js';
import { NOW, openCommand } from './open-command.js';

const WORKSPACE = '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/w';
const MINUTE_MS = 60_000;

/** A command of an app whose index has `indexed`, each change an hour or more ago. */
async function open(url: string, indexed: readonly Version[]) {
  const command = openCommand({ fhir: url, hasIndex: true });
  const data = ({ type, id, version }: Version) => ({
    resourceType: type,
    resourceFhirAccount: FHIR_HOST,
    resourceFhirId: id,
    resourceVersionId: version,
  });
  const events = indexed.map((one) => ({
    id: `event-${one.type}-${one.id}-${one.version}`,
    source: WORKSPACE,
    specversion: '1.0',
    type: `Microsoft.HealthcareApis.FhirResource${one.version === 1 ? 'Created' : 'Updated'}`,
    time: one.time,
    data: data(one),
  }));
  for (let at = 0; at < events.length; at += 500) {
    await command.app.pipeline.deliver(events.slice(at, at + 500));
  }
  command.pass(11 * MINUTE_MS);
  command.runs.length = 0;
  return {
    ...command,
    find: (...args: string[]) => command.type('--find-removed', ...args),
    rows: () => command.tables.inspect('waiting'),
    indexOf: (id: string) => command.tables.inspect('resources').find(({ row }) => row.resourceId === id)?.row,
  };
}

const patient = (id: string, more: Partial<Version> = {}): Version => ({
  type: 'Patient',
  id,
  version: 1,
  time: timeOf(0),
  ...more,
});

describe('npm run reconcile -- --find-removed', () => {
  it('given a resource that the service no longer has, then each workflow runs once for its deletion', async () => {
    await using service = await startService(fhirResources([patient('kept')]));
    const { find, runs, runRows, indexOf } = await open(service.url, [
      patient('kept'),
      patient('gone', { version: 3 }),
    ]);

    const { code, output } = await find();
    await runRows();

    expect({ code, output }).toEqual({
      code: 0,
      output:
        `${FHIR_HOST}: 2 resources compared, 1 present, 0 changed in the last 10 minutes, 1 removed; ` +
        '0 deletions known, 1 deletions brought in.\n',
    });
    expect(runs.filter((run) => run.startsWith('every-change'))).toHaveLength(1);
    expect(indexOf('gone')).toMatchObject({ change: 'deleted', version: 4 });
    expect(String(indexOf('gone')?.time) > NOW).toBe(true); // the time of the search
    expect(indexOf('kept')).toMatchObject({ change: 'created', version: 1 });
  });

  it('given a second search, before and after the app has run the deletion, then there is no further deletion', async () => {
    await using service = await startService(fhirResources([]));
    const { find, rows, runs, runRows } = await open(service.url, [patient('gone')]);
    await find();

    const { output } = await find('--json');
    expect(JSON.parse(output).parts).toMatchObject([{ removed: 1, known: 1, broughtIn: 0 }]);
    expect(rows()).toHaveLength(1);
    await runRows();
    const again = await find('--json');
    await runRows();

    expect(JSON.parse(again.output).parts).toMatchObject([{ compared: 0, removed: 0 }]);
    expect(runs.filter((run) => run.startsWith('every-change'))).toHaveLength(1);
  });

  it('given two searches at once, then each workflow runs once', async () => {
    await using service = await startService(fhirResources([]));
    const { find, runs, runRows } = await open(service.url, [patient('gone')]);

    await Promise.all([find(), find()]);
    await runRows();

    expect(runs.filter((run) => run.startsWith('every-change'))).toHaveLength(1);
  });

  it('given a search that ended before the deletion was brought in, then the next one brings it in', async () => {
    await using service = await startService(fhirResources([]));
    const { find, app, runs, runRows } = await open(service.url, [patient('gone')]);
    const { waiting } = app;
    const add = () => Promise.reject(new StorageError('forbidden', 'No.', { isRejected: true }));
    Object.assign(app, { waiting: { ...waiting, add } });
    expect((await find()).code).toBe(3);
    Object.assign(app, { waiting });

    const { output } = await find('--json');
    await runRows();

    expect(JSON.parse(output).parts).toMatchObject([{ removed: 1, known: 0, broughtIn: 1 }]);
    expect(runs.filter((run) => run.startsWith('every-change'))).toHaveLength(1);
  });

  it('given a resource that was created again after the search, then its index ends as created', async () => {
    await using service = await startService(fhirResources([]));
    const { find, app, runRows, indexOf, rows } = await open(service.url, [patient('gone', { version: 3 })]);
    await find();
    const { time: askedAt } = JSON.parse(String(rows()[0]?.row.event));
    const created = { resourceType: 'Patient', resourceFhirAccount: FHIR_HOST, resourceFhirId: 'gone' };
    await app.pipeline.deliver([
      {
        id: 'created-again',
        source: WORKSPACE,
        specversion: '1.0',
        type: 'Microsoft.HealthcareApis.FhirResourceCreated',
        time: new Date(Date.parse(askedAt) + 2000).toISOString(),
        data: { ...created, resourceVersionId: 1 },
      },
    ]);
    await runRows();

    expect(indexOf('gone')).toMatchObject({ change: 'created', version: 1 });
  });

  it('given a deletion that ran on an earlier day but did not reach the index, then it is known', async () => {
    await using service = await startService(fhirResources([]));
    const { find, pass, runRows, tables, indexOf, rows } = await open(service.url, [patient('gone')]);
    const before = tables.inspect('resources')[0];
    await find();
    await runRows();
    const after = tables.inspect('resources')[0];
    await tables.commit('resources', String(before?.partition), [
      { kind: 'replace', key: String(before?.key), row: before?.row ?? {}, etag: String(after?.etag) },
    ]);
    pass(24 * 60 * MINUTE_MS);

    const { output } = await find('--json');

    expect(indexOf('gone')).toMatchObject({ change: 'created' });
    expect(JSON.parse(output).parts).toMatchObject([{ removed: 1, known: 1, broughtIn: 0 }]);
    expect(rows()).toEqual([]);
  });

  it('given a dry run, then it prints the counts, and nothing changes', async () => {
    await using service = await startService(fhirResources([]));
    const { find, rows } = await open(service.url, [patient('gone')]);

    const { code, output } = await find('--dry-run');

    expect(code).toBe(0);
    expect(output).toContain('Dry run: nothing was changed.');
    expect(output).toContain('1 deletions missing, which a dry run does not bring in.');
    expect(rows()).toEqual([]);
  });

  it('given a soft-deleted resource, then its deletion is the one in history, also when history is compared later', async () => {
    const deleted = patient('gone', { version: 2, time: timeOf(5), method: 'DELETE' });
    await using service = await startService((request, response) =>
      (request.url?.startsWith('/_history') ? fhirHistory : fhirResources)([deleted])(request, response),
    );
    const { find, type, runRows, runs, indexOf } = await open(service.url, [patient('gone')]);

    await find();
    await runRows();
    const { output } = await type('--since', '2026-01-01', '--json');

    expect(indexOf('gone')).toMatchObject({ change: 'deleted', version: 2, time: timeOf(5) });
    expect(runs.filter((run) => run.startsWith('every-change'))).toEqual([`every-change ${timeOf(5)}`]);
    expect(JSON.parse(output).parts).toMatchObject([{ compared: 1, known: 1 }]);
  });

  it('given a resource whose row changed in the last 10 minutes, then the service is not asked about it', async () => {
    await using service = await startService(fhirResources([]));
    const { find, pass } = await open(service.url, [patient('gone')]);
    pass(-2 * MINUTE_MS);

    const { output } = await find('--json');

    expect(JSON.parse(output).parts).toMatchObject([{ compared: 1, recent: 1, removed: 0, broughtIn: 0 }]);
    expect(service.asked).toEqual([]);
  });

  it('given a resource that changes while the service is asked, then no deletion is brought in', async () => {
    const opened: { change?: () => Promise<unknown> } = {};
    const resources = fhirResources([]);
    await using service = await startService(async (request, response) => {
      if (request.url?.startsWith('/Patient/')) await opened.change?.();
      resources(request, response);
    });
    const { find, tables, rows } = await open(service.url, [patient('gone')]);
    opened.change = async () => {
      const [stored] = tables.inspect('resources');
      await tables.commit('resources', String(stored?.partition), [
        { kind: 'upsert', key: String(stored?.key), row: { version: 2 } },
      ]);
    };

    const { output } = await find('--json');

    expect(JSON.parse(output).parts).toMatchObject([{ removed: 0, recent: 1, broughtIn: 0 }]);
    expect(rows()).toEqual([]);
  });

  it('given a search that lacks a resource, then a read shows that the service has it', async () => {
    await using service = await startService(fhirResources(versionsOf(5), { maxPage: 2 }));
    const { find } = await open(service.url, versionsOf(5));

    const { output } = await find('--json');

    expect(JSON.parse(output).parts).toMatchObject([{ compared: 5, present: 5, removed: 0 }]);
    expect(service.asked).toHaveLength(1 + 3);
  });

  it('given 1,200 resources, then there is one request for 50 of a type, and only for ids', async () => {
    const versions = versionsOf(1200);
    await using service = await startService(fhirResources(versions));
    const { find } = await open(service.url, versions);

    const { output } = await find('--json');

    expect(JSON.parse(output).parts).toMatchObject([{ compared: 1200, present: 1200 }]);
    expect(service.asked).toHaveLength(20 + 4);
    for (const url of service.urls()) expect(url).toMatch(/^\/Patient\?_id=.*&_elements=id&_count=\d+$/);
  });

  it('given types, then only resources of these types are compared', async () => {
    await using service = await startService(fhirResources([]));
    const { find } = await open(service.url, [patient('gone'), patient('device', { type: 'Device' })]);

    const { output } = await find('--types', 'Device', '--json');

    expect(JSON.parse(output).parts).toMatchObject([{ compared: 1, broughtIn: 1 }]);
    expect(service.urls().every((url) => url.startsWith('/Device'))).toBe(true);
  });

  it('given a service that refuses so many ids, then it is asked for fewer', async () => {
    const resources = fhirResources(versionsOf(40));
    await using service = await startService((request, response) => {
      if ((request.url ?? '').split('%2C').length > 10) return status(400)(request, response);
      return resources(request, response);
    });
    const { find } = await open(service.url, versionsOf(40));

    const { output } = await find('--json');

    expect(JSON.parse(output).parts).toMatchObject([{ compared: 40, present: 40, end: 'done' }]);
  });

  it.each([
    { given: 'a wrong URL', answer: status(404), says: 'fhir-not-found' },
    { given: 'no role', answer: status(403), says: 'fhir-forbidden' },
    { given: 'another server', answer: json([]), says: 'fhir-other-resource' },
  ])('given $given, then the exit code is 1, and no deletion is brought in', async ({ answer, says }) => {
    await using service = await startService(answer);
    const { find, rows } = await open(service.url, [patient('gone')]);

    const { code, output } = await find('--json');

    expect(code).toBe(1);
    expect(JSON.parse(output).parts).toMatchObject([{ end: 'failed', error: { code: says }, broughtIn: 0 }]);
    expect(rows()).toEqual([]);
  });

  it('given a service that fails at the second question, then no deletion is brought in', async () => {
    await using service = await startService(json(bundleOf([])), status(403));
    const { find, rows } = await open(service.url, [patient('gone')]);

    expect((await find()).code).toBe(1);
    expect(rows()).toEqual([]);
  });

  it('given storage that refuses, then the exit code is 3, and the report names the error', async () => {
    await using service = await startService(fhirResources([]));
    const { find, app, rows } = await open(service.url, [patient('gone')]);
    const read = () => Promise.reject(new StorageError('forbidden', 'No.', { isRejected: true }));
    Object.assign(app, { workflowTables: { ...app.workflowTables, read } });

    const { code, output } = await find('--json');

    expect(code).toBe(3);
    expect(JSON.parse(output).parts).toMatchObject([{ end: 'failed', error: { code: 'forbidden' }, broughtIn: 0 }]);
    expect(rows()).toEqual([]);
  });

  it('given ids that no FHIR service accepts, then the exit code is 1, and the report has their number', async () => {
    await using service = await startService(fhirResources([]));
    const { find, rows } = await open(service.url, [patient('..'), patient('a/b')]);

    const { code, output } = await find();

    expect(code).toBe(1);
    expect(output).toContain('Left out, because no FHIR service has such a type or id: 2.');
    expect({ asked: service.asked, rows: rows() }).toEqual({ asked: [], rows: [] });
  });

  it('given Ctrl-C, then the exit code is 130', async () => {
    const opened: { interrupt?: () => void } = {};
    await using service = await startService((request, response) => {
      opened.interrupt?.();
      fhirResources([])(request, response);
    });
    const { find, interrupt, rows } = await open(service.url, [patient('gone')]);
    opened.interrupt = interrupt;

    const { code, output } = await find();

    expect(code).toBe(130);
    expect(output).toContain('Stopped. The same command starts at the beginning.');
    expect(rows()).toEqual([]);
  });

  it('given no workflow resource-index, then a ConfigError is thrown before anything is read', async () => {
    await using service = await startService(fhirResources([]));
    const { type } = openCommand({ fhir: service.url });

    await expect(type('--find-removed')).rejects.toBeInstanceOf(ConfigError);
    expect(service.asked).toEqual([]);
  });

  it.each([
    { args: ['--since', '2026-01-01'], says: '--since does not go with --find-removed' },
    { args: ['--workflow', 'patients'], says: '--workflow does not go with --find-removed' },
    { args: ['--types', 'Pateint'], says: 'Did you mean Patient?' },
    { args: ['--service', 'elsewhere'], says: 'must be a host name in FHIR_HOSTS' },
  ])('given $args, then the command refuses before anything is read', async ({ args, says }) => {
    await using service = await startService(fhirResources([]));
    const { type } = openCommand({ fhir: service.url, hasIndex: true });

    await expect(async () => type('--find-removed', ...args)).rejects.toThrow(says);
    expect(service.asked).toEqual([]);
  });

  it('given only DICOM services, then the error says why', async () => {
    const { type } = openCommand({ dicom: 'http://127.0.0.1:9', hasIndex: true });

    await expect(type('--find-removed')).rejects.toThrow('--find-removed compares FHIR services only');
  });
});

describe('the event of a removed resource', () => {
  const change = {
    service: 'fhir',
    host: FHIR_HOST,
    change: 'deleted',
    resourceType: 'Patient',
    resourceId: 'p1',
    version: 4,
    time: timeOf(0),
  } as const;
  const idOf = (removed: typeof change | (Omit<typeof change, 'time'> & { time: string }), at: string) =>
    Object(removedEvent(removed, WORKSPACE, new Date(at)).raw).id;

  it('given two searches, then the id is the same; given a recreated resource, then the id is another', () => {
    expect(idOf(change, NOW)).toMatch(/^reconciled-/);
    expect(idOf(change, '2026-01-02T12:00:00.000Z')).toBe(idOf(change, NOW));
    expect(idOf({ ...change, time: timeOf(60_000) }, NOW)).not.toBe(idOf(change, NOW));
  });
});
