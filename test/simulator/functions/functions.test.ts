import type { SwitchableServices } from '../../../src/simulator/services.js';
import { untilIdle } from '../event-grid/test-grid.js';
import { currentOf } from '../fhir/fhir-world.js';
import { bodyOf, ORIGIN, patient, useSimulator } from './send-request.js';

const { world, send } = useSimulator();

describe('when a request is made to a service', () => {
  it('given no name, then the service is main', async () => {
    expect(await send('fhir/Patient/p1', patient('p1'))).toMatchObject({ status: 201 });

    const { fhir } = world.simulator.services('main') as SwitchableServices;
    expect(currentOf(fhir, 'Patient', 'p1')).toEqual({ version: 1, deleted: false });
    expect(bodyOf(await send('events'))).toMatchObject({
      events: [{ subject: 'simulator-main.fhir.azurehealthcareapis.com/Patient/p1' }],
    });
  });

  it('given a name, then it is another service, with its own links', async () => {
    await send('fhir/Patient/p1', patient('p1'));

    const other = await send('fhir/clinic-b/Patient/p1', patient('p1'));

    expect(other).toMatchObject({ status: 201 });
    expect(new Headers(other.headers as Record<string, string>).get('location')).toBe(
      `${ORIGIN}/fhir/clinic-b/Patient/p1/_history/1`,
    );
    expect(world.simulator.serviceNames()).toEqual(['main', 'clinic-b']);
    expect(bodyOf(await send('events?subject=Patient/p1'))).toMatchObject({ events: { length: 2 } });
  });

  it('given any request, then the answer has an id to ask about', async () => {
    const { headers } = await send('fhir/Patient/nobody');

    expect(new Headers(headers as Record<string, string>).get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('given a type in small letters, then it names no service', async () => {
    expect((await send('fhir/patient/1')).status).toBe(404);
    expect(await send('dicom/nobody/v2/studies')).toMatchObject({ status: 404 });

    expect(world.simulator.serviceNames()).toEqual(['main']);
  });

  it('given the service of a run, then it can be read and not changed', async () => {
    const begun = await send('runs', { method: 'POST', body: { scenario: 'clinic-day', count: 50, rate: 1000 } });
    const { id } = bodyOf(begun) as { id: string };

    expect(await send(`fhir/run-${id}/Patient`)).toMatchObject({ status: 200 });
    expect(await send(`fhir/run-${id}/Patient/p1`, patient('p1'))).toMatchObject({ status: 405 });
    expect(await send('fhir/run-mine/Patient/p1', patient('p1'))).toMatchObject({ status: 405 });
    expect(await world.ended(id)).toMatchObject({ phase: 'done', made: 50 });
  });

  it('given the words with which FHIR begins a path, then they are no names', async () => {
    expect(await send('fhir/metadata')).toMatchObject({ status: 200 });
    expect(await send('fhir/_history')).toMatchObject({ status: 200 });

    expect(world.simulator.serviceNames()).toEqual(['main']);
  });

  it.each(['dicom/v2/studies', 'dicom/v2/partitions'])('given %s, then it is a DICOM service', async (path) => {
    expect((await send(path)).status).toBeLessThan(300);
  });

  it('given a function key in the query, then the service does not take it for a parameter', async () => {
    expect((await send('dicom/v2/studies?code=key')).status).toBeLessThan(300);
    expect(String((await send('fhir/Patient?code=key')).body)).not.toContain('key');
  });

  it('given another version of DICOM, then the answer says which exists', async () => {
    expect(await send('dicom/v1/studies')).toMatchObject({ status: 404, jsonBody: { error: { message: /v2/ } } });
  });

  it('given version 1 of DICOM, then it has a change feed', async () => {
    expect(await send('dicom/v1/changefeed?offset=0&limit=5')).toMatchObject({ status: 200 });
    expect(await send('dicom/main/v1/changefeed/latest')).toMatchObject({ status: 204 });
    expect(await send('dicom/v1/changefeed/first')).toMatchObject({ status: 404 });
  });

  it('given too many services, then no more are made', async () => {
    for (let n = 0; n < 20; n += 1) await send(`fhir/s${n}/metadata`);

    expect(await send('fhir/one-more/metadata')).toMatchObject({ status: 429 });
    expect(await send('fhir/nobody/Patient')).toMatchObject({ status: 404 });
    expect(await send('fhir/s3/metadata')).toMatchObject({ status: 200 });
  });
});

describe('when subscriptions are managed', () => {
  const destination = {
    endpointType: 'AzureFunction',
    properties: { resourceId: '/subscriptions/1/functions/fhirEvents' },
  };

  it('given a new simulator, then each of the two functions has a subscription', async () => {
    expect(bodyOf(await send('subscriptions'))).toMatchObject({
      value: [{ name: 'fhir-events' }, { name: 'dicom-events' }],
    });
  });

  it('given a new subscription, then it can be read, replaced and deleted', async () => {
    expect(await send('subscriptions/mine', { method: 'PUT', body: { properties: { destination } } })).toMatchObject({
      status: 201,
      jsonBody: { name: 'mine', properties: { provisioningState: 'Succeeded' } },
    });
    expect(await send('subscriptions/mine', { method: 'PUT', body: { properties: { destination } } })).toMatchObject({
      status: 200,
    });
    expect(await send('subscriptions/mine')).toMatchObject({ jsonBody: { properties: { destination } } });
    expect(await send('subscriptions/mine', { method: 'DELETE' })).toMatchObject({ status: 200 });
    expect(await send('subscriptions/mine')).toMatchObject({ status: 404 });
    expect(await send('subscriptions/mine', { method: 'DELETE' })).toMatchObject({ status: 204 });
  });

  it.each([
    { given: 'no JSON', body: '{"properties":', path: '(body)' },
    { given: 'no destination', body: { properties: {} }, path: 'destination' },
    {
      given: 'an operator that there is not',
      body: {
        properties: { destination, filter: { advancedFilters: [{ operatorType: 'Like', key: 'a', value: 'b' }] } },
      },
      path: 'operatorType',
    },
  ])('given $given, then 400 says where', async ({ body, path }) => {
    const answer = await send('subscriptions/mine', { method: 'PUT', body });

    expect(answer).toMatchObject({ status: 400 });
    expect(JSON.stringify(answer.jsonBody)).toContain(path);
  });

  it('given an unknown code, then 400', async () => {
    expect(await send('subscriptions?validationCode=x')).toMatchObject({ status: 400 });
  });
});

describe('when the state of the simulator is read', () => {
  it('given something was stored and sent, then it is counted, and DELETE forgets all of it', async () => {
    await send('fhir/Patient/p1', patient('p1'));
    await send('subscriptions/fhir-events', { method: 'DELETE' });
    await untilIdle(world.simulator.eventGrid);
    expect(bodyOf(await send(''))).toMatchObject({ services: { main: { fhir: { resources: 1 } } } });

    expect(await send('', { method: 'DELETE' })).toEqual({ status: 204 });

    expect(bodyOf(await send(''))).toMatchObject({
      services: { main: { fhir: { resources: 0 } } },
      settings: { timeScale: 1, seed: 0 },
      eventGrid: { 'fhir-events': { matched: 0 }, 'dicom-events': { matched: 0 } },
    });
    expect(bodyOf(await send('events'))).toEqual({ events: [] });
    expect(await send('fhir/Patient/p1')).toMatchObject({ status: 404 });
  });

  it('given settings, then they apply to the next events', async () => {
    const changed = await send('', {
      method: 'PATCH',
      body: { timeScale: 1440, chaos: { duplicates: 1, delayMs: 1 } },
    });
    await send('fhir/Patient/p1', patient('p1'));
    await untilIdle(world.simulator.eventGrid);

    expect(bodyOf(changed)).toMatchObject({ settings: { timeScale: 1440, chaos: { duplicates: 1 } } });
    expect(world.simulator.eventGrid.stats['fhir-events']).toMatchObject({ matched: 1, copies: 1, delivered: 2 });
  });

  it.each([{ timeScale: 0 }, { chaos: 'wild' }, { speed: 2 }])(
    'given %j, then 400, and nothing has changed',
    async (body) => {
      expect(await send('', { method: 'PATCH', body })).toMatchObject({ status: 400 });

      expect(world.simulator.settings()).toMatchObject({ timeScale: 1, seed: 0 });
    },
  );
});

describe('when a run is managed', () => {
  it('given a new run, then the answer has its Location, and the run can be read and stopped', async () => {
    const begun = await send('runs', { method: 'POST', body: { scenario: 'clinic-day', count: 50_000, rate: 10 } });
    const { id } = bodyOf(begun) as { id: string };

    expect(begun).toMatchObject({ status: 201, headers: { Location: `${ORIGIN}/runs/${id}` } });
    expect(await send(`runs/${id}`)).toMatchObject({ status: 200, jsonBody: { phase: 'making', events: 50_000 } });
    expect(await send('runs', { method: 'POST', body: { scenario: 'clinic-day' } })).toMatchObject({ status: 409 });
    expect(await send(`runs/${id}`, { method: 'DELETE' })).toMatchObject({ status: 202 });
    expect(await world.ended(id)).toMatchObject({ phase: 'stopped' });
  });

  it('given an unknown run, then 404', async () => {
    expect(await send('runs/x')).toMatchObject({ status: 404 });
    expect(await send('runs/x', { method: 'DELETE' })).toMatchObject({ status: 404 });
  });

  it('given a wrong request, then 400 says where', async () => {
    expect(await send('runs', { method: 'POST', body: { scenario: 'clinic-day', rate: -1 } })).toMatchObject({
      status: 400,
      jsonBody: { error: { details: [{ path: 'rate' }] } },
    });
  });
});
