import { digest } from '../../../src/digest.js';
import { resourceOf } from '../../../src/events/order.js';
import { parseEvent } from '../../../src/events/parse.js';
import type { ServiceChange } from '../../../src/simulator/changes.js';
import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import { type Missed, Sent } from '../../../src/simulator/runs/sent.js';
import { findVerdict } from '../../../src/simulator/runs/verdict.js';
import { defineWorkflow, fhir, NonRetriableError, RetryAfterError, seconds } from '../../../src/workflow.js';
import { resourceIndex } from '../../../src/workflows/resource-index.js';
import { composeMemoryApp } from '../../functions/memory-app.js';
import { rawFhirEvent } from '../../testing/raw-events.js';
import { createServices } from './table-checks/run-services.js';

const RUN = '0badcafe';
const moody = defineWorkflow({
  name: 'moody',
  on: fhir(['Observation', 'Basic']),
  handle({ resourceType }) {
    if (resourceType === 'Basic') throw new NonRetriableError('No.');
    throw new RetryAfterError('Not yet.', seconds(600));
  },
});
const workflows = [resourceIndex, moody];
const INDEX = 0b01;
const MOODY = 0b10;

function start() {
  const { app, clock, stores } = composeMemoryApp({ workflows });
  const sent = new Sent();
  const newest = new Map<string, { version: number; change: string; n: number }>();
  const neverDelivered = new Map<number, ServiceChange>();
  const { tables, deadLetters, undelivered } = app.stores;

  return {
    app,
    clock,
    stores,
    undelivered,
    /** Records an event as sent. Returns the raw event, which the test delivers or not. */
    send(wanted: number, fields: { resourceType?: string; resourceId?: string } = {}) {
      const n = sent.add({ wanted, atMs: clock.now().getTime(), isMalformed: false });
      const raw = rawFhirEvent({ ...fields, id: eventIdOf(RUN, n) });
      const event = parseEvent(raw);
      newest.set(digest(resourceOf(event)), { version: event.version, change: event.change, n });
      return raw;
    },
    sendMalformed() {
      const n = sent.add({ wanted: 0, atMs: clock.now().getTime(), isMalformed: true });
      return { id: eventIdOf(RUN, n), eventType: 'nothing that we know', data: {} };
    },
    /** Notes a change that no event announces, and returns the event with which reconciliation would announce it. */
    miss(missed: Missed, fields: { resourceId: string }) {
      const { topic, eventType, eventTime, data } = rawFhirEvent(fields);
      const n = sent.add({ wanted: INDEX, atMs: clock.now().getTime(), isMalformed: false, missed });
      neverDelivered.set(n, {
        service: 'fhir',
        change: 'created',
        host: data.resourceFhirAccount,
        resourceType: data.resourceType,
        resourceId: data.resourceFhirId,
        version: data.resourceVersionId,
        at: new Date(eventTime ?? 0),
      });
      return { id: `found-${n}`, topic, eventType, eventTime, data };
    },
    findVerdict: () =>
      findVerdict(
        { tables, workflowTables: tables, waiting: app.waiting, deadLetters, undelivered },
        {
          runId: RUN,
          sent,
          workflows: workflows.map(({ name }) => name),
          since: new Date('2026-01-01T11:00:00.000Z'),
          newest,
          services: createServices(clock),
          neverDelivered,
          source: rawFhirEvent().topic,
          eventIdOf: (n) => eventIdOf(RUN, n),
        },
      ),
  };
}

