import { registerChanges } from '../../src/functions/changes.js';
import { defineWorkflow, dicom, fhir } from '../../src/workflow.js';
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

function start(env: Record<string, string> = { WORKSPACES: topic }) {
  const functions = createFakeFunctions();
  const { app } = composeMemoryApp({ workflows: [note], env });
  registerChanges(functions.app, app);
  const ask = (name: 'fhirChanges' | 'dicomChanges', body: unknown) =>
    functions.call(name, { text: async () => JSON.stringify(body), headers: new Headers(JSON_TYPE) });
  return { app, ask };
}

describe('when somebody asks what became of a change', () => {
  it('given its event was delivered, then the outcome of its jobs', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([rawFhirEvent()]);

    expect(await ask('fhirChanges', PATIENT)).toMatchObject({
      jsonBody: { events: [{ id: 'event-1', state: 'settled', workflows: { note: { status: 'completed' } } }] },
    });
  });

  it('given two events of the change, after a hard delete, then both', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([rawFhirEvent(), rawFhirEvent({ id: 'event-2', time: '2026-01-02T12:00:00.000Z' })]);

    const { jsonBody } = (await ask('fhirChanges', PATIENT)) as { jsonBody: { events: { id: string }[] } };

    expect(jsonBody.events.map(({ id }) => id).sort()).toEqual(['event-1', 'event-2']);
  });

  it('given an image, then the outcome of its jobs', async () => {
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

  it('given another version, then there is none, and what may be the cause', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([rawFhirEvent()]);

    expect(await ask('fhirChanges', { ...PATIENT, version: 99 })).toMatchObject({
      status: 404,
      jsonBody: { error: { code: 'no-such-change' } },
    });
  });

  it('given no workspace in the settings, then which setting to set', async () => {
    const { ask } = start({});

    expect(await ask('fhirChanges', PATIENT)).toMatchObject({
      status: 409,
      jsonBody: { error: { code: 'workspace-unknown', message: expect.stringContaining('WORKSPACES') } },
    });
  });

  it('given a body that lacks a property, then its name, and no value that was sent', async () => {
    const { ask } = start();
    const { version: _, ...rest } = PATIENT;

    const answer = await ask('fhirChanges', { ...rest, nurse: 'Joy' });

    expect(answer).toMatchObject({ status: 400, jsonBody: { error: { code: 'bad-request' } } });
    expect(JSON.stringify(answer)).toMatch(/version.*nurse|nurse.*version/);
    expect(JSON.stringify(answer)).not.toMatch(/patient-1|Joy/);
  });
});
