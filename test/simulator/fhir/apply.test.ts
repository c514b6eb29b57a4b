import type { FhirWrite } from '../../../src/simulator/fhir/fhir-service.js';
import { createFhirWorld } from './fhir-world.js';

const nothing = { resourceType: undefined, id: undefined, version: undefined, problem: undefined, entries: [] };

const resourceType = 'Patient';

describe('when a change is made from within', () => {
  it('given a creation, an update and deletes, then they are as by HTTP', () => {
    const { service, events, ask } = createFhirWorld();

    const created = service.apply({ method: 'POST', resource: { resourceType: 'Patient', active: true } });
    const id = created.id ?? '';
    const updated = service.apply({
      method: 'PUT',
      resource: { resourceType: 'Patient', id, active: false },
      ifMatch: 1,
    });
    const deleted = service.apply({ method: 'DELETE', resourceType: 'Patient', id });
    const again = service.apply({ method: 'DELETE', resourceType: 'Patient', id });

    expect(created).toEqual({ ...nothing, status: 201, resourceType: 'Patient', id: expect.any(String), version: 1 });
    expect(updated).toEqual({ ...nothing, status: 200, resourceType: 'Patient', id, version: 2 });
    expect(deleted).toEqual({ ...nothing, status: 204, resourceType: 'Patient', id, version: 3 });
    expect(again).toEqual({ ...nothing, status: 204 });
    expect(events()).toEqual([`Patient/${id} created 1`, `Patient/${id} updated 2`, `Patient/${id} deleted 3`]);
    expect(ask('GET', `Patient/${id}`).status).toBe(410);
    expect(service.apply({ method: 'DELETE', resourceType: 'Patient', id, isHard: true }).status).toBe(204);
    expect(service.current('Patient', id)).toBeUndefined();
    expect(events()).toEqual([]);
  });

  it('given a condition that is met, then what meets it', () => {
    const { service, events } = createFhirWorld();
    const resource = { resourceType: 'Patient', identifier: [{ value: '1' }] };
    const first = service.apply({ method: 'POST', resource });

    expect(service.apply({ method: 'POST', resource, ifNoneExist: 'identifier=1' })).toMatchObject({
      status: 200,
      id: first.id,
    });
    expect(events()).toHaveLength(1);
  });

  it.each<{ given: string; write: FhirWrite; status: number }>([
    { given: 'a type that is none', write: { method: 'POST', resource: { resourceType: 'Dragon' } }, status: 404 },
    {
      given: 'a list in the place of one value',
      write: { method: 'POST', resource: { resourceType, birthDate: ['2000', '2001'] } },
      status: 400,
    },
    { given: 'an id that is none', write: { method: 'PUT', resource: { resourceType, id: 'a/b' } }, status: 404 },
    {
      given: 'another version',
      write: { method: 'PUT', resource: { resourceType, id: 'p' }, ifMatch: 3 },
      status: 404,
    },
    { given: 'a bundle of no type', write: { method: 'BUNDLE', bundle: { resourceType: 'Bundle' } }, status: 405 },
    { given: 'a circle', write: { method: 'POST', resource: circular() }, status: 500 },
  ])('given $given, then an outcome with $status and a problem', ({ write, status }) => {
    const { service, events } = createFhirWorld();

    expect(service.apply(write)).toEqual({ ...nothing, status, problem: expect.stringMatching(/./) });
    expect(events()).toEqual([]);
  });

  it('given a transaction, then what became of each entry, and its events at once', () => {
    const { service, published } = createFhirWorld();
    const observation = { resourceType: 'Observation', subject: { reference: 'urn:uuid:p' } };
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { fullUrl: 'urn:uuid:o', resource: observation, request: { method: 'POST', url: 'Observation' } },
        { fullUrl: 'urn:uuid:p', resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
      ],
    };

    const { status, entries } = service.apply({ method: 'BUNDLE', bundle });

    expect(status).toBe(200);
    expect(entries).toEqual([
      { ...nothing, status: 201, resourceType: 'Observation', id: expect.any(String), version: 1 },
      { ...nothing, status: 201, resourceType: 'Patient', id: expect.any(String), version: 1 },
    ]);
    expect(published).toHaveLength(1);
    expect(published[0]).toHaveLength(2);
    expect(observation.subject.reference).toBe('urn:uuid:p');
  });

  it('given the same seed, then the same ids and the same order of events', () => {
    const run = () => {
      const { service, events } = createFhirWorld({ seed: 7 });
      const entry = Array.from({ length: 9 }, () => ({
        resource: { resourceType: 'Patient' },
        request: { method: 'POST', url: 'Patient' },
      }));
      service.apply({ method: 'BUNDLE', bundle: { resourceType: 'Bundle', type: 'batch', entry } });
      return events();
    };

    expect(run()).toEqual(run());
  });
});

describe('when everything is forgotten', () => {
  it('given resources, then there are none, and ids begin again, without an event', () => {
    const { service, ask, events } = createFhirWorld();
    ask('PUT', 'Patient/p1', { resourceType: 'Patient', id: 'p1', identifier: [{ value: '1' }] });
    ask('PUT', 'Patient/p1', { resourceType: 'Patient', id: 'p1' });
    events();

    service.clear();

    expect(events()).toEqual([]);
    expect(service.counts).toEqual({ resources: 0, versions: 0, bytes: 0 });
    expect(ask('GET', 'Patient/p1').status).toBe(404);
    expect(ask('GET', 'Patient?identifier=1').json.entry).toBeUndefined();
    expect(ask('PUT', 'Patient/p1', { resourceType: 'Patient', id: 'p1' }).status).toBe(201);
  });
});

function circular(): { resourceType: string } {
  const resource: { resourceType: string; self?: unknown } = { resourceType: 'Patient' };
  resource.self = resource;
  return resource;
}
