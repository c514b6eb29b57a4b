import { Script } from 'node:vm';
import { discardDeadLetter } from '../../src/dead-letters/discard.js';
import { groupDeadLetters } from '../../src/dead-letters/group.js';
import { idOfUndelivered, placeOfId } from '../../src/dead-letters/ids.js';
import { deadLettersOf } from '../../src/dead-letters/list.js';
import { redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { showDeadLetter } from '../../src/dead-letters/show.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { giveUp, openApp } from './open-app.js';

const DIGEST = 'd'.repeat(22);

function undeliveredId(name: string): string {
  return `undelivered.${Buffer.from(name).toString('base64url')}`;
}

function strayId(name: string): string {
  return `stray.${Buffer.from(name).toString('base64url')}`;
}

describe('the id of a dead letter', () => {
  it.each([`failed.2026-03-14.${DIGEST}.0`, `unknown-workflow.2026-03-14.${DIGEST}.12`, `invalid.undated.${DIGEST}.0`])(
    'given %s, then the id leads to its blob',
    (id) => {
      const name = `${id.replace('.', '/').replace('.', '/')}.json`;

      expect(placeOfId(id)).toEqual({ kind: 'letter', name });
    },
  );

  it('given a blob of Event Grid, then its id can stand in a URL, and leads back', () => {
    const name = 'FHIR-EVENTS/2026/3/14/9/0b5c5b5e-0000-4000-8000-000000000001.json';
    const id = idOfUndelivered(name);

    expect(id).toMatch(/^undelivered\.[\w-]+$/);
    expect(placeOfId(id)).toEqual({ kind: 'undelivered', name });
  });

  it.each([
    '',
    'failed',
    `lost.2026-03-14.${DIGEST}.0`,
    `failed.2026-03-14.${DIGEST}`,
    `failed.2026-03-14.${DIGEST}.-1`,
    `failed.14-03-2026.${DIGEST}.0`,
    `failed/2026-03-14/${DIGEST}.0`,
    `failed.2026-03-14.../../${DIGEST}.0`,
    'undelivered.',
    'undelivered.a/b',
    'undelivered.A',
    'undelivered.QR',
    undeliveredId('resolved/A/x.json'),
    undeliveredId('../dead-letters/pending/x.json'),
    undeliveredId('A/./x.json'),
    undeliveredId('A/..'),
    undeliveredId('A//x.json'),
    undeliveredId('A\\..\\..\\x.json'),
    strayId('elsewhere/x.json'),
    strayId('failed/../x.json'),
    strayId(`failed/2026-03-14/${DIGEST}.0.json`),
  ])("given '%s', then it is no id", (id) => {
    expect(placeOfId(id)).toBeUndefined();
  });
});

describe('when a dead letter is listed', () => {
  it('given a job, then the entry has its cause and its event, and no value of the event', async () => {
    const { die, letters } = openApp();
    await die({ resourceId: 'secret-marker' });

    const [letter] = await letters({ workflow: 'one' });

    expect(letter).toEqual({
      id: expect.stringMatching(/^failed\.2026-01-01\.[\w-]{22}\.0$/),
      stage: 'failed',
      reason: 'non-retriable',
      workflow: 'one',
      error: 'non-retriable',
      frame: '',
      type: 'Microsoft.HealthcareApis.FhirResourceCreated',
      resourceType: 'Patient',
      eventId: 'event-1',
      at: '2026-01-01T12:00:00.000Z',
      redrives: 0,
      events: 1,
    });
  });

  it('given the place in the code that failed, then metadata and content show it, and it serves as a filter and a group', async () => {
    const { endsAs, deliver, app, letters, deadLetterStores } = openApp();
    const filename = `${process.cwd()}/src/workflows/bad.js`;
    const throwThere: (throws: () => void) => void = new Script('\n(call) => call()', { filename }).runInThisContext();
    endsAs(() => throwThere(giveUp));
    await deliver(rawFhirEvent());
    endsAs(giveUp);
    await deliver(rawFhirEvent({ id: 'event-2', resourceId: 'patient-2' }));
    const listed = await letters();
    for (const { name } of (await app.stores.deadLetters.list('pending/', { limit: 10 })).blobs) {
      const content = (await app.stores.deadLetters.read(name)) ?? '';
      await app.stores.deadLetters.delete(name);
      await app.stores.deadLetters.create(name, content);
    }

    expect(listed.map(({ frame }) => frame).sort()).toEqual(['', '', 'workflows/bad.js:2', 'workflows/bad.js:2']);
    expect(await letters()).toEqual(listed);
    expect(await letters({ frame: 'workflows/bad.js:2' })).toHaveLength(2);
    const { groups } = await groupDeadLetters(deadLettersOf(deadLetterStores, {}), ['reason', 'frame'], 10);
    expect(groups.map(({ by, letters: count }) => [by.frame, count]).sort()).toEqual([
      ['', 2],
      ['workflows/bad.js:2', 2],
    ]);
  });

  it('given an invalid event, then the entry has its type if that is known, and not its id, which could be anything', async () => {
    const { deliver, letters } = openApp();
    const type = 'Microsoft.HealthcareApis.FhirResourceDeleted';
    await deliver(
      { id: 'secret-marker', eventType: type },
      { id: 'secret-marker', type: 'secret-marker' },
      'secret-marker',
    );

    const listed = await letters();

    expect(listed.map(({ reason, type, eventId }) => [reason, type, eventId]).sort()).toEqual([
      ['invalid', '', ''],
      ['invalid', type, ''],
      ['unknown-type', '', ''],
    ]);
    expect(JSON.stringify(listed)).not.toContain('secret');
  });

  it('given a dead letter without metadata, then its content is read', async () => {
    const { die, app, letters } = openApp();
    await die();
    const before = await letters();
    for (const { name } of (await app.stores.deadLetters.list('pending/', { limit: 10 })).blobs) {
      const content = (await app.stores.deadLetters.read(name)) ?? '';
      await app.stores.deadLetters.delete(name);
      await app.stores.deadLetters.create(name, content);
    }

    expect(await letters()).toEqual(before);
  });

  it('given a blob with a foreign name, then it has a stage, and its id shows and discards it', async () => {
    const { app, deadLetterStores, letters, names } = openApp();
    await app.stores.deadLetters.create('pending/failed/ö x.txt', 'text');

    const [letter] = await letters({ stage: 'failed' });

    expect(letter).toMatchObject({ id: strayId('failed/ö x.txt'), stage: 'failed', reason: 'unreadable' });
    const { id = '' } = letter ?? {};
    expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({
      shown: { id, isResolved: false },
      payload: 'text',
    });
    expect(await redriveDeadLetter(id, { by: 'me' }, deadLetterStores)).toEqual({ kind: 'unreadable' });
    expect(await discardDeadLetter(id, { by: 'me', why: 'not ours' }, deadLetterStores)).toBe('discarded');
    expect(await names()).toEqual(['resolved/failed/ö x.txt']);
  });

  it.each(['no json', '{}', '[1]', '{"reason":"x","event":{}}'])(
    'given a blob with %s, then it is unreadable',
    async (content) => {
      const { app, letters } = openApp();
      await app.stores.deadLetters.create(`pending/failed/2026-01-01/${DIGEST}.0.json`, content);

      expect(await letters()).toMatchObject([{ stage: 'failed', reason: 'unreadable', error: '' }]);
    },
  );
});
