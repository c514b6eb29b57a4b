import { registerReconcileRequests } from '../../src/functions/reconcile-requests.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { defineWorkflow, dicom, fhir } from '../../src/workflow.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';
import { DICOM_HOST, FHIR_HOST, startService, status } from '../clients/stand-in.js';
import { fhirResources, timeOf, type Version } from '../reconcile/services.js';
import { openReconcileApp } from './reconcile-app.js';

type Answer = { status?: number; jsonBody: Record<string, unknown> };

const NOW = '2026-01-01T12:00:00.000Z';
const MINUTE_MS = 60_000;
const NONE = { compared: 0, present: 0, removed: 0, known: 0, recent: 0, unreadable: 0, broughtIn: 0 };
/** The table has two pages. Most rows are of deleted resources, which no search looks at. */
const ROWS = 1100;
const [ON_PAGE_1, ON_PAGE_2] = [10, 1050];

const patient = (id: string): Version => ({ type: 'Patient', id, version: 1, time: timeOf(0) });

type Options = Pick<Parameters<typeof openReconcileApp>[0], 'wrap' | 'after'>;

/** An app over an index with these resources, by the numbers of their rows. */
async function start(url: string, resources: Readonly<Record<number, string>>, options: Options = {}) {
  const opened = open(url, options);
  const { tables, advance } = opened;
  await tables.create('resources');
  await tables.create('waiting');
  for (let at = 0; at < ROWS; at += 1) {
    const resourceId = resources[at] ?? `d${at}`;
    const change = resources[at] === undefined ? 'deleted' : 'created';
    const row = { service: 'fhir', host: FHIR_HOST, change, resourceType: 'Patient', resourceId, version: 1 };
    await tables.commit('resources', '0', [{ kind: 'insert', key: String(at).padStart(6, '0'), row }]);
  }
  advance(11 * MINUTE_MS);
  return opened;
}

function open(url: string, options: Options) {
  const runs: string[] = [];
  const every = defineWorkflow({
    name: 'every-change',
    on: [fhir('*'), dicom()],
    handle: (event) => void runs.push(event.service === 'fhir' ? event.resourceId : ''),
  });
  const opened = openReconcileApp({
    fhir: url,
    dicom: 'http://127.0.0.1:1',
    startAt: NOW,
    env: { RECONCILE: 'off' },
    workflows: [every, resourceIndex],
    ...options,
  });
  const { functions, app } = opened;
  registerReconcileRequests(functions.app, app);
  const post = (body: object) =>
    functions.call('askReconcile', {
      text: async () => JSON.stringify(body),
      headers: new Headers({ 'content-type': 'application/json' }),
    }) as Promise<Answer>;
  return {
    ...opened,
    runs,
    post,
    /** Asks, and returns the id. */
    ask: async (body: object = {}) => String((await post({ findRemoved: true, ...body })).jsonBody.id),
    show: async (id: string) => ((await functions.get('reconcileRequest', { params: { id } })) as Answer).jsonBody,
  };
}

