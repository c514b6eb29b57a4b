import * as api from '../../src/api/overview.js';
import { registerOverview } from '../../src/functions/overview.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { allThatFollows } from '../pipeline/memory-app.js';
import { type Fault, faultyTables } from '../storage/faults.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';
import { named } from './named-workflow.js';
import { eventsOf, failing } from './some-events.js';

const note = named('note');
type Options = Parameters<typeof composeMemoryApp>[0];

function start(options: Options = {}, pauses?: Parameters<typeof registerOverview>[1]['pauses']) {
  const functions = createFakeFunctions();
  const composed = composeMemoryApp({ workflows: [note], ...options });
  registerOverview(functions.app, { ...composed.app, ...(pauses && { pauses }) });
  return {
    ...composed,
    id: composed.app.instance.id,
    ask: async () => {
      const { status, jsonBody } = await functions.get('overview');
      expect(status).toBeUndefined();
      return api.overview.parse(jsonBody);
    },
    askRecent: async () => api.recent.parse((await functions.get('recent')).jsonBody).jobs,
    functions,
  };
}

const total = (column: readonly number[]) => column.reduce((sum, count) => sum + count, 0);

describe('when somebody looks at the overview', () => {
  it('given nothing has happened, then all is green', async () => {
    const { ask, id } = start();

    const overview = await ask();

    expect(overview).toMatchObject({
      level: 'green',
      problems: [],
      eventsPerSecond: 0,
      instances: [{ id, isThis: true, state: 'running', startedAt: '2026-01-01T12:00:00.000Z' }],
      waiting: { rows: 0, earliestDueAt: null },
      undelivered: { blobs: 0 },
      compared: [],
    });
    expect(overview.minutes.at.at(-1)).toBe(Date.parse('2026-01-01T12:00:00.000Z') / 1000);
  });

  it('given several instances, then the answer has the numbers of each, and their sums', async () => {
    const clock = createFakeClock();
    const tables = createMemoryTableStore({ clock });
    const [one, other] = [start({ clock, stores: { tables } }), start({ clock, stores: { tables } })];
    other.app.instances.start();
    await allThatFollows();
    await one.app.pipeline.deliver(eventsOf(0, 30, '2026-01-01T12:00:00.000Z'));
    await other.app.pipeline.deliver(eventsOf(30, 20, '2026-01-01T12:00:00.000Z'));
    clock.advance(10_000);
    await allThatFollows();

    const overview = await one.ask();

    expect(
      overview.instances.map(({ id, eventsPerSecond, minutes }) => [id, eventsPerSecond, total(minutes.completed)]),
    ).toEqual([
      [one.id, 3, 30],
      [other.id, 2, 20],
    ]);
    expect(overview).toMatchObject({ eventsPerSecond: 5, level: 'green' });
    expect(overview.minutes.events.at(-1)).toBe(50);
    expect(overview.minutes.lagP99.at(-1)).toBeLessThan(0.05);
  });

  it('given problems, then the worst gives the level', async () => {
    const { ask, app, clock } = start({ workflows: [failing] });
    await app.pipeline.deliver([...eventsOf(0, 20), { id: 'invalid' }]);
    expect((await ask()).level).toBe('amber');
    clock.advance(24 * 3_600_000);

    const overview = await ask();

    expect(overview.level).toBe('red');
    expect(overview.problems.map(({ code, workflow }) => [code, workflow])).toEqual([
      ['rows-overdue', undefined],
      ['circuit-open', 'failing'],
      ['dead-letters', undefined],
    ]);
  });

  it('given a paused workflow, then a problem says so, and many requests share one read', async () => {
    let reads = 0;
    const list = async () => {
      reads += 1;
      return [{ workflow: 'note', since: '2026-01-01T11:00:00.000Z', by: 'key-holder', why: 'A trial.' }];
    };
    const { ask } = start({}, { list });

    const overviews = await Promise.all([ask(), ask(), ask()]);

    expect(overviews[0]).toMatchObject({ level: 'amber', problems: [{ code: 'workflow-paused', workflow: 'note' }] });
    expect(reads).toBe(1);
  });

  it('given services that are compared, and one that the settings no longer list, then only the first can be behind', async () => {
    const host = 'w-f.fhir.azurehealthcareapis.com';
    const { ask, stores } = start({ env: { FHIR_HOSTS: host } });
    await stores.tables.create('reconcile');
    for (const one of [host, 'old.fhir.azurehealthcareapis.com']) {
      const row = {
        service: 'fhir',
        host: one,
        upTo: '2026-01-01T10:00:00.000Z',
        compared: 9,
        missing: 2,
        broughtIn: 2,
      };
      await stores.tables.commit('reconcile', 'continuous', [{ kind: 'insert', key: `fhir ${one}`, row }]);
    }

    const { problems, compared } = await ask();

    expect(compared).toHaveLength(2);
    expect(problems).toMatchObject([{ code: 'comparing-behind', message: expect.stringContaining(host) }]);
  });
});

