import type { Simulator } from '../../../src/simulator/simulator.js';
import { bodyOf, headerOf, ORIGIN, patient, sendTo, useSimulator } from './send-request.js';

const { world, send } = useSimulator();

describe('when a service gets a request', () => {
  it('given an x-request-id, then the answer has it as its correlation id, and an own request id', async () => {
    const answer = await send('fhir/Patient/p1', { ...patient('p1'), headers: { 'x-request-id': 'mine' } });

    expect(headerOf(answer, 'x-correlation-id')).toBe('mine');
    expect(headerOf(answer, 'x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('given no x-request-id, then the answer has no correlation id', async () => {
    expect(headerOf(await send('fhir/Patient/p1', patient('p1')), 'x-correlation-id')).toBeNull();
  });

  it('given two requests, then each has another id', async () => {
    const ids = [await send('fhir/Patient'), await send('fhir/Patient')].map((answer) =>
      headerOf(answer, 'x-request-id'),
    );

    expect(new Set(ids).size).toBe(2);
  });

  it('given HEAD, then the answer is that of a read, without a body', async () => {
    await send('fhir/Patient/p1', patient('p1'));

    const answer = await send('fhir/Patient/p1', { method: 'HEAD' });

    expect(answer).toMatchObject({ status: 200 });
    expect(answer).not.toHaveProperty('body');
    expect(await send('fhir/nobody/Patient/p1', { method: 'HEAD' })).toMatchObject({ status: 404 });
    expect(world.simulator.serviceNames()).toEqual(['main']);
  });

  it('given the address in another case, then links have the case of the request', async () => {
    const url = 'http://localhost:7071/api/Simulator/FHIR/Patient/p1';

    const answer = await send('fhir/Patient/p1', { ...patient('p1'), url });

    expect(headerOf(answer, 'location')).toBe('http://localhost:7071/api/Simulator/FHIR/Patient/p1/_history/1');
  });
});

describe('when a path may begin with the name of a service', () => {
  it('given a DICOM and a FHIR service of one name, then the name counts once', async () => {
    await send('fhir/clinic-b/metadata');

    expect((await send('dicom/clinic-b/v2/studies')).status).toBeLessThan(300);
    expect(world.simulator.serviceNames()).toEqual(['clinic-b']);
  });

  it('given a version where a name could be, then the service is main', async () => {
    await send('dicom/v2/v2/studies');

    expect(world.simulator.serviceNames()).toEqual(['main']);
  });

  it.each(['Clinic', '9th', '_x', 'a'.repeat(32)])('given %s, then it is not a name', async (first) => {
    await send(`fhir/${first}/metadata`);

    expect(world.simulator.serviceNames()).toEqual(['main']);
  });

  it('given 31 characters, then the path names a service', async () => {
    const name = `a${'9'.repeat(30)}`;

    expect(await send(`fhir/${name}/metadata`)).toMatchObject({ status: 200 });

    expect(world.simulator.serviceNames()).toEqual([name]);
  });

  it('given the first change to a name, then it makes the service', async () => {
    expect(await send('fhir/clinic-b/Patient/p1', patient('p1'))).toMatchObject({ status: 201 });

    expect(world.simulator.serviceNames()).toEqual(['clinic-b']);
  });

  it('given a search by POST, then it makes no service', async () => {
    expect(
      await send('fhir/nobody/Patient/_search', {
        method: 'POST',
        type: 'application/x-www-form-urlencoded',
        body: '',
      }),
    ).toMatchObject({ status: 404, jsonBody: { error: { code: 'ServiceNotFound' } } });

    expect(world.simulator.serviceNames()).toEqual([]);
  });

  it('given the name of an unknown run, then no request makes the service, not even one for metadata', async () => {
    expect(await send('fhir/run-mine/metadata')).toMatchObject({ status: 404 });
    expect(await send('dicom/run-mine/v2/studies')).toMatchObject({ status: 404 });

    expect(world.simulator.serviceNames()).toEqual([]);
  });

  it("given a run's service, then it can be searched by POST", async () => {
    const { id } = bodyOf(
      await send('runs', { method: 'POST', body: { scenario: 'clinic-day', events: 50_000, rate: 10 } }),
    ) as { id: string };

    const search = { method: 'POST', type: 'application/x-www-form-urlencoded', body: '' };

    expect(await send(`fhir/run-${id}/Patient/_search`, search)).toMatchObject({ status: 200 });
    expect(await send(`dicom/run-${id}/v2/studies`, { method: 'POST', body: 'x' })).toMatchObject({ status: 405 });
  });
});

describe('when more waits in Event Grid than memory should hold', () => {
  const holding = (pending: number): Simulator => {
    const { simulator } = world;
    const eventGrid = Object.create(simulator.eventGrid, { pending: { value: () => pending } });
    return {
      services: (name: string) => simulator.services(name),
      serviceNames: () => simulator.serviceNames(),
      requestId: () => 'id',
      eventGrid,
    } as unknown as Simulator;
  };

  it('given a change, then it is refused, and the answer says when to ask again', async () => {
    const answer = await sendTo(holding(500_001), 'fhir/Patient/p1', patient('p1'));

    expect(answer).toMatchObject({ status: 429, jsonBody: { error: { code: 'TooManyEvents' } } });
    expect(headerOf(answer, 'retry-after')).toBe('5');
    expect(world.simulator.services('main')?.fhir.counts.resources).toBe(0);
  });

  it('given exactly the limit, then a change is accepted', async () => {
    expect(await sendTo(holding(500_000), 'fhir/Patient/p1', patient('p1'))).toMatchObject({ status: 201 });
  });

  it('given a read, then it is answered', async () => {
    expect(await sendTo(holding(500_001), 'fhir/Patient')).toMatchObject({ status: 200 });
  });
});

describe('when links are followed', () => {
  it('given a search in a named service, then its own link leads back there', async () => {
    await send('fhir/clinic-b/Patient/p1', patient('p1'));

    const { link } = bodyOf(await send('fhir/clinic-b/Patient?_id=p1')) as { link: { url: string }[] };

    expect(link[0]?.url).toMatch(`${ORIGIN}/fhir/clinic-b/Patient?_id=p1`);
  });
});
