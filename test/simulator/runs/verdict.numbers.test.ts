import { digest } from '../../../src/digest.js';
import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import { findVerdict } from '../../../src/simulator/runs/verdict.js';
import type { Row } from '../../../src/storage/table-store.js';
import { RUN, storeRun } from './stored-run.js';
import { createServices } from './table-checks/run-services.js';

const INDEX = 0b01;
const MOODY = 0b10;
const named = { service: 'fhir', host: 'h', resourceType: 'Basic' };
const keyOf = (resource: string) => digest(JSON.stringify([named.host, named.resourceType, resource]));
const COMPLETED: Row = { state: 'settled', result: 'completed' };

type Newest = { version: number; change: string; n: number };

function start({ workflows }: { workflows?: readonly string[] } = {}) {
  const run = storeRun(workflows && { workflows });
  const newest = new Map<string, Newest>();
  return {
    ...run,

    /** Adds a completed event, after which the index should have this change of its resource. */
    async complete(resource: string, expected: { version: number; change: string }): Promise<void> {
      const n = run.send(INDEX);
      newest.set(keyOf(resource), { ...expected, n });
      await run.record(n, COMPLETED);
    },

    newest,

    async index(resource: string, row: Row, partition = '0'): Promise<void> {
      await run.tables.create('resources');
      await run.tables.commit('resources', partition, [
        { kind: 'insert', key: resource, row: { ...named, resourceId: resource, ...row } },
      ]);
    },

    findVerdict: ({ since = run.search.since } = {}) =>
      findVerdict(
        { ...run.storage, workflowTables: run.tables },
        {
          ...run.search,
          since,
          newest,
          services: createServices(run.clock),
          neverDelivered: new Map(),
          source: '/s',
          eventIdOf: (n) => eventIdOf(RUN, n),
        },
      ),
  };
}

describe('when a verdict measures the lag', () => {
  it('given four events that were settled in another order, then the numbers are those of all four', async () => {
    const run = start({ workflows: ['moody'] });
    for (let n = 0; n < 4; n += 1) run.send(1);
    const settleAfter = async (ms: number, n: number) => {
      run.clock.advance(ms);
      await run.record(n, COMPLETED, { workflow: 'moody' });
    };
    await settleAfter(20, 1);
    await settleAfter(80, 3); // at 100
    await settleAfter(4900, 0); // at 5000
    await settleAfter(4000, 2); // at 9000

    const { lagMs, withinFiveSeconds } = await run.findVerdict();

    expect(lagMs).toEqual({ mean: 3530, p50: 5000, p99: 9000, p9999: 9000, max: 9000 });
    expect(withinFiveSeconds).toBe(0.75);
  });

  it('given 200 events, then each share has its number', async () => {
    const run = start({ workflows: ['moody'] });
    for (let n = 0; n < 200; n += 1) run.send(1);
    for (let n = 199; n >= 0; n -= 1) {
      run.clock.advance(10);
      await run.record(n, COMPLETED, { workflow: 'moody' });
    }

    const { lagMs, withinFiveSeconds } = await run.findVerdict();

    expect(lagMs).toEqual({ mean: 1005, p50: 1010, p99: 1990, p9999: 2000, max: 2000 });
    expect(withinFiveSeconds).toBe(1);
  });

  it('given two jobs of an event, then its last counts', async () => {
    const run = start();
    const n = run.send(INDEX | MOODY);
    run.newest.set(keyOf('patient'), { version: 1, change: 'created', n });
    run.clock.advance(1000);
    await run.record(n, { state: 'settled', result: 'superseded' });
    run.clock.advance(2000);
    await run.record(n, COMPLETED, { workflow: 'moody' });

    expect((await run.findVerdict()).lagMs).toMatchObject({ max: 3000 });
  });

  it("given storage's clock is behind, then the lag is 0, not negative", async () => {
    const run = start({ workflows: ['moody'] });
    const sentAt = run.clock.now().getTime() + 5000;
    run.sent.add({ wanted: 1, atMs: sentAt, isMalformed: false });
    await run.record(0, COMPLETED, { workflow: 'moody' });

    expect((await run.findVerdict()).lagMs).toMatchObject({ mean: 0, max: 0 });
  });

  it('given open or dead events, then they have no lag; without other events there is no measure', async () => {
    const run = start({ workflows: ['moody'] });
    for (let n = 0; n < 2; n += 1) run.send(1);
    await run.wait(0, { workflow: 'moody' });
    await run.record(1, { state: 'settled', result: 'dead' }, { workflow: 'moody' });
    const letter = digest(run.addressOf(1, { workflow: 'moody' }));
    await run.deadLetters.create(`pending/failed/2026-01-01/${letter}.0.json`, '{}');

    expect(await run.findVerdict()).toMatchObject({
      ok: true,
      events: { open: 1, deadLettered: 1, settled: 0 },
      lagMs: null,
      withinFiveSeconds: null,
    });
  });
});