describe('when storage fails', () => {
  it.each([
    { given: 'tables', part: 'tables' as const, instances: 1 },
    { given: 'blobs', part: 'blobs' as const, instances: 2 },
  ])('given $given, then 503, with what this instance knows', async ({ part, instances }) => {
    const clock = createFakeClock();
    const tables = createMemoryTableStore({ clock });
    let fault: Fault = 'ok';
    const list = async () => Promise.reject(new StorageError('unreachable', 'Of https://account/secret.'));
    const stores = {
      tables: faultyTables(tables, () => fault),
      ...(part === 'blobs' && { deadLetters: { ...createMemoryBlobStore({ clock }), list } }),
    };
    const { functions, app } = start({ clock, stores });
    const other = start({ clock, stores: { tables } });
    other.app.instances.start();
    await allThatFollows();
    await app.pipeline.deliver(eventsOf(0, 3));
    if (part === 'tables') fault = 'fail-before';

    const { status, jsonBody } = await functions.get('overview');

    expect(status).toBe(503);
    const answer = api.overviewWithoutStorage.parse(jsonBody);
    expect(answer).toMatchObject({ level: 'red', problems: [{ code: 'storage-failed' }] });
    expect(total(answer.minutes.completed)).toBe(3);
    expect(answer.instances).toHaveLength(instances);
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });

  it('given storage answers again, then the overview answers, too', async () => {
    let fault: Fault = 'fail-before';
    const { functions, ask } = start({
      stores: { tables: faultyTables(createMemoryTableStore({ clock: createFakeClock() }), () => fault) },
    });
    expect((await functions.get('overview')).status).toBe(503);
    expect((await functions.get('recent')).status).toBe(503);
    fault = 'ok';

    expect((await ask()).level).toBe('green');
  });

  it('given a bug instead, then the bug is thrown', async () => {
    const list = async () => Promise.reject(new TypeError('a bug'));
    const { functions } = start({
      stores: { deadLetters: { ...createMemoryBlobStore({ clock: createFakeClock() }), list } },
    });

    await expect(functions.get('overview')).rejects.toThrow('a bug');
  });
});

describe('when somebody asks what the app has just done', () => {
  it('given runs of each outcome, then each is shown once, with its try, duration and code', async () => {
    const { askRecent, app, id } = start({ workflows: [failing, note] });
    await app.pipeline.deliver(eventsOf(1, 1));

    const jobs = await askRecent();

    expect(jobs.toSorted((a, b) => (a.workflow < b.workflow ? -1 : 1))).toEqual([
      {
        ...{ at: '2026-01-01T12:00:00.000Z', instance: id, eventId: 'e1', type: rawFhirEvent().eventType },
        ...{
          resourceType: 'Patient',
          workflow: 'failing',
          outcome: 'retried',
          try: 1,
          durationMs: 0,
          errorCode: 'Error',
        },
      },
      {
        ...{ at: '2026-01-01T12:00:00.000Z', instance: id, eventId: 'e1', type: rawFhirEvent().eventType },
        ...{ resourceType: 'Patient', workflow: 'note', outcome: 'completed', try: 1, durationMs: 0, errorCode: '' },
      },
    ]);
  });

  it('given five instances with 50 runs each, then the answer has the newest 200, in order', async () => {
    const clock = createFakeClock();
    const tables = createMemoryTableStore({ clock });
    const apps = Array.from({ length: 5 }, () => start({ clock, stores: { tables } }));
    for (const { app } of apps) app.instances.start();
    await allThatFollows();
    for (const [n, { app }] of apps.entries()) {
      await app.pipeline.deliver(eventsOf(100 * n, 60));
      clock.advance(100);
    }
    clock.advance(10_000);
    await allThatFollows();

    const jobs = await apps[0]?.askRecent();

    expect(jobs).toHaveLength(200);
    expect(jobs?.map(({ at }) => at)).toEqual(
      jobs
        ?.map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
    expect(new Set(jobs?.map(({ instance }) => instance)).size).toBe(4);
    expect(jobs?.map(({ instance }) => instance)).not.toContain(apps[0]?.id);
  });
});
