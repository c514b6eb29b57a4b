import type { DicomService } from '../../../src/simulator/dicom/dicom-service.js';
import { fileOf } from '../dicom/files.js';
import { storeFile } from '../dicom/open-service.js';
import { bodyOf, patient, useSimulator } from './send-request.js';

const { world, send } = useSimulator();
const patch = (services: unknown) => send('', { method: 'PATCH', body: { services } });
const storeImage = () => storeFile(world.simulator.services('main')?.dicom as DicomService, fileOf());
const subjects = async () =>
  (bodyOf(await send('events')) as { events: { subject: string }[] }).events.map(
    ({ subject }) => subject.split('/')[2],
  );
const versionsIn = async (path: string) =>
  ((bodyOf(await send(path)) as { entry?: { response: { etag: string } }[] }).entry ?? []).map(
    ({ response }) => response.etag,
  );

describe('when events of a service are turned off', () => {
  it('given changes, then no event is made, histories have the changes, and later changes make events again', async () => {
    await send('fhir/Patient/p1', patient('p1'));
    await patch({ main: { fhir: { events: false } } });
    await send('fhir/Patient/p2', patient('p2'));
    await send('fhir/Patient/p1', { method: 'DELETE' });

    expect(await subjects()).toEqual(['p1']);
    expect(await versionsIn('fhir/_history')).toEqual(['W/"2"', 'W/"1"', 'W/"1"']);

    await patch({ main: { fhir: { events: true } } });
    await send('fhir/Patient/p3', patient('p3'));

    expect(await subjects()).toEqual(['p3', 'p1']);
  });

  it('given an image is stored, then no event is made, and the change feed has its change', async () => {
    await patch({ main: { dicom: { events: false } } });

    storeImage();

    expect(await subjects()).toEqual([]);
    const feed = bodyOf(await send('dicom/v2/changefeed?includemetadata=false'));
    expect(feed).toMatchObject([{ sequence: 1, action: 'create' }]);
  });

  it('given one service, then the others keep their events, and the state shows each', async () => {
    await patch({ main: { fhir: { events: false } }, 'clinic-b': {} });
    await send('fhir/clinic-b/Patient/p1', patient('p1'));
    storeImage();

    expect(await subjects()).toHaveLength(2);
    expect(bodyOf(await send(''))).toMatchObject({
      services: {
        main: { fhir: { events: false, resources: 0 }, dicom: { events: true, images: 1 } },
        'clinic-b': { fhir: { events: true, resources: 1 }, dicom: { events: true } },
      },
    });
  });

  it('given everything is removed, then events are on', async () => {
    await patch({ main: { fhir: { events: false }, dicom: { events: false } } });

    await send('', { method: 'DELETE' });

    expect(world.simulator.services('main')?.makesEvents).toEqual({ fhir: true, dicom: true });
  });
});

describe('when a request to turn events off is wrong', () => {
  it.each([
    { services: { main: { fhir: { events: 'off' } } }, path: 'services.main.fhir.events' },
    { services: { main: { fhir: { event: false } } }, path: 'services.main.fhir.event' },
    { services: { main: { hl7: { events: false } } }, path: 'services.main.hl7' },
    { services: { Main: { fhir: { events: false } } }, path: 'services.Main' },
    { services: { patient: { fhir: { events: false } } }, path: 'services.patient' },
    { services: { 'run-0badcafe': { fhir: { events: false } } }, path: 'services.run-0badcafe' },
    { services: ['main'], path: 'services' },
  ])('given $services, then 400 names the place, and nothing changes', async ({ services, path }) => {
    const answer = await send('', { method: 'PATCH', body: { seed: 5, services } });

    expect(answer).toMatchObject({ status: 400, jsonBody: { error: { details: [{ path }] } } });
    expect(world.simulator.settings().seed).toBe(0);
    expect(world.simulator.serviceNames()).toEqual([]);
  });

  it('given more services than the limit, then 429, and none is made', async () => {
    const services = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`s${n}`, { fhir: { events: false } }]));

    expect(await patch(services)).toMatchObject({ status: 429 });
    expect(world.simulator.serviceNames()).toEqual([]);
  });
});