describe('POST reconcile with findRemoved', () => {
  it('given a request, then 202, and it waits without times; the same again is one request, a dry run another', async () => {
    const { post, ask, show } = await start('http://127.0.0.1:1', {});

    const answer = await post({ findRemoved: true, service: FHIR_HOST, types: ['Patient'] });
    const id = String(answer.jsonBody.id);

    expect(answer.status).toBe(202);
    expect(await show(id)).toEqual({
      id,
      state: 'waiting',
      ...{ since: null, until: null, service: FHIR_HOST, types: ['Patient'], workflow: null },
      ...{ findRemoved: true, rowsLost: false, dryRun: false },
      askedAt: '2026-01-01T12:11:00.000Z',
      endedAt: null,
      counts: NONE,
      parts: [],
      message: 'The timer reconcile has not begun yet: it runs each minute.',
    });
    expect(await ask({ types: ['Patient'], service: FHIR_HOST })).toBe(id);
    expect(await ask({ types: ['Patient'], service: FHIR_HOST, dryRun: true })).not.toBe(id);
  });

  it.each([
    { body: { since: '2026-01-01T00:00:00Z' }, path: 'since', says: 'does not go with findRemoved' },
    { body: { until: '2026-01-01T00:00:00Z' }, path: 'until', says: 'does not go with findRemoved' },
    { body: { workflow: 'every-change' }, path: 'workflow', says: 'does not go with findRemoved' },
    { body: { rowsLost: true }, path: 'rowsLost', says: 'does not go with findRemoved' },
    { body: { types: ['Pateint'] }, path: 'types.0', says: 'Did you mean Patient?' },
    { body: { service: DICOM_HOST }, path: 'service', says: 'since findRemoved compares FHIR services only' },
    { body: { findRemoved: 'yes' }, path: 'findRemoved', says: 'must be true or false' },
  ])('given $body, then 400 with path and reason, and no request', async ({ body, path, says }) => {
    const { post, rows } = await start('http://127.0.0.1:1', {});

    expect(await post({ findRemoved: true, ...body })).toMatchObject({
      status: 400,
      jsonBody: { error: { problems: [{ path, message: expect.stringContaining(says) }] } },
    });
    expect(rows('asked')).toEqual([]);
  });

  it('given no workflow resource-index, then 400 with its name; if it is off later, the request fails', async () => {
    const { post, ask, show, app, tick } = await start('http://127.0.0.1:1', {});
    const id = await ask();
    Object.assign(app, { workflows: app.workflows.filter(({ name }) => name !== 'resource-index') });

    expect(await post({ findRemoved: true })).toMatchObject({
      status: 400,
      jsonBody: { error: { problems: [{ path: 'findRemoved', code: 'unknown-workflow' }] } },
    });
    await tick();

    expect(await show(id)).toMatchObject({ state: 'failed', message: expect.stringContaining('resource-index') });
  });

  it('given no FHIR service, or a workspace that no setting names, then 400 with the setting', async () => {
    const { post, app } = await start('http://127.0.0.1:1', {});
    const { config } = app;
    const problemsWith = async (settings: object) => {
      Object.assign(app, { config: { ...config, ...settings } });
      return ((await post({ findRemoved: true })).jsonBody.error as { problems: unknown[] }).problems;
    };

    expect(await problemsWith({ fhirHosts: [] })).toMatchObject([
      { path: 'service', code: 'no-service', message: expect.stringContaining('FHIR_HOSTS is absent') },
    ]);
    expect(await problemsWith({ workspaces: ['/x/one', '/x/two'] })).toMatchObject([
      { path: 'service', code: 'workspace-unknown' },
    ]);
  });
});

