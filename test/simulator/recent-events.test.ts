import { topicEventOf } from '../../src/simulator/event-grid/topic-event.js';
import { RecentEvents } from '../../src/simulator/recent-events.js';

const eventOf = (n: number) =>
  topicEventOf(
    {
      service: 'fhir',
      change: 'created',
      host: 'h.test',
      resourceType: 'Basic',
      resourceId: `r${n}`,
      version: 1,
      at: new Date('2026-01-01T12:00:00.000Z'),
    },
    { id: `e${n}`, source: '/w' },
  );

describe('when the last events are remembered', () => {
  it('given one, then the list has only the fields that identify it', () => {
    const recent = new RecentEvents();

    recent.add([eventOf(1)]);

    expect(recent.list()).toEqual([
      {
        id: 'e1',
        type: 'Microsoft.HealthcareApis.FhirResourceCreated',
        subject: 'h.test/Basic/r1',
        time: '2026-01-01T12:00:00.0000000Z',
      },
    ]);
  });

  it.each([
    { given: 'one by one', atOnce: 1 },
    { given: 'all at once', atOnce: 2500 },
  ])('given 2,500, $given, then the last 1,000 are listed, the newest first', ({ atOnce }) => {
    const recent = new RecentEvents();

    for (let n = 0; n < 2500; n += atOnce) recent.add(Array.from({ length: atOnce }, (_, at) => eventOf(n + at)));

    const ids = recent.list().map(({ id }) => id);
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([1000, 'e2499', 'e1500']);
    expect(recent.list('/r1499')).toEqual([]);
  });

  it('given a list that is cleared, then it is empty', () => {
    const recent = new RecentEvents();
    recent.add([eventOf(1)]);

    recent.clear();

    expect(recent.list()).toEqual([]);
  });
});
