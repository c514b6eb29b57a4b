import { readFileSync } from 'node:fs';
import { countUndelivered, eventsOf } from '../../src/dead-letters/undelivered.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createFakeClock } from '../../src/testing/index.js';

const sample = (file: string) => JSON.parse(readFileSync(`test/events/samples/${file}.json`, 'utf8')) as object;
const OF_EVENT_GRID = {
  deadLetterReason: 'TimeToLiveExceeded',
  deliveryAttempts: 30,
  lastDeliveryOutcome: 'TimedOut',
  publishTime: '2022-02-03T16:48:10.0000000Z',
  lastDeliveryAttemptTime: '2022-02-04T16:48:10.0000000Z',
};
const OF_CLOUD_EVENTS = {
  deadletterreason: 'UndeliverableDueToClientError',
  deliveryattempts: 1,
  lastdeliveryoutcome: 'Forbidden',
  publishtime: '2022-02-03T16:48:10.0000000Z',
  lasthttpstatuscode: 403,
};

describe('a dead letter of Event Grid', () => {
  it.each([
    { schema: 'eventgrid', added: OF_EVENT_GRID, reason: 'TimeToLiveExceeded', outcome: 'TimedOut' },
    { schema: 'cloudevents', added: OF_CLOUD_EVENTS, reason: 'UndeliverableDueToClientError', outcome: 'Forbidden' },
  ])(
    'given the schema $schema, then its events are as they would have been delivered',
    ({ schema, added, reason, outcome }) => {
      const events = ['FhirResourceCreated', 'DicomImageDeleted'].map((name) => sample(`${name}.${schema}`));

      const read = eventsOf(JSON.stringify(events.map((event) => ({ ...event, ...added }))));

      expect(read).toEqual(events.map((delivered) => ({ delivered, reason, outcome })));
    },
  );

  it('given an entry that is no event, then it is kept unchanged', () => {
    expect(eventsOf('["text", null, [1], {"deliveryAttempts": 3}]')).toEqual([
      { delivered: 'text', reason: '', outcome: '' },
      { delivered: null, reason: '', outcome: '' },
      { delivered: [1], reason: '', outcome: '' },
      { delivered: {}, reason: '', outcome: '' },
    ]);
  });

  it('given one event without a list, with a reason in it, then the event and the reason are read', () => {
    const event = sample('FhirResourceCreated.cloudevents');

    expect(eventsOf(JSON.stringify({ ...event, ...OF_CLOUD_EVENTS }))).toEqual([
      { delivered: event, reason: 'UndeliverableDueToClientError', outcome: 'Forbidden' },
    ]);
  });

  it('given a reason that is not a word of Event Grid, then it is left out', () => {
    const event = { deadLetterReason: 'of the patient Zoë', lastDeliveryOutcome: 404 };

    expect(eventsOf(JSON.stringify([event]))).toEqual([{ delivered: {}, reason: '', outcome: '' }]);
  });

  it.each(['', 'no json', '{"id":"e"}', '"text"', 'null', '[{"id":'])("given '%s', then it is no list", (content) => {
    expect(eventsOf(content)).toBeUndefined();
  });
});

describe('when undelivered blobs are counted', () => {
  it('given several blobs, and some resolved ones, then the count has the others and the time of the oldest', async () => {
    const clock = createFakeClock();
    const blobs = createMemoryBlobStore({ clock });
    for (const name of [
      'resolved/B/x.json',
      'B/2026/1/1/9/x.json',
      'B/2026/1/1/10/y.json',
      'small/z.json',
      'unreadable/A/y.json',
    ]) {
      await blobs.create(name, '[]');
      clock.advance(60_000);
    }

    expect(await countUndelivered(blobs, 10)).toEqual({
      blobs: 3,
      unreadable: 1,
      isMore: false,
      oldestAt: new Date('2026-01-01T12:01:00.000Z'),
    });
    expect(await countUndelivered(blobs, 2)).toMatchObject({ blobs: 2, isMore: true });
    expect(await countUndelivered(createMemoryBlobStore({ clock }), 2)).toEqual({
      blobs: 0,
      unreadable: 0,
      isMore: false,
      oldestAt: undefined,
    });
  });
});
