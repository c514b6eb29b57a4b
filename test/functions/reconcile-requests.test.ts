import { registerReconcileRequests } from '../../src/functions/reconcile-requests.js';
import { StorageError, type TableStore } from '../../src/storage/table-store.js';
import { defineWorkflow, dicom, fhir } from '../../src/workflow.js';
import { DICOM_HOST, FHIR_HOST, startService, status } from '../clients/stand-in.js';
import { dicomFeed, feedOf, fhirHistory, timeOf, versionsOf } from '../reconcile/services.js';
import { openReconcileApp } from './reconcile-app.js';

type Answer = { status?: number; headers?: Record<string, string>; jsonBody: Record<string, unknown> };

const NOW = '2026-01-01T12:00:00.000Z';
const SINCE = '2026-01-01T00:00:00Z';

function start({ env, ...options }: Parameters<typeof openReconcileApp>[0] = {}) {
  const opened = openReconcileApp({ startAt: NOW, env: { RECONCILE: 'off', ...env }, ...options });
  const { functions, app } = opened;
  registerReconcileRequests(functions.app, app);
  const post = (body: unknown, headers = {}) =>
    functions.call('askReconcile', {
      text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
      headers: new Headers({ 'content-type': 'application/json', ...headers }),
    }) as Promise<Answer>;
  const show = (id: string) => functions.get('reconcileRequest', { params: { id } }) as Promise<Answer>;
  return {
    ...opened,
    post,
    show,
    list: async () => ((await functions.get('reconcileRequests')) as Answer).jsonBody.requests as unknown[],
    /** Asks, and returns the id. */
    ask: async (body: unknown) => String((await post(body)).jsonBody.id),
  };
}

