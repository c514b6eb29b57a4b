import { createReaders } from '../../src/clients/readers.js';
import { createTelemetry } from '../../src/telemetry/telemetry.js';
import { type Context, defineWorkflow, type FhirReader, fhir, type Workflow } from '../../src/workflow.js';
import { patientAt, startBatchService } from '../clients/batch-service.js';
import { createQuickClock } from '../clients/quick-clock.js';
import { FHIR_HOST, json, PATIENT, startService, status } from '../clients/stand-in.js';
import { addressOfRaw, createAccount, rawEvent, startApp } from './memory-app.js';

/** Two workflows that read the same, and what each has found. */
function startReading(url: string, { fhirBatchReads = false } = {}) {
  const account = createAccount();
  const found: Record<string, unknown[]> = {};
  const reading = (name: string): Workflow =>
    defineWorkflow({
      name,
      on: fhir('Patient'),
      async handle(_event, { resource }) {
        const current = await resource.current();
        found[name] = [...(found[name] ?? []), current && { ...current }];
        if (current) current.birthDate = 'changed';
      },
    });
  const telemetry = createTelemetry(() => {});
  const readers = createReaders({
    fhirHosts: [{ host: FHIR_HOST, url, audience: 'https://a' }],
    dicomHosts: [],
    credential: { getToken: () => Promise.reject(new Error('no token is needed here')) },
    clock: createQuickClock().clock,
    random: account.random,
    telemetry,
    fhirBatchReads,
  });
  const app = startApp(account, { workflows: [reading('one'), reading('two')], readerFor: readers.of });
  return { account, app, found, readCounters: telemetry.counters };
}

const raw = (version = 1) => rawEvent({ id: `v${version}`, host: FHIR_HOST, resourceId: 'p1', version });

describe('when a handler asks for its reader', () => {
  it('given it asks, then one reader is made for its event and signal; given it does not, none', async () => {
    const asked: unknown[][] = [];
    const contexts: Context[] = [];
    const readerFor = (...args: unknown[]) => {
      asked.push(args);
      return { service: 'fhir' } as FhirReader;
    };
    const look = defineWorkflow({
      name: 'look',
      on: fhir('*'),
      handle: (_event, context) => void contexts.push(context),
    });
    await startApp(createAccount(), { workflows: [look], readerFor }).pipeline.deliver([raw()]);
    const [context] = contexts as [Context];
    expect(asked).toEqual([]);

    const { resource } = context;

    expect(context.resource).toBe(resource);
    expect(asked).toEqual([[expect.objectContaining({ resourceId: 'p1', version: 1 }), context.signal]]);
    expect(asked[0]?.[1]).toBe(context.signal);
  });
});

describe('when two workflows read what an event is about', () => {
  it('given one delivery, then the resource is read once, and each workflow gets a copy', async () => {
    await using service = await startService(json(PATIENT));
    const { app, found, readCounters } = startReading(service.url);

    await app.pipeline.deliver([raw()]);

    expect(found).toEqual({ one: [PATIENT], two: [PATIENT] });
    expect(service.urls()).toEqual(['/Patient/p1']);
    expect(readCounters).toMatchObject({ fhirReadsDone: 1, readsShared: 1 });
    expect(app.counters).toMatchObject({ jobsCompleted: 2, jobsRetried: 0 });
  });

  it('given many events in one delivery, then few batches read them, each resource once', async () => {
    await using service = await startBatchService(patientAt);
    const { app, found, readCounters } = startReading(service.url, { fhirBatchReads: true });
    const ids = Array.from({ length: 100 }, (_, n) => `p${n}`);

    await app.pipeline.deliver(ids.map((resourceId) => rawEvent({ id: resourceId, host: FHIR_HOST, resourceId })));

    const resources = ids.map((id) => patientAt(`Patient/${id}`).resource);
    expect(found.one).toEqual(expect.arrayContaining(resources));
    expect(found.two).toEqual(expect.arrayContaining(resources));
    expect([...service.paths().flat(), ...service.singles].sort()).toEqual(ids.map((id) => `Patient/${id}`).sort());
    expect(service.asked.length).toBeLessThanOrEqual(10);
    expect(readCounters).toMatchObject({ fhirReadsDone: 100, readsShared: 100 });
    expect(app.counters).toMatchObject({ jobsCompleted: 200, jobsRetried: 0 });
  });

  it('given one page of rows, then the resource is read once', async () => {
    await using service = await startService(json(PATIENT));
    const { app, found } = startReading(service.url);
    for (const name of ['one', 'two']) await app.addRow({ kind: 'job', address: addressOfRaw(raw(), name) }, raw());

    await app.runDueRows();

    expect(found).toEqual({ one: [PATIENT], two: [PATIENT] });
    expect(service.asked).toHaveLength(1);
  });

  it('given two events of one resource, or one event twice, then each delivery reads the resource', async () => {
    await using service = await startService(json(PATIENT));
    const { app } = startReading(service.url);

    await app.pipeline.deliver([raw(1), raw(2)]);
    expect(service.asked).toHaveLength(2);

    await app.pipeline.deliver([raw(1)]);
    expect(service.asked).toHaveLength(2); // settled: nothing runs
  });

  it('given the service asks for a long wait, then both jobs wait in rows, and no try is used', async () => {
    await using service = await startService(status(503, { 'retry-after': '120' }), json(PATIENT));
    const { account, app, found } = startReading(service.url);

    await app.pipeline.deliver([raw()]);

    expect(service.asked).toHaveLength(1);
    expect(account.waiting().map(({ dueAt }) => dueAt)).toEqual(Array(2).fill('2026-01-01T12:02:00.000Z'));
    for (const name of ['one', 'two']) {
      expect(account.record(addressOfRaw(raw(), name))).toMatchObject({ tries: 0, errorCode: 'fhir-unavailable' });
    }
    expect(found).toEqual({});
  });

  it('given its host is not listed, then both are dead letters that do not name it', async () => {
    await using service = await startService(json(PATIENT));
    const { account, app } = startReading(service.url);

    await app.pipeline.deliver([rawEvent({ host: 'other.fhir.azurehealthcareapis.com' })]);

    expect(service.asked).toEqual([]);
    expect(app.counters).toMatchObject({ jobsDeadLettered: 2 });
    const [letter] = Object.values(account.letters());
    expect(letter).toMatchObject({ error: { name: 'NonRetriableError', code: 'host-not-listed' } });
  });
});