describe('when the verdict of a run is made from storage', () => {
  it('given everything was delivered, then each event has its fate, and nothing is lost', async () => {
    const run = start();
    await run.app.pipeline.deliver([
      run.send(INDEX),
      run.send(INDEX | MOODY, { resourceType: 'Observation' }),
      run.send(INDEX | MOODY, { resourceType: 'Basic' }),
      run.sendMalformed(),
      rawFhirEvent({ id: "somebody else's" }),
    ]);

    const verdict = await run.findVerdict();

    expect(verdict).toMatchObject({
      ok: true,
      events: { sent: 4, malformed: 1, settled: 1, open: 1, deadLettered: 1, rejected: 1, lost: 0, undelivered: 0 },
      jobs: { completed: 3, superseded: 0, deadLettered: 1, open: 1 },
      tables: { 'resource-index': { rows: 3, wrong: 0 } },
      problems: [],
    });
    expect(verdict.lagMs?.p50).toBeGreaterThanOrEqual(0);
  });

  it('given an event without a record, row or dead letter, then it is lost, and named', async () => {
    const run = start();
    await run.app.pipeline.deliver([run.send(INDEX)]);
    run.send(INDEX, { resourceId: 'never-delivered' });

    const verdict = await run.findVerdict();

    expect(verdict).toMatchObject({ ok: false, events: { settled: 1, lost: 1 } });
    expect(verdict.problems).toEqual([`lost: ${eventIdOf(RUN, 1)}`]);
  });

  it('given a malformed event without a dead letter, then it is lost', async () => {
    const run = start();
    run.sendMalformed();

    expect(await run.findVerdict()).toMatchObject({ ok: false, events: { lost: 1 } });
  });

  it('given a dead job without its dead letter, then it is lost', async () => {
    const run = start();
    await run.app.pipeline.deliver([run.send(INDEX | MOODY, { resourceType: 'Basic' })]);
    const { blobs } = await run.app.stores.deadLetters.list('pending/', { limit: 10 });
    for (const { name } of blobs) await run.app.stores.deadLetters.delete(name);

    expect(await run.findVerdict()).toMatchObject({ ok: false, events: { deadLettered: 0, lost: 1 } });
  });

  it('given a waiting job without its row, then it is lost', async () => {
    const run = start();
    await run.app.pipeline.deliver([run.send(INDEX | MOODY, { resourceType: 'Observation' })]);
    await run.stores.tables.drop('waiting');

    expect(await run.findVerdict()).toMatchObject({ ok: false, events: { open: 0, lost: 1 } });
  });

  it('given a record that says running, then it is open while its lease holds, and lost after', async () => {
    const run = start();
    await run.app.pipeline.deliver([run.send(INDEX)]);
    const [table = ''] = await run.stores.tables.list('ledger');
    const { rows } = await run.stores.tables.query(table, { limit: 10 });
    const stored = rows.find(({ key }) => !key.startsWith('!'));
    if (!stored) throw new Error('no record');
    const { partition, key, row, etag } = stored;
    const running = { ...row, state: 'running', leaseMs: 60_000, failing: '' };
    await run.stores.tables.commit(table, partition, [{ kind: 'replace', key, row: running, etag }]);

    expect(await run.findVerdict()).toMatchObject({ events: { open: 1, lost: 0 } });
    run.clock.advance(70_000);
    expect(await run.findVerdict()).toMatchObject({ ok: false, events: { open: 0, lost: 1 } });
  });

  it('given Event Grid gave up on it, then it is undelivered, not lost', async () => {
    const run = start();
    const raw = run.send(INDEX);
    await run.undelivered.create('FHIR-EVENTS/2026/1/1/12/x.json', JSON.stringify([{ ...raw, deliveryAttempts: 30 }]));

    expect(await run.findVerdict()).toMatchObject({ ok: false, events: { undelivered: 1, lost: 0 } });
  });

  it('given changes that were never delivered, then they are neither sent nor lost, and those that a job knows are found', async () => {
    const run = start();
    await run.app.pipeline.deliver([run.send(INDEX)]);
    const found = run.miss('lost', { resourceId: 'a' });
    run.miss('lost', { resourceId: 'b' });
    run.miss('off', { resourceId: 'c' });
    expect((await run.findVerdict()).neverDelivered).toEqual({
      lostByChaos: 2,
      eventsOff: 1,
      hardDeleted: 0,
      found: 0,
    });

    await run.app.pipeline.deliver([found]);

    expect(await run.findVerdict()).toMatchObject({
      ok: true,
      events: { sent: 1, settled: 1, lost: 0 },
      neverDelivered: { lostByChaos: 2, eventsOff: 1, hardDeleted: 0, found: 1 },
      problems: [],
    });
  });

  it('given a row of the index that is not of the newest version, then that is wrong', async () => {
    const run = start();
    await run.app.pipeline.deliver([run.send(INDEX)]);
    const { rows } = await run.stores.tables.query('resources', { limit: 1 });
    const [stored] = rows;
    if (!stored) throw new Error('no row');
    const { partition, key, row, etag } = stored;
    await run.stores.tables.commit('resources', partition, [
      { kind: 'replace', key, row: { ...row, version: 9 }, etag },
    ]);

    const verdict = await run.findVerdict();

    expect(verdict).toMatchObject({ ok: false, tables: { 'resource-index': { rows: 1, wrong: 1 } } });
  });

  it('given a row of the index has gone, then that is wrong', async () => {
    const run = start();
    await run.app.pipeline.deliver([run.send(INDEX)]);
    await run.stores.tables.drop('resources');

    expect(await run.findVerdict()).toMatchObject({ ok: false, tables: { 'resource-index': { rows: 0, wrong: 1 } } });
  });
});
