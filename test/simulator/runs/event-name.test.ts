import { eventIdOf, numberOf, numbersIn } from '../../../src/simulator/runs/event-name.js';

describe('when a run looks for its events', () => {
  it.each([0, 1, 255, 999_999])('given event %d, then its id contains the number', (n) => {
    expect(eventIdOf('0badcafe', n)).toMatch(/^[0-9a-f-]{36}$/);
    expect(numberOf('0badcafe', eventIdOf('0badcafe', n))).toBe(n);
  });

  it.each([
    { given: "another run's event", id: eventIdOf('11111111', 3) },
    { given: 'an id that goes on', id: `${eventIdOf('0badcafe', 3)}0` },
    { given: 'any other id', id: 'demo-1' },
  ])('given $given, then the event is not of the run', ({ id }) => {
    expect(numberOf('0badcafe', id)).toBeUndefined();
  });

  it('given a text with ids of several runs, then those of the run are found', () => {
    const text = JSON.stringify([
      { id: eventIdOf('0badcafe', 5) },
      { subject: `x/Basic/${eventIdOf('0badcafe', 77)}` },
      eventIdOf('11111111', 6),
    ]);

    expect(numbersIn('0badcafe', text)).toEqual(new Set([5, 77]));
  });
});
