import { showLetter } from '../../src/dead-letters/show.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openDesk } from './desk.js';

describe('when a letter is shown', () => {
  it('given a job, then all that happened, with the payload beside it and not in it', async () => {
    const { desk, die, ids } = openDesk();
    await die({ resourceId: 'secret-marker' });
    const [id = ''] = await ids({ workflow: 'one' });

    const found = await showLetter(id, desk);

    expect(found?.shown).toEqual({
      id,
      stage: 'failed',
      reason: 'non-retriable',
      workflow: 'one',
      error: 'non-retriable',
      errorName: 'NonRetriableError',
      type: 'Microsoft.HealthcareApis.FhirResourceCreated',
      resourceType: 'Patient',
      eventId: 'event-1',
      redrives: 0,
      events: 1,
      isResolved: false,
      tries: 1,
      crashes: 0,
      firstTryAt: '2026-01-01T12:00:00.000Z',
      deadLetteredAt: '2026-01-01T12:00:00.000Z',
    });
    expect(JSON.stringify(found?.shown)).not.toContain('secret');
    expect(found).toMatchObject({ message: 'no', payload: rawFhirEvent({ resourceId: 'secret-marker' }) });
  });

  it('given an invalid event, then what is wrong with it', async () => {
    const { desk, deliver, ids } = openDesk();
    await deliver({ id: 'secret-marker' });

    const found = await showLetter((await ids())[0] ?? '', desk);

    expect(found?.shown.problems).toContainEqual({
      path: 'data',
      code: 'missing',
      message: 'data is missing, must be an object',
    });
    expect(JSON.stringify(found?.shown)).not.toContain('secret');
    expect(found?.payload).toEqual({ id: 'secret-marker' });
  });

  it('given one of Event Grid, then what it holds', async () => {
    const { desk, app, ids } = openDesk();
    const events = [rawFhirEvent({ id: 'a' }), rawFhirEvent({ id: 'b' })];
    await app.stores.undelivered.create('A/x.json', JSON.stringify(events));
    const [id = ''] = await ids();

    expect(await showLetter(id, desk)).toMatchObject({
      shown: { stage: 'undelivered', events: 2, isResolved: false },
      payload: events,
    });
    await app.stores.undelivered.create('resolved/A/x.json', JSON.stringify(events));
    expect(await showLetter(id, desk)).toMatchObject({ shown: { isResolved: true }, payload: events });
  });

  it('given no such id, then nothing; given a blob that is no letter, then its text is the payload', async () => {
    const { desk, app } = openDesk();
    const id = `failed.2026-01-01.${'d'.repeat(22)}.0`;

    expect(await showLetter('nonsense', desk)).toBeUndefined();
    expect(await showLetter(id, desk)).toBeUndefined();
    await app.stores.deadLetters.create(`pending/failed/2026-01-01/${'d'.repeat(22)}.0.json`, 'no json');
    expect(await showLetter(id, desk)).toMatchObject({ shown: { reason: 'unreadable' }, payload: 'no json' });
  });
});
