import { discardDeadLetter } from '../../src/dead-letters/discard.js';
import { redriveMany } from '../../src/dead-letters/many.js';
import { newestDeadLetters, valuesOf } from '../../src/dead-letters/newest.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openApp } from './open-app.js';

/**
 * Two dead letters a day of the event `day-of-event`, a minute apart: the older the event, the newer its dead letters.
 */
async function openAppWithDays(days: number) {
  const opened = openApp();
  for (let day = days; day >= 1; day -= 1) {
    const time = `2025-12-${String(day).padStart(2, '0')}T12:00:00Z`;
    await opened.die({ id: `event-${day}`, time });
    opened.clock.advance(60_000);
  }
  return opened;
}

describe('when the newest dead letters are listed', () => {
  it('given names in another order than time, then the newest are listed first, and all are counted', async () => {
    const { deadLetterStores } = await openAppWithDays(6);

    const { letters, all } = await newestDeadLetters(deadLetterStores, {}, { max: 4 });

    expect(all).toBe(12);
    expect(letters.map(({ eventId }) => eventId)).toEqual(['event-1', 'event-1', 'event-2', 'event-2']);
    expect(letters.map(({ at }) => at)).toEqual([...letters.map(({ at }) => at)].sort().reverse());
  });

  it('given a filter, then only matching dead letters are counted', async () => {
    const { deadLetterStores } = await openAppWithDays(3);

    expect(await newestDeadLetters(deadLetterStores, { workflow: 'one' }, { max: 10 })).toMatchObject({
      all: 3,
      letters: { length: 3 },
    });
    expect(await newestDeadLetters(deadLetterStores, { workflow: 'three' }, { max: 10 })).toEqual({
      all: 0,
      letters: [],
    });
  });

  it('given many blobs of Event Grid, then only listed ones are read', async () => {
    const { deadLetterStores, clock } = openApp();
    for (let n = 0; n < 50; n += 1) {
      await deadLetterStores.undelivered.create(
        `SUB/2026/1/1/${n}/blob.json`,
        JSON.stringify([rawFhirEvent({ id: `event-${n}` })]),
      );
      clock.advance(1000);
    }
    const read = jest.spyOn(deadLetterStores.undelivered, 'readText');

    const { letters, all } = await newestDeadLetters(deadLetterStores, {}, { max: 3 });

    expect({ all, ids: letters.map(({ eventId }) => eventId) }).toEqual({
      all: 50,
      ids: ['event-49', 'event-48', 'event-47'],
    });
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('given a list of resolved dead letters, then only these are listed, of both kinds', async () => {
    const { deadLetterStores, ids, runDueRows } = await openAppWithDays(1);
    await deadLetterStores.undelivered.create(
      'SUB/2026/1/1/1/blob.json',
      JSON.stringify([rawFhirEvent({ id: 'undelivered-1' })]),
    );
    await deadLetterStores.undelivered.create('SUB/2026/1/1/1/pending.json', JSON.stringify([rawFhirEvent()]));
    const pace = { atOnce: 1, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };
    const [one = ''] = await ids({ workflow: 'one' });
    await redriveMany([{ id: one }], { by: 'a test' }, { pace, stores: deadLetterStores });
    await runDueRows();
    const undelivered = `undelivered.${Buffer.from('SUB/2026/1/1/1/blob.json').toString('base64url')}`;
    await discardDeadLetter(undelivered, { by: 'a test', why: 'a test' }, deadLetterStores);

    const { letters } = await newestDeadLetters(deadLetterStores, { isResolved: true }, { max: 10 });

    expect(letters.map(({ id }) => id).sort()).toEqual([one, undelivered].sort());
    expect(letters).toContainEqual(expect.objectContaining({ eventId: 'undelivered-1', events: 1 }));
    expect(letters).toContainEqual(expect.objectContaining({ workflow: 'one', reason: 'non-retriable' }));
  });
});

describe('when the values of a field are looked up', () => {
  it('given pending and resolved dead letters, then the values of both are found', async () => {
    const { deadLetterStores, ids, deliver } = await openAppWithDays(1);
    await deliver({ id: 'no event' });
    const [two = ''] = await ids({ workflow: 'two' });
    await discardDeadLetter(two, { by: 'a test', why: 'a test' }, deadLetterStores);

    expect(await valuesOf('workflow', deadLetterStores)).toEqual(new Set(['one', 'two']));
    expect(await valuesOf('reason', deadLetterStores)).toEqual(new Set(['invalid', 'non-retriable']));
  });
});
