import { InvalidEventError } from '../../../src/events/invalid-event-error.js';
import { parseEvent } from '../../../src/events/parse.js';
import { isTooLarge } from '../../../src/events/size.js';
import { MALFORMED } from '../../../src/simulator/chaos/malformed.js';

const valid = {
  id: 'e1',
  topic: '/subscriptions/1/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
  subject: 'w.fhir.azurehealthcareapis.com/Patient/p1',
  data: {
    resourceType: 'Patient',
    resourceFhirAccount: 'w.fhir.azurehealthcareapis.com',
    resourceFhirId: 'p1',
    resourceVersionId: 1,
  },
  eventType: 'Microsoft.HealthcareApis.FhirResourceCreated',
  eventTime: '2026-01-01T00:00:00.000Z',
  dataVersion: '1',
  metadataVersion: '1',
};

describe('when an event is spoilt', () => {
  it('given none is, then the app takes it', () => {
    expect(parseEvent(valid).id).toBe('e1');
  });

  it.each(MALFORMED)('given $name, then the app does not take it, and its subject is still there', ({ spoil }) => {
    const spoilt = JSON.parse(JSON.stringify(spoil(valid)));

    expect(spoilt.subject).toBe(valid.subject);
    if (!isTooLarge(JSON.stringify(spoilt))) expect(() => parseEvent(spoilt)).toThrow(InvalidEventError);
  });

  it('given all of them, then every field that the app needs is spoilt in some way', () => {
    expect(new Set(MALFORMED.map(({ name }) => name)).size).toBe(MALFORMED.length);
    expect(MALFORMED.length).toBeGreaterThan(50);
  });
});
