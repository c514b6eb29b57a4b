import { createFhirWorld } from './fhir-world.js';

describe('when a batch is posted', () => {
  it('given the same seed, then ids and the order of events are the same', () => {
    const run = () => {
      const { ask, events } = createFhirWorld({ seed: 7 });
      const entry = Array.from({ length: 9 }, () => ({
        resource: { resourceType: 'Patient' },
        request: { method: 'POST', url: 'Patient' },
      }));
      ask('POST', '', { resourceType: 'Bundle', type: 'batch', entry });
      return events();
    };

    expect(run()).toEqual(run());
  });
});

describe('when everything is forgotten', () => {
  it('given resources, then none is left, ids begin again, and there is no event', () => {
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