describe('when the timer reconcile searches for removed resources', () => {
  it('given one removed resource, then each workflow runs for its deletion, and the counts are those of the command', async () => {
    await using service = await startService(fhirResources([patient('kept')]));
    const { ask, show, tick, runRows, runs, lines, rows } = await start(service.url, {
      [ON_PAGE_1]: 'kept',
      [ON_PAGE_2]: 'M4RK3R',
    });
    const id = await ask();

    await tick();
    await runRows();

    const counts = { ...NONE, compared: 2, present: 1, removed: 1, broughtIn: 1 };
    expect(await show(id)).toMatchObject({
      state: 'done',
      endedAt: '2026-01-01T12:11:00.000Z',
      counts,
      message:
        `${FHIR_HOST}: 2 resources compared, 1 present, 0 changed in the last 10 minutes, 1 removed; ` +
        '0 deletions known, 1 deletions brought in.',
    });
    expect(runs).toEqual(['M4RK3R']);
    expect(JSON.parse(lines.at(-1)?.slice('info '.length) ?? '')).toEqual({
      what: 'reconcile-request-done',
      numbers: counts,
    });
    expect(JSON.stringify([lines, await show(id), rows('asked')])).not.toMatch(/M4RK3R|kept/);
  });

  it('given a dry run, then it counts, and brings nothing in', async () => {
    await using service = await startService(fhirResources([]));
    const { ask, show, tick, tables } = await start(service.url, { [ON_PAGE_1]: 'gone' });
    const id = await ask({ dryRun: true });

    await tick();

    expect(await show(id)).toMatchObject({
      state: 'done',
      counts: { removed: 1, broughtIn: 0 },
      message: expect.stringMatching(/^Dry run: nothing was changed\. .*1 deletions missing, which a dry run does not/),
    });
    expect(tables.inspect('waiting')).toEqual([]);
  });

  it('given types, then only resources of these types', async () => {
    await using service = await startService(fhirResources([]));
    const { ask, show, tick } = await start(service.url, { [ON_PAGE_1]: 'gone' });
    const id = await ask({ types: ['Device'] });

    await tick();

    expect(await show(id)).toMatchObject({ state: 'done', counts: NONE });
    expect(service.asked).toEqual([]);
  });

  it('given the time of a run ends within page 2, then the next run reads only page 2, first a quarter of it', async () => {
    const resources = fhirResources([patient('kept')]);
    await using service = await startService((request, response) => {
      // 3 requests for page 1, a search for page 2; then no answer for `two`
      if (service.asked.length !== 5) resources(request, response);
    });
    const read: unknown[] = [];
    const { ask, show, tick, expire, runRows, runs } = await start(
      service.url,
      { [ON_PAGE_1]: 'one', [ON_PAGE_2]: 'two', [ON_PAGE_2 + 1]: 'kept' },
      {
        wrap: (tables) => ({
          ...tables,
          query(table, query, ...rest) {
            if (table === 'resources') read.push([query.page, query.limit]);
            return tables.query(table, query, ...rest);
          },
        }),
      },
    );
    const id = await ask();

    const run = tick();
    await service.askedTimes(5);
    expect(await show(id)).toMatchObject({ state: 'running', counts: { compared: 1, broughtIn: 1 } });
    expire(55_000);
    await run;
    expect(await show(id)).toMatchObject({
      state: 'running',
      counts: { compared: 1, broughtIn: 1 },
      message: expect.stringMatching(/1 deletions brought in\. The timer goes on\.$/),
    });
    await tick();
    await runRows();

    expect(await show(id)).toMatchObject({
      state: 'done',
      counts: { ...NONE, compared: 3, present: 1, removed: 2, broughtIn: 2 },
      parts: [{ host: FHIR_HOST, part: null, upTo: null, counts: { removed: 2 } }],
    });
    const place = '0\n000999';
    expect(read).toEqual([
      [undefined, 1000],
      [place, 1000],
      [place, 250],
    ]);
    expect(runs.sort()).toEqual(['one', 'two']);
  });

  it('given a service that fails on page 2, then the request fails with its code; requested again, also when done, the search begins anew', async () => {
    const resources = fhirResources([patient('one'), patient('two')]);
    await using service = await startService(resources, status(403), resources);
    const { ask, show, tick, lines } = await start(service.url, { [ON_PAGE_1]: 'one', [ON_PAGE_2]: 'two' });
    const id = await ask();

    await tick();

    expect(await show(id)).toMatchObject({
      state: 'failed',
      counts: { compared: 1 },
      message: expect.stringMatching(
        /w-f\.\S+ was not compared to the end\. .*fhir-forbidden.* make the same request again: it starts at the beginning\.$/,
      ),
    });
    expect(lines.at(-1)).toMatch(/^error .*"reconcile-request-failed".*"errorCode":"fhir-forbidden"/);
    expect(await ask()).toBe(id);
    await tick();

    expect(await show(id)).toMatchObject({ state: 'done', counts: { compared: 2, present: 2 } });
    expect(service.asked).toHaveLength(2 + 2);
    await ask();
    await tick();

    expect(await show(id)).toMatchObject({ state: 'done', counts: { compared: 2, present: 2 } });
    expect(service.asked).toHaveLength(2 + 2 + 2);
  });

  it('given two runs at once, then one of them searches', async () => {
    await using service = await startService(fhirResources([patient('kept')]));
    const { ask, show, tick } = await start(service.url, { [ON_PAGE_1]: 'kept' });
    const id = await ask();

    await Promise.all([tick(), tick()]);

    expect(service.asked).toHaveLength(1);
    expect(await show(id)).toMatchObject({ state: 'done', counts: { compared: 1 } });
  });

  // The writes of a run: lease, row of `one`, page 1, row of `two`, page 2, release.
  const kills = (['before', 'after'] as const).flatMap((when) => [1, 2, 3, 4, 5, 6].map((write) => ({ when, write })));

  it.each(kills)(
    'given a kill $when write $write, then another process goes on, and each deletion runs once',
    async ({ when, write }) => {
      await using service = await startService(fhirResources([]));
      const { wrap, arm, killed } = dyingAt(write, when);
      const first = await start(service.url, { [ON_PAGE_1]: 'one', [ON_PAGE_2]: 'two' }, { wrap });
      const id = await first.ask();
      arm();
      void first.tick();
      await killed;
      first.advance(90_000); // the lease is over
      const asked = service.asked.length;
      const { tick, runRows, runs, show } = open(service.url, { after: first });

      await tick();
      await runRows();

      const isSaved = (by: number) => write > by || (write === by && when === 'after');
      expect(service.asked.length - asked).toBe(isSaved(5) ? 0 : isSaved(3) ? 3 : 6);
      expect(await show(id)).toMatchObject({ state: 'done', counts: { compared: 2, removed: 2 } });
      expect(runs.sort()).toEqual(['one', 'two']);
    },
  );
});

/** Storage of a process that dies at a write after `arm`: from then on, none of its writes has an effect. */
function dyingAt(write: number, when: 'before' | 'after') {
  let writes = Number.NaN;
  const killed = Promise.withResolvers<void>();
  const wrap = (tables: TableStore): TableStore => ({
    ...tables,
    async commit(...all) {
      writes += 1;
      if (!(writes >= write)) return tables.commit(...all);
      if (writes === write && when === 'after') await tables.commit(...all);
      killed.resolve();
      return new Promise<never>(() => {});
    },
  });
  return {
    wrap,
    arm: () => {
      writes = 0;
    },
    killed: killed.promise,
  };
}
