import { showDeadLetter } from '../../src/dead-letters/show.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openApp } from './open-app.js';

describe('when a dead letter is shown', () => {
  it('given a job, then all that happened is shown, and the payload only beside it', async () => {
    const { deadLetterStores, die, ids } = openApp();
    await die({ resourceId: 'secret-marker' });
    const [id = ''] = await ids({ workflow: 'one' });

    const found = await showDeadLetter(id, deadLetterStores);

    expect(found?.shown).toEqual({
      id,
      stage: 'failed',
      reason: 'non-retriable',
      workflow: 'one',
      error: 'non-retriable',
      frame: '',
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

  it('given an invalid event, then its problems are shown', async () => {
    const { deadLetterStores, deliver, ids } = openApp();
    await deliver({ id: 'secret-marker' });

    const found = await showDeadLetter((await ids())[0] ?? '', deadLetterStores);

    expect(found?.shown.problems).toContainEqual({
      path: 'data',
      code: 'missing',
      message: 'data is missing, must be an object',
    });
    expect(JSON.stringify(found?.shown)).not.toContain('secret');
    expect(found?.payload).toEqual({ id: 'secret-marker' });
  });

  it('given a dead letter of Event Grid, then its content is shown', async () => {
    const { deadLetterStores, app, ids } = openApp();
    const events = [rawFhirEvent({ id: 'a' }), rawFhirEvent({ id: 'b' })];
    await app.stores.undelivered.create('A/x.json', JSON.stringify(events));
    const [id = ''] = await ids();

    expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({
      shown: { stage: 'undelivered', events: 2, isResolved: false },
      payload: events,
    });
    await app.stores.undelivered.create('resolved/A/x.json', JSON.stringify(events));
    expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({ shown: { isResolved: true }, payload: events });
  });

  it('given an unknown id, then nothing is shown; given a blob that is not a dead letter, then its text is the payload', async () => {
    const { deadLetterStores, app } = openApp();
    const id = `failed.2026-01-01.${'d'.repeat(22)}.0`;

    expect(await showDeadLetter('nonsense', deadLetterStores)).toBeUndefined();
    expect(await showDeadLetter(id, deadLetterStores)).toBeUndefined();
    await app.stores.deadLetters.create(`pending/failed/2026-01-01/${'d'.repeat(22)}.0.json`, 'no json');
    expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({
      shown: { reason: 'unreadable' },
      payload: 'no json',
    });
  });
});
