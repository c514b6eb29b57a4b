import fc from 'fast-check';
import type { DicomEvent, FhirEvent, HealthEvent } from '../../src/events/health-event.js';
import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import { sample, someFacts, someSpelling, write } from './raw-events.js';

const fhirEvent = parseEvent(sample('FhirResourceCreated.eventgrid.json')) as FhirEvent;
const dicomEvent = parseEvent(sample('DicomImageUpdated.eventgrid.json')) as DicomEvent;

describe('keyOf', () => {
  // Digests by hand. Where these change, every release finds none of the records of the one before.
  it('given an event, then its key is the same as in all earlier releases', () => {
    expect(keyOf(fhirEvent)).toEqual({
      day: '20210908',
      id: 'FHG50m3nN37b0abfE_jeKs',
      contentDigest: 'YpqPULW3QsT-iMSmZ1iRjy',
    });
    expect(keyOf(dicomEvent)).toEqual({
      day: '20230609',
      id: 'rzD0CJ09IAKGYSGUOkHRGk',
      contentDigest: 'yzaY39TCHHZkphd2aKKs8X',
    });
  });

  it('given one event in two spellings, then both have one result and one key', () => {
    fc.assert(
      fc.property(someFacts, someSpelling, someSpelling, (facts, one, other) => {
        const [first, second] = [parseEvent(write(facts, one)), parseEvent(write(facts, other))];

        expect({ ...second, source: second.source.toLowerCase() }).toEqual({
          ...first,
          source: first.source.toLowerCase(),
        });
        expect(keyOf(second)).toEqual(keyOf(first));
      }),
    );
  });

  it('given two events that differ, then their keys differ', () => {
    fc.assert(
      fc.property(someFacts, someFacts, (one, other) => {
        const [first, second] = [parseEvent(write(one)), parseEvent(write({ ...other, id: one.id }))];
        fc.pre(JSON.stringify({ ...first, time: '' }) !== JSON.stringify({ ...second, time: '' }));

        expect(keyOf(second).id).toBe(keyOf(first).id);
        expect(keyOf(second).contentDigest).not.toBe(keyOf(first).contentDigest);
      }),
    );
  });

  it.each<{ field: string; event: HealthEvent; other: Partial<FhirEvent> | Partial<DicomEvent> }>([
    { field: 'source', event: fhirEvent, other: { source: `${fhirEvent.source}2` } },
    { field: 'type', event: fhirEvent, other: { type: 'Microsoft.HealthcareApis.FhirResourceUpdated' } },
    { field: 'resourceType', event: fhirEvent, other: { resourceType: 'Person' } },
    { field: 'resourceId', event: fhirEvent, other: { resourceId: fhirEvent.resourceId.toUpperCase() } },
    { field: 'version', event: fhirEvent, other: { version: 11 } },
    { field: 'host', event: fhirEvent, other: { host: 'other' } },
    { field: 'source', event: dicomEvent, other: { source: `${dicomEvent.source}2` } },
    { field: 'type', event: dicomEvent, other: { type: 'Microsoft.HealthcareApis.DicomImageDeleted' } },
    { field: 'partition', event: dicomEvent, other: { partition: 'microsoft.default' } },
    { field: 'studyUid', event: dicomEvent, other: { studyUid: '1' } },
    { field: 'seriesUid', event: dicomEvent, other: { seriesUid: '1' } },
    { field: 'instanceUid', event: dicomEvent, other: { instanceUid: '1' } },
    { field: 'version', event: dicomEvent, other: { version: 21 } },
    { field: 'host', event: dicomEvent, other: { host: 'other' } },
  ])('given the same id and another $field, then the content digest differs', ({ event, other }) => {
    const key = keyOf({ ...event, ...other } as HealthEvent);

    expect(key.id).toBe(keyOf(event).id);
    expect(key.contentDigest).not.toBe(keyOf(event).contentDigest);
  });

  it('given characters that move from one field to the next, then the content digest differs', () => {
    const one = { ...dicomEvent, studyUid: '1","2', seriesUid: '3' };
    const other = { ...dicomEvent, studyUid: '1', seriesUid: '2","3' };

    expect(keyOf(one).contentDigest).not.toBe(keyOf(other).contentDigest);
  });

  it('given another id or another time, then the content digest is the same', () => {
    const other = keyOf({ ...fhirEvent, id: 'other', time: undefined });

    expect(other.id).not.toBe(keyOf(fhirEvent).id);
    expect(other.contentDigest).toBe(keyOf(fhirEvent).contentDigest);
  });

  it.each([
    { time: undefined, expected: 'undated' },
    { time: '2014-12-31T23:59:59.999Z', expected: 'undated' },
    { time: '2015-01-01T00:00:00.000Z', expected: '20150101' },
    { time: '2100-12-31T23:59:59.999Z', expected: '21001231' },
    { time: '2101-01-01T00:00:00.000Z', expected: 'undated' },
    { time: '0001-01-01T00:00:00.000Z', expected: 'undated' },
    { time: '-000001-12-31T23:59:59.000Z', expected: 'undated' },
    { time: '+010000-01-01T00:00:00.000Z', expected: 'undated' },
  ])('given the time $time, then the day is $expected', ({ time, expected }) => {
    expect(keyOf({ ...fhirEvent, time }).day).toBe(expected);
  });

  it('given a time on the other side of midnight in its own offset, then the day is that of UTC', () => {
    const raw = { ...sample('FhirResourceCreated.eventgrid.json'), eventTime: '2022-03-25T01:00:00.5+02:00' };

    expect(keyOf(parseEvent(raw)).day).toBe('20220324');
  });
});
