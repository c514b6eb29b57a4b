import { discardLetter } from '../../src/dead-letters/discard.js';
import { redriveMany } from '../../src/dead-letters/many.js';
import { newestLetters, valuesOf } from '../../src/dead-letters/newest.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openDesk } from './desk.js';

/** Two dead letters a day of the event `day-of-event`, a minute apart: the older the event, the newer its dead letters. */
async function openDeskWithDays(days: number) {
  const desk = openDesk();
  for (let day = days; day >= 1; day -= 1) {
    const time = `2025-12-${String(day).padStart(2, '0')}T12:00:00Z`;
    await desk.die({ id: `event-${day}`, time });
    desk.clock.advance(60_000);
  }
  return desk;
}

describe('when the newest dead letters are listed', () => {
  it('given names in another order than time, lists by time, the newest first, and counts all', async () => {
    const { desk } = await openDeskWithDays(6);

    const { letters, all } = await newestLetters(desk, {}, { most: 4 });

    expect(all).toBe(12);
    expect(letters.map(({ eventId }) => eventId)).toEqual(['event-1', 'event-1', 'event-2', 'event-2']);
    expect(letters.map(({ at }) => at)).toEqual([...letters.map(({ at }) => at)].sort().reverse());
  });

  it('given a filter, counts only what fits', async () => {
    const { desk } = await openDeskWithDays(3);

    expect(await newestLetters(desk, { workflow: 'one' }, { most: 10 })).toMatchObject({
      all: 3,
      letters: { length: 3 },
    });
    expect(await newestLetters(desk, { workflow: 'three' }, { most: 10 })).toEqual({ all: 0, letters: [] });
  });

  it("given many of Event Grid's, reads only those that it lists", async () => {
    const { desk, clock } = openDesk();
    for (let n = 0; n < 50; n += 1) {
      await desk.undelivered.create(
        `SUB/2026/1/1/${n}/blob.json`,
        JSON.stringify([rawFhirEvent({ id: `event-${n}` })]),
      );
      clock.advance(1000);
    }
    const read = jest.spyOn(desk.undelivered, 'readText');

    const { letters, all } = await newestLetters(desk, {}, { most: 3 });

    expect({ all, ids: letters.map(({ eventId }) => eventId) }).toEqual({
      all: 50,
      ids: ['event-49', 'event-48', 'event-47'],
    });
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('given resolved ones, lists those alone, of both kinds', async () => {
    const { desk, ids, runDueRows } = await openDeskWithDays(1);
    await desk.undelivered.create('SUB/2026/1/1/1/blob.json', JSON.stringify([rawFhirEvent({ id: 'undelivered-1' })]));
    await desk.undelivered.create('SUB/2026/1/1/1/pending.json', JSON.stringify([rawFhirEvent()]));
    const pace = { atOnce: 1, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };
    const [one = ''] = await ids({ workflow: 'one' });
    await redriveMany([{ id: one }], { by: 'a test' }, pace, desk);
    await runDueRows();
    const undelivered = `undelivered.${Buffer.from('SUB/2026/1/1/1/blob.json').toString('base64url')}`;
    await discardLetter(undelivered, { by: 'a test', why: 'a test' }, desk);

    const { letters } = await newestLetters(desk, { isResolved: true }, { most: 10 });

    expect(letters.map(({ id }) => id).sort()).toEqual([one, undelivered].sort());
    expect(letters).toContainEqual(expect.objectContaining({ eventId: 'undelivered-1', events: 1 }));
    expect(letters).toContainEqual(expect.objectContaining({ workflow: 'one', reason: 'non-retriable' }));
  });
});

describe('when the values of a word are looked up', () => {
  it('given pending and resolved dead letters, finds the values of both', async () => {
    const { desk, ids, deliver } = await openDeskWithDays(1);
    await deliver({ id: 'no event' });
    const [two = ''] = await ids({ workflow: 'two' });
    await discardLetter(two, { by: 'a test', why: 'a test' }, desk);

    expect(await valuesOf('workflow', desk)).toEqual(new Set(['one', 'two']));
    expect(await valuesOf('reason', desk)).toEqual(new Set(['invalid', 'non-retriable']));
  });
});
