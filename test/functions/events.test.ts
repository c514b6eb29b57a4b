import { eventsAnswer } from '../../src/api/events.js';
import { registerEvents } from '../../src/functions/events.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir, minutes, NonRetriableError } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const note = defineWorkflow({ name: 'note', on: fhir('*'), handle() {} });
const long = defineWorkflow({ name: 'long', on: fhir('*'), timeout: minutes(20), handle() {} });
const dying = defineWorkflow({
  name: 'dying',
  codes: ['not-there'],
  on: fhir('*'),
  handle() {
    throw new NonRetriableError('No.', { code: 'not-there' });
  },
});

function start(options: Parameters<typeof composeMemoryApp>[0] = { workflows: [note, long, dying] }) {
  const functions = createFakeFunctions();
  const { app } = composeMemoryApp(options);
  registerEvents(functions.app, app);
  return { functions, app };
}

describe('when somebody asks what became of an event', () => {
  it('given its jobs are completed, waiting and dead, then the answer says so of each', async () => {
    const { functions, app } = start();
    await app.pipeline.deliver([rawFhirEvent()]);

    const { jsonBody } = await functions.get('events', { params: { eventId: 'event-1' } });

    expect(eventsAnswer.parse(jsonBody)).toMatchObject({
      events: [
        {
          id: 'event-1',
          type: 'Microsoft.HealthcareApis.FhirResourceCreated',
          source: rawFhirEvent().topic,
          time: '2026-01-01T12:01:00.000Z',
          state: 'open',
          workflows: {
            note: { status: 'completed', tries: 1, steps: [{ what: 'claimed' }, { what: 'completed' }] },
            long: { status: 'waiting', tries: 0, nextTryAt: '2026-01-01T12:00:00.000Z' },
            dying: {
              status: 'dead-lettered',
              tries: 1,
              error: 'not-there',
              deadLetter: expect.stringMatching(/^failed\./),
            },
          },
        },
      ],
    });
  });

  it('given its id has a slash, then it is found by the query', async () => {
    const { functions, app } = start();
    await app.pipeline.deliver([rawFhirEvent({ id: 'a/b' })]);

    expect(await functions.get('events', { query: { id: 'a/b' } })).toMatchObject({
      jsonBody: { events: [{ id: 'a/b' }] },
    });
  });

  it('given two events share the id, then the answer has both', async () => {
    const { functions, app } = start();
    await app.pipeline.deliver([rawFhirEvent(), rawFhirEvent({ resourceId: 'patient-2' })]);

    const { jsonBody } = await functions.get('events', { params: { eventId: 'event-1' } });

    expect((jsonBody as { events: unknown[] }).events).toHaveLength(2);
    expect(JSON.stringify(jsonBody)).not.toContain('patient');
  });

  it('given an unknown id, then 404 says what that may mean', async () => {
    const { functions } = start();

    expect(await functions.get('events', { params: { eventId: 'event-9' } })).toMatchObject({
      status: 404,
      jsonBody: { error: { code: 'no-such-event', message: expect.stringContaining('/api/events?id=') } },
    });
  });

  it('given no id, then 400', async () => {
    const { functions } = start();
    expect(await functions.get('events')).toMatchObject({ status: 400, jsonBody: { error: { code: 'no-event-id' } } });
  });

  it('given storage fails, then 503 with its code alone', async () => {
    const query = async () => Promise.reject(new StorageError('forbidden', 'Of https://account/secret.'));
    const { functions } = start({
      stores: { tables: { ...createMemoryTableStore({ clock: createFakeClock() }), query } },
    });

    const { status, jsonBody } = await functions.get('events', { params: { eventId: 'event-1' } });

    expect(status).toBe(503);
    expect(jsonBody).toMatchObject({ error: { code: 'forbidden' } });
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });

  it('given a bug, then its error is thrown', async () => {
    const query = async () => Promise.reject(new RangeError('a bug'));
    const { functions } = start({
      stores: { tables: { ...createMemoryTableStore({ clock: createFakeClock() }), query } },
    });

    await expect(functions.get('events', { params: { eventId: 'event-1' } })).rejects.toThrow('a bug');
  });
});
