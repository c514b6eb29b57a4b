import { eventsAnswer } from '../../src/api/events.js';
import { registerEvents } from '../../src/functions/events.js';
import { defineWorkflow, dicom, fhir, type Workflow } from '../../src/workflow.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';
import { rawDicomEvent, rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const note = defineWorkflow({ name: 'note', on: [fhir('*'), dicom()], handle() {} });
const { topic, data } = rawFhirEvent();
const PATIENT = {
  host: data.resourceFhirAccount,
  resourceType: 'Patient',
  resourceId: 'patient-1',
  version: data.resourceVersionId,
};
const JSON_TYPE = { 'content-type': 'application/json' };

function start(env: Record<string, string> = { WORKSPACES: topic }, workflows: readonly Workflow[] = [note]) {
  const functions = createFakeFunctions();
  const { app, stores } = composeMemoryApp({ workflows, env });
  registerEvents(functions.app, app);
  const ask = (name: 'fhirChanges' | 'dicomChanges', body: unknown) =>
    functions.call(name, { text: async () => JSON.stringify(body), headers: new Headers(JSON_TYPE) });
  return { app, ask, stores };
}

describe('when somebody asks what became of a change', () => {
  it('given its event was delivered, then the answer has the outcome of its jobs', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([rawFhirEvent()]);

    expect(await ask('fhirChanges', PATIENT)).toMatchObject({
      jsonBody: { events: [{ id: 'event-1', state: 'settled', workflows: { note: { status: 'completed' } } }] },
    });
  });

  it('given two events of the change, after a hard delete, then the answer has both', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([rawFhirEvent(), rawFhirEvent({ id: 'event-2', time: '2026-01-02T12:00:00.000Z' })]);

    const { jsonBody } = (await ask('fhirChanges', PATIENT)) as { jsonBody: { events: { id: string }[] } };

    expect(jsonBody.events.map(({ id }) => id).sort()).toEqual(['event-1', 'event-2']);
  });

  it('given an image, then the answer has the outcome of its jobs', async () => {
    const { app, ask } = start();
    const { partitionName, imageStudyInstanceUid, imageSeriesInstanceUid, imageSopInstanceUid, ...more } =
      rawDicomEvent().data;
    await app.pipeline.deliver([rawDicomEvent()]);

    const image = {
      host: more.serviceHostName,
      partition: partitionName,
      studyUid: imageStudyInstanceUid,
      seriesUid: imageSeriesInstanceUid,
      instanceUid: imageSopInstanceUid,
      version: more.sequenceNumber,
    };
    expect(await ask('dicomChanges', image)).toMatchObject({ jsonBody: { events: [{ id: 'event-2' }] } });
  });

  it('given another version, then the answer has no event, and says what may be the cause', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([rawFhirEvent()]);

    expect(await ask('fhirChanges', { ...PATIENT, version: 99 })).toMatchObject({
      status: 404,
      jsonBody: { error: { code: 'no-such-change' } },
    });
  });

  it('given no workspace in the settings, then the answer says which setting to set', async () => {
    const { ask } = start({});

    expect(await ask('fhirChanges', PATIENT)).toMatchObject({
      status: 409,
      jsonBody: { error: { code: 'workspace-unknown', message: expect.stringContaining('WORKSPACES') } },
    });
  });

  it('given a body that lacks a property, then the answer names it, and holds no value that was sent', async () => {
    const { ask } = start();
    const { resourceType: _, ...rest } = PATIENT;

    const answer = await ask('fhirChanges', { ...rest, nurse: 'Joy' });

    expect(answer).toMatchObject({ status: 400, jsonBody: { error: { code: 'bad-request' } } });
    expect(JSON.stringify(answer)).toMatch(/resourceType.*nurse|nurse.*resourceType/);
    expect(JSON.stringify(answer)).not.toMatch(/patient-1|Joy/);
  });
});