describe('when a verdict counts', () => {
  it('given a row of a whole event, one of whose jobs was settled meanwhile, then only the other is open', async () => {
    const run = start({ workflows: ['first', 'second', 'third'] });
    run.send(0b011); // the third does not want it
    await run.waitForDelivery(0);
    await run.record(0, COMPLETED, { workflow: 'first' });

    expect(await run.findVerdict()).toMatchObject({ events: { open: 1 }, jobs: { completed: 1, open: 1 } });
  });

  it.each([
    { result: 'superseded', jobs: { superseded: 1, completed: 0, deadLettered: 0 } },
    { result: 'completed', jobs: { superseded: 0, completed: 1, deadLettered: 0 } },
  ])('given a row of a job that is $result, then the job is not open', async ({ result, jobs }) => {
    const run = start({ workflows: ['moody'] });
    run.send(1);
    await run.wait(0, { workflow: 'moody' });
    await run.record(0, { state: 'settled', result }, { workflow: 'moody' });

    expect(await run.findVerdict()).toMatchObject({ ok: true, events: { settled: 1 }, jobs: { ...jobs, open: 0 } });
  });

  const INVALID = 'pending/invalid/2026-01-01/x.0.json';
  type Case = {
    given: string;
    wanted: number;
    stored?: (run: ReturnType<typeof start>) => Promise<unknown>;
    found: object;
  };
  it.each<Case>([
    {
      given: 'an event that no workflow wants, then it is ignored, and nothing is wrong',
      wanted: 0,
      found: { ok: true, events: { sent: 1, ignored: 1, settled: 0, lost: 0 } },
    },
    {
      given: 'an event that the app rejects, then it has a dead letter, and is not lost',
      wanted: MOODY,
      stored: (run) => run.deadLetters.create(INVALID, JSON.stringify({ id: eventIdOf(RUN, 0) })),
      found: { ok: true, events: { deadLettered: 1, lost: 0 } },
    },
    {
      given: 'one job is completed and the other missing, then the event is lost',
      wanted: INDEX | MOODY,
      stored: (run) => run.record(0, COMPLETED, { workflow: 'moody' }),
      found: { ok: false, events: { lost: 1, settled: 0 }, jobs: { completed: 1 } },
    },
    {
      given: 'one job waits and the other is missing, then the event is lost',
      wanted: INDEX | MOODY,
      stored: (run) => run.wait(0, { workflow: 'moody' }),
      found: { ok: false, events: { lost: 1, open: 0 }, jobs: { open: 1 } },
    },
  ])('given $given', async ({ wanted, stored, found }) => {
    const run = start();
    run.send(wanted);
    await stored?.(run);

    expect(await run.findVerdict()).toMatchObject(found);
  });

  it('given a malformed event that Event Grid gave up on, then it is undelivered', async () => {
    const run = start();
    run.sent.add({ wanted: 0, atMs: 0, isMalformed: true });
    await run.undelivered.create('a.json', JSON.stringify([eventIdOf(RUN, 0)]));

    expect(await run.findVerdict()).toMatchObject({ ok: false, events: { malformed: 1, undelivered: 1, rejected: 0 } });
  });

  it("given more than 20 problems, then 20 are listed, Event Grid's first", async () => {
    const run = start({ workflows: ['moody'] });
    for (let n = 0; n < 30; n += 1) run.send(1);
    await run.undelivered.create('a.json', JSON.stringify([eventIdOf(RUN, 0), eventIdOf(RUN, 1)]));

    const { ok, events, problems } = await run.findVerdict();

    expect({ ok, lost: events.lost, problems: problems.length }).toEqual({ ok: false, lost: 28, problems: 20 });
    expect(problems[0]).toBe('Event Grid gave up on 2 events: the app has not acted on them');
    expect(problems[1]).toBe(`lost: ${eventIdOf(RUN, 2)}`);
  });
});