describe('POST reconcile', () => {
  it('given a request, then 202 with its id, and the request waits', async () => {
    await using service = await startService(fhirHistory([]));
    const { post, show, list, lines } = start({ fhir: service.url });

    const answer = await post({ since: SINCE, service: FHIR_HOST, types: ['Patient'], dryRun: true });
    const id = String(answer.jsonBody.id);

    expect(answer).toMatchObject({ status: 202, headers: { Location: `/api/reconcile/${id}` } });
    const shown = {
      id,
      state: 'waiting',
      since: '2026-01-01T00:00:00.000Z',
      until: '2026-01-01T11:50:00.000Z',
      service: FHIR_HOST,
      types: ['Patient'],
      workflow: null,
      findRemoved: false,
      rowsLost: false,
      dryRun: true,
      askedAt: NOW,
      endedAt: null,
      counts: { compared: 0, known: 0, missing: 0, unreadable: 0, broughtIn: 0 },
      parts: [],
      message: 'The timer reconcile has not begun yet: it runs each minute.',
    };
    expect((await show(id)).jsonBody).toEqual(shown);
    expect(await list()).toEqual([shown]);
    expect(lines).toEqual(['info {"what":"reconcile-asked","by":"key-holder"}']);
    expect(service.asked).toEqual([]);
  });

  it('given the same request twice, also in another order, then one request', async () => {
    const { ask, list, advance } = start({ fhir: 'http://127.0.0.1:1' });

    const first = await ask({ since: SINCE, types: ['Patient', 'Device'] });
    advance(5000);
    const second = await ask({ types: ['Device', 'Patient'], since: '2026-01-01T01:00:00+01:00', dryRun: false });
    const other = await ask({ since: SINCE, types: ['Patient'] });

    expect(second).toBe(first);
    expect(other).not.toBe(first);
    expect(await list()).toMatchObject([{ id: other }, { id: first, askedAt: NOW }]);
  });

  it.each([
    { given: 'no since', body: {}, path: 'since', code: 'invalid-type', message: 'is missing, must be a text' },
    {
      given: 'a since that is no time',
      body: { since: 'yesterday' },
      path: 'since',
      code: 'invalid-format',
      message: "is 'yesterday', must be a time such as 2026-03-14T12:00:00Z",
    },
    {
      given: 'a since in the future',
      body: { since: '2026-01-01T12:00:01Z' },
      path: 'since',
      code: 'in-future',
      message: "is '2026-01-01T12:00:01.000Z', must not be in the future: it is 2026-01-01T12:00:00.000Z",
    },
    {
      given: 'a since of a moment ago',
      body: { since: '2026-01-01T11:55:00Z' },
      path: 'since',
      code: 'too-new',
      message:
        "is '2026-01-01T11:55:00.000Z', must be at least 10 minutes ago: events of newer changes may still arrive",
    },
    {
      given: 'a since that the ledger has forgotten',
      body: { since: '2025-12-01T00:00:00Z' },
      path: 'since',
      code: 'since-forgotten',
      message: expect.stringContaining('Use a since of 2025-12-25T12:00:00.000Z or later, or workflow NAME for'),
    },
    {
      given: 'an until in the future',
      body: { since: SINCE, until: '2027-01-01T00:00:00Z' },
      path: 'until',
      code: 'in-future',
      message: "is '2027-01-01T00:00:00.000Z', must not be in the future: it is 2026-01-01T12:00:00.000Z",
    },
    {
      given: 'an until before since',
      body: { since: SINCE, until: '2025-12-31T00:00:00Z' },
      path: 'until',
      code: 'not-after-since',
      message: "is '2025-12-31T00:00:00.000Z', must be after since '2026-01-01T00:00:00.000Z'",
    },
    {
      given: 'an unknown service',
      body: { since: SINCE, service: 'w-x.fhir.azurehealthcareapis.com' },
      path: 'service',
      code: 'unknown-name',
      message: `is 'w-x.fhir.azurehealthcareapis.com', must be a host name in FHIR_HOSTS or DICOM_HOSTS: ${FHIR_HOST}, ${DICOM_HOST}. Did you mean ${FHIR_HOST}?`,
    },
    {
      given: 'an unknown workflow',
      body: { since: SINCE, workflow: 'every-chang' },
      path: 'workflow',
      code: 'unknown-name',
      message: "is 'every-chang', must be a workflow that is on in this app: every-change. Did you mean every-change?",
    },
    {
      given: 'a type that does not exist',
      body: { since: SINCE, types: ['Patient', 'Pateint'] },
      path: 'types.1',
      code: 'unknown-name',
      message: "is 'Pateint', which no workflow wants. Did you mean Patient?",
    },
    {
      given: 'an option of the command',
      body: { since: SINCE, 'dry-run': true },
      path: 'dry-run',
      code: 'unrecognized-keys',
      message:
        'is not known here, must be one of since, until, service, types, workflow, findRemoved, rowsLost, dryRun',
    },
  ])('given $given, then 400 with path, code and what is allowed', async ({ body, path, code, message }) => {
    const { post, tables } = start({ fhir: 'http://127.0.0.1:1', dicom: 'http://127.0.0.1:1' });

    const { status: code400, jsonBody } = await post(body);

    expect(code400).toBe(400);
    const { problems } = jsonBody.error as { problems: { path: string; message: string }[] };
    expect(problems).toHaveLength(1);
    expect(problems).toMatchObject([{ path, code }]);
    expect(problems[0]?.message).toEqual(
      typeof message === 'string' && code === 'since-forgotten' ? expect.stringContaining(message) : message,
    );
    expect(tables.inspect('reconcile')).toEqual([]);
  });

  it('given a workspace that no setting names, then 400, unless no workflow wants changes of the service', async () => {
    const workspaces = ['other', 'another'].map(
      (name) => `/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/${name}`,
    );
    const patients = defineWorkflow({ name: 'patients', on: fhir('Patient'), handle() {} });
    const options = { dicom: 'http://127.0.0.1:1', env: { WORKSPACES: workspaces.join(',') } };

    expect(await start(options).post({ since: SINCE })).toMatchObject({
      status: 400,
      jsonBody: { error: { problems: [{ path: 'service', code: 'workspace-unknown' }] } },
    });
    expect(await start({ ...options, workflows: [patients] }).post({ since: SINCE })).toMatchObject({ status: 202 });
  });

  it('given no service in the settings, then 400 with the settings', async () => {
    const { jsonBody } = await start().post({ since: SINCE });

    expect(jsonBody).toMatchObject({
      error: { problems: [{ code: 'no-service', message: expect.stringContaining('FHIR_HOSTS and DICOM_HOSTS') }] },
    });
  });

  it('given a body that is not JSON, then 415 without the content type, else 400', async () => {
    const { post } = start({ fhir: 'http://127.0.0.1:1' });

    expect(await post('{}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await post('{nope')).toMatchObject({
      status: 400,
      jsonBody: { error: { problems: [{ code: 'not-json' }] } },
    });
  });

  it('given storage fails, then 503 with its code', async () => {
    const query: TableStore['query'] = () => Promise.reject(new StorageError('unreachable', 'No.'));
    const { post, functions } = start({ fhir: 'http://127.0.0.1:1', wrap: (tables) => ({ ...tables, query }) });

    expect(await post({ since: SINCE })).toMatchObject({ status: 503, jsonBody: { error: { code: 'unreachable' } } });
    expect(await functions.get('reconcileRequests')).toMatchObject({ status: 503 });
  });
});

describe('GET reconcile/{id}', () => {
  it('given no such id, then 404', async () => {
    expect(await start().show('nonsense')).toMatchObject({
      status: 404,
      jsonBody: { error: { code: 'no-such-request' } },
    });
  });
});

describe('when the timer reconcile works on requests', () => {
  it('given a request, then what is missing is brought in, and the request is done with its counts', async () => {
    await using fhirService = await startService(fhirHistory(versionsOf(3)));
    await using dicomService = await startService(dicomFeed(feedOf(2)));
    const { ask, show, tick, runRows, runs, lines, records } = start({
      fhir: fhirService.url,
      dicom: dicomService.url,
    });
    const id = await ask({ since: SINCE });

    await tick();
    await runRows();

    expect((await show(id)).jsonBody).toMatchObject({
      state: 'done',
      endedAt: NOW,
      counts: { compared: 5, known: 0, missing: 5, broughtIn: 5 },
      parts: expect.arrayContaining([
        { host: FHIR_HOST, part: expect.any(String), upTo: expect.any(String), counts: expect.any(Object) },
      ]),
      message: '5 compared, 5 missing, 5 brought in.',
    });
    expect(runs).toHaveLength(5);
    expect(lines.at(-1)).toBe(
      'info {"what":"reconcile-request-done","numbers":{"compared":5,"known":0,"missing":5,"unreadable":0,"broughtIn":5}}',
    );
    expect(JSON.stringify([lines, (await show(id)).jsonBody])).not.toMatch(/M4RK3R|Patient|_history|1\.2\.3/);
    expect(records).toEqual([]); // the alert is for changes that Event Grid has lost
  });

  it('given a dry run, then it counts, and brings nothing in', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { ask, show, tick, tables } = start({ fhir: service.url });
    const id = await ask({ since: SINCE, dryRun: true });

    await tick();

    expect((await show(id)).jsonBody).toMatchObject({
      state: 'done',
      counts: { compared: 3, missing: 3, broughtIn: 0 },
    });
    expect(tables.inspect('waiting')).toEqual([]);
  });

  it.each([{ dryRun: false }, { dryRun: true }])(
    'given the time of a run is over (dry run: $dryRun), then the next run goes on, and counts each change once',
    async ({ dryRun }) => {
      await using fhirService = await startService(
        fhirHistory(versionsOf(4), { maxPage: 2 }),
        () => {}, // never answers
        fhirHistory(versionsOf(4)),
      );
      await using dicomService = await startService(dicomFeed(feedOf(2)));
      const { ask, show, tick, runRows, runs, expire } = start({ fhir: fhirService.url, dicom: dicomService.url });
      const id = await ask({ since: SINCE, dryRun });

      const run = tick();
      await fhirService.askedTimes(2);
      expect((await show(id)).jsonBody).toMatchObject({ state: 'running', counts: { compared: 2 } });
      expire(55_000);
      await run;
      await runRows();

      expect((await show(id)).jsonBody).toMatchObject({
        state: 'running',
        endedAt: null,
        counts: { compared: 2, missing: 2, broughtIn: dryRun ? 0 : 2 },
      });

      await tick();
      await runRows();

      const { state, counts } = (await show(id)).jsonBody as { state: string; counts: Record<string, number> };
      expect(state).toBe('done');
      expect(fhirService.urls()[2]).toContain(`_since=${encodeURIComponent(timeOf(1))}`);
      expect(counts).toMatchObject(dryRun ? { compared: 7, missing: 7, broughtIn: 0 } : { compared: 7, known: 1 });
      expect(runs).toHaveLength(dryRun ? 0 : 6);
    },
  );

  it('given lost rows of jobs that wait, then only a request with rowsLost counts them, and gives them new rows', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    let isDown = true;
    const done: number[] = [];
    const handle = () => {
      if (isDown) throw new Error('down');
      done.push(1);
    };
    const workflows = [defineWorkflow({ name: 'every-change', on: [fhir('*')], handle })];
    const { ask, show, tick, runRows, tables, advance } = start({ fhir: service.url, workflows });
    const countsOf = async (body: object) => {
      const id = await ask({ since: SINCE, ...body });
      await tick();
      return (await show(id)).jsonBody.counts;
    };
    await countsOf({});
    await runRows();
    await tables.drop('waiting');
    isDown = false;
    advance(60_000);

    expect(await countsOf({ dryRun: true })).toMatchObject({ known: 3, missing: 0 });
    expect(await countsOf({ rowsLost: true, dryRun: true })).toMatchObject({ known: 0, missing: 3, broughtIn: 0 });
    expect(await countsOf({ rowsLost: true })).toMatchObject({ missing: 3, broughtIn: 3 });
    advance(5000);
    await runRows();
    expect(done).toHaveLength(3);
    expect(await ask({ since: SINCE, rowsLost: true })).not.toBe(await ask({ since: SINCE }));
  });

  it('given a service that was compared to its end, then a later run does not read it again', async () => {
    await using fhirService = await startService(fhirHistory(versionsOf(3)));
    await using dicomService = await startService(() => {}, dicomFeed(feedOf(2)));
    const { ask, show, tick, expire } = start({ fhir: fhirService.url, dicom: dicomService.url });
    const id = await ask({ since: SINCE });

    const run = tick();
    await dicomService.askedTimes(1);
    expire(55_000);
    await run;
    await tick();

    expect(fhirService.asked).toHaveLength(1);
    expect((await show(id)).jsonBody).toMatchObject({ state: 'done', counts: { compared: 5, missing: 5 } });
  });

  it('given a service that fails, then the request fails with its code; requested again, it goes on', async () => {
    const history = fhirHistory(versionsOf(4), { maxPage: 2 });
    await using service = await startService(history, status(403), history);
    const { ask, show, tick, lines, advance } = start({ fhir: service.url });
    const id = await ask({ since: SINCE });

    await tick();

    expect((await show(id)).jsonBody).toMatchObject({
      state: 'failed',
      counts: { compared: 2 },
      message: expect.stringMatching(
        /^2 compared, 2 missing, 2 brought in\. w-f\.\S+ was not compared to the end\. .*fhir-forbidden.* make the same request again/,
      ),
    });
    expect(lines.at(-1)).toMatch(/^error .*"reconcile-request-failed".*"errorCode":"fhir-forbidden"/);
    await tick();
    expect(service.asked).toHaveLength(2);

    advance(60_000);
    expect(await ask({ since: SINCE })).toBe(id);
    await tick();

    expect((await show(id)).jsonBody).toMatchObject({ state: 'done', until: '2026-01-01T11:51:00.000Z' });
    expect(service.urls()[2]).toContain(`_since=${encodeURIComponent(timeOf(1))}`);
  });

  it('given a done request that is requested again, then it begins anew', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { ask, show, tick, runRows } = start({ fhir: service.url });
    const id = await ask({ since: SINCE });
    await tick();
    await runRows();

    await ask({ since: SINCE });
    await tick();

    expect((await show(id)).jsonBody).toMatchObject({ state: 'done', counts: { compared: 3, known: 3, missing: 0 } });
  });

  it('given a workflow, then only this workflow runs', async () => {
    await using service = await startService(fhirHistory(versionsOf(2)));
    const runs: string[] = [];
    const named = (name: string) =>
      defineWorkflow({ name, on: [fhir('*'), dicom()], handle: () => void runs.push(name) });
    const { ask, tick, runRows } = start({ fhir: service.url, workflows: [named('old'), named('new')] });
    await ask({ since: '2025-01-01T00:00:00Z', workflow: 'new' });

    await tick();
    await runRows();

    expect(runs).toEqual(['new', 'new']);
  });

  it('given types that no workflow wants of the service, then the request is done, and says that there was nothing', async () => {
    await using service = await startService(dicomFeed(feedOf(2)));
    const { ask, show, tick } = start({ dicom: service.url });
    const id = await ask({ since: SINCE, types: ['Patient'] });

    await tick();

    expect((await show(id)).jsonBody).toMatchObject({
      state: 'done',
      message: 'Nothing to compare: no workflow wants changes of these services and types.',
    });
  });

  it('given a request whose days the ledger has dropped meanwhile, then it fails, and says which time to name', async () => {
    await using service = await startService(fhirHistory(versionsOf(2)));
    const { ask, show, tick, advance } = start({ fhir: service.url });
    const id = await ask({ since: SINCE });
    advance(8 * 24 * 3_600_000);

    await tick();

    expect((await show(id)).jsonBody).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('Use a since of'),
    });
    expect(service.asked).toEqual([]);
  });

  it('given a request that ended over 30 days ago, then it is forgotten', async () => {
    await using service = await startService(fhirHistory([]));
    const { ask, list, tick, advance } = start({ fhir: service.url });
    await ask({ since: SINCE });
    await tick();

    advance(30 * 24 * 3_600_000);
    await tick();
    expect(await list()).toHaveLength(1);
    advance(1000);
    await tick();

    expect(await list()).toEqual([]);
  });

  it('given two runs at once, then one of them works on the request', async () => {
    await using service = await startService(fhirHistory(versionsOf(3)));
    const { ask, show, tick } = start({ fhir: service.url });
    const id = await ask({ since: SINCE });

    await Promise.all([tick(), tick()]);

    expect(service.asked).toHaveLength(1);
    expect((await show(id)).jsonBody).toMatchObject({ state: 'done', counts: { compared: 3 } });
  });
});