describe('when somebody asks what became of a resource, without a version', () => {
  const { version: _, ...RESOURCE } = PATIENT;
  const versionOf = (version: number) =>
    rawFhirEvent({ id: `v${version}`, version, time: new Date(Date.UTC(2026, 0, 1, 12, version)).toISOString() });
  const idsOf = (answer: unknown) => {
    const { events } = eventsAnswer.parse((answer as { jsonBody: unknown }).jsonBody);
    return events.map(({ id }) => id);
  };

  it.each([
    { given: 'the index of resources is on', workflows: [note, resourceIndex] },
    { given: 'it is off', workflows: [note] },
  ])('given $given, then the answer has the known versions, the newest first', async ({ workflows }) => {
    const { app, ask } = start(undefined, workflows);
    await app.pipeline.deliver([1, 2, 5].map(versionOf));

    expect(idsOf(await ask('fhirChanges', RESOURCE))).toEqual(['v5', 'v2', 'v1']);
  });

  it('given more than 20 versions, then the answer has the newest 20', async () => {
    for (const workflows of [[note, resourceIndex], [note]]) {
      const { app, ask } = start(undefined, workflows);
      await app.pipeline.deliver(Array.from({ length: 30 }, (_, n) => versionOf(n + 1)));

      expect(idsOf(await ask('fhirChanges', RESOURCE))).toEqual(Array.from({ length: 20 }, (_, n) => `v${30 - n}`));
    }
  });

  it('given only a version far from the first, then the index leads to it', async () => {
    const { app, ask } = start(undefined, [note, resourceIndex]);
    await app.pipeline.deliver([versionOf(57)]);

    expect(idsOf(await ask('fhirChanges', RESOURCE))).toEqual(['v57']);
  });

  it('given no index and such a version, then the answer has no event, and says which setting helps', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([versionOf(57)]);

    expect(await ask('fhirChanges', RESOURCE)).toMatchObject({
      status: 404,
      jsonBody: { error: { code: 'no-such-change', message: expect.stringContaining('resource-index') } },
    });
  });

  it('given a ledger of a year, then no more than about 3,000 requests are sent', async () => {
    const { ask, stores } = start();
    for (let day = 0; day < 366; day += 1) await stores.tables.create(`ledger${20250101 + day}`);
    let queries = 0;
    const { query } = stores.tables;
    stores.tables.query = (...all) => {
      queries += 1;
      return query(...all);
    };

    expect(await ask('fhirChanges', RESOURCE)).toMatchObject({ status: 404 });

    expect(queries).toBe(2 * 3 * 366);
  });

  it('given an unknown resource and an ordinary ledger, then 20 versions are looked for', async () => {
    const { app, ask, stores } = start();
    await app.pipeline.deliver([rawFhirEvent({ resourceId: 'patient-2' })]);
    let queries = 0;
    const { query } = stores.tables;
    stores.tables.query = (...all) => {
      queries += 1;
      return query(...all);
    };

    await ask('fhirChanges', RESOURCE);

    expect(queries).toBe(20 * 3);
  });

  it.each([
    { given: 'the index is on', workflows: [note, resourceIndex], ids: ['event-2'] },
    { given: 'it is off', workflows: [note], ids: undefined },
  ])('given an image, and $given, then the answer has its newest change, or none', async ({ workflows, ids }) => {
    const { app, ask } = start(undefined, workflows);
    const raw = rawDicomEvent();
    const { partitionName, imageStudyInstanceUid, imageSeriesInstanceUid, imageSopInstanceUid } = raw.data;
    await app.pipeline.deliver([raw]);

    const answer = await ask('dicomChanges', {
      host: raw.data.serviceHostName,
      partition: partitionName,
      studyUid: imageStudyInstanceUid,
      seriesUid: imageSeriesInstanceUid,
      instanceUid: imageSopInstanceUid,
    });

    if (ids) expect(idsOf(answer)).toEqual(ids);
    else expect(answer).toMatchObject({ status: 404 });
  });

  it('given the index holds the name on another host, then it is not used', async () => {
    const { app, ask } = start(undefined, [note, resourceIndex]);
    await app.pipeline.deliver([versionOf(57)]);

    const answer = await ask('fhirChanges', { ...RESOURCE, host: 'test-other.fhir.azurehealthcareapis.com' });

    expect(answer).toMatchObject({ status: 404 });
    expect(JSON.stringify(answer)).not.toContain('patient-1');
  });
});