describe('when a verdict looks at the index', () => {
  it.each([
    { given: 'of the newest change', row: { version: 2, change: 'updated' }, wrong: 0, problems: [] },
    {
      given: 'of another version',
      row: { version: 1, change: 'updated' },
      wrong: 1,
      problems: ['resource-index: a row is at version 1 (updated), not 2'],
    },
    {
      given: 'of the same version and another change',
      row: { version: 2, change: 'deleted' },
      wrong: 1,
      problems: ['resource-index: a row is at version 2 (deleted), not 2'],
    },
  ])('given a row $given, then $wrong is wrong', async ({ row, wrong, problems }) => {
    const run = start();
    await run.complete('patient', { version: 2, change: 'updated' });
    await run.index('patient', row);

    expect(await run.findVerdict()).toMatchObject({
      ok: wrong === 0,
      tables: { 'resource-index': { rows: 1, wrong } },
      problems,
    });
  });

  it('given the row is missing, then that is wrong', async () => {
    const run = start();
    await run.complete('patient', { version: 2, change: 'updated' });

    expect(await run.findVerdict()).toMatchObject({
      ok: false,
      tables: { 'resource-index': { rows: 0, wrong: 1 } },
      problems: ['resource-index: a row is missing for a resource at version 2'],
    });
  });

  it('given a row that was written before the run, then it counts as missing', async () => {
    const run = start();
    await run.index('patient', { version: 2, change: 'updated' });
    run.clock.advance(5000);
    await run.complete('patient', { version: 2, change: 'updated' });

    expect(await run.findVerdict({ since: new Date('2026-01-01T12:00:01.000Z') })).toMatchObject({
      tables: { 'resource-index': { rows: 0, wrong: 1 } },
    });
  });

  it.each([
    { given: 'a row of an older one', rows: 1 },
    { given: 'no row', rows: 0 },
  ])('given $given while the newest change is open, then nothing is wrong', async ({ rows }) => {
    const run = start();
    run.newest.set(keyOf('patient'), { version: 2, change: 'updated', n: run.send(INDEX) });
    await run.wait(0);
    if (rows > 0) await run.index('patient', { version: 1, change: 'created' });

    expect(await run.findVerdict()).toMatchObject({ ok: true, tables: { 'resource-index': { rows, wrong: 0 } } });
  });

  it('given a row of another run, then it is not counted', async () => {
    const run = start();
    await run.index('stranger', { version: 1, change: 'created' });

    expect(await run.findVerdict()).toMatchObject({ ok: true, tables: { 'resource-index': { rows: 0, wrong: 0 } } });
  });

  it('given rows in every partition, one of them with more than a page, then all are counted', async () => {
    const run = start();
    for (let n = 0; n < 1001; n += 1) {
      run.newest.set(keyOf(`r${n}`), { version: 1, change: 'created', n: 0 });
      await run.index(`r${n}`, { version: 1, change: 'created' }, '7');
    }
    for (let n = 0; n < 7; n += 1) {
      run.newest.set(keyOf(`p${n}`), { version: 1, change: 'created', n: 0 });
      await run.index(`p${n}`, { version: 1, change: 'created' }, String(n));
    }
    run.send(INDEX);
    await run.record(0, COMPLETED);

    expect(await run.findVerdict()).toMatchObject({ ok: true, tables: { 'resource-index': { rows: 1008, wrong: 0 } } });
  });

  it('given an app without that workflow, then no table is looked at', async () => {
    const run = start({ workflows: ['moody'] });

    expect((await run.findVerdict()).tables).toEqual({});
  });
});
