import { discardDeadLetter } from '../../src/dead-letters/discard.js';
import { groupDeadLetters } from '../../src/dead-letters/group.js';
import { deadLettersOf } from '../../src/dead-letters/list.js';
import { redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { showDeadLetter } from '../../src/dead-letters/show.js';
import { StorageError } from '../../src/storage/table-store.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openApp } from './open-app.js';

const EVENTS = 120;
const BY = { by: 'me' };
const PENDING = 'pending/invalid/2026-01-01/….0.json';
const RESOLVED = 'resolved/invalid/2026-01-01/….0.json';

/** One dead letter of 120 events: their workspace was not listed, and is listed now. */
async function withBatch(events: readonly unknown[] = eventsOf(EVENTS)) {
  const refusing = openApp({ WORKSPACES: '/subscriptions/another' });
  await refusing.deliver(...events);
  const opened = openApp();
  opened.endsAs(() => {});
  const { blobs } = await refusing.app.stores.deadLetters.list('pending/', { limit: 1000 });
  for (const { name, metadata } of blobs) {
    const content = (await refusing.app.stores.deadLetters.read(name)) ?? '';
    await opened.app.stores.deadLetters.create(name, content, metadata && { metadata });
  }
  const [id = ''] = await opened.ids();
  return {
    ...opened,
    id,
    redrive: (options = {}) => redriveDeadLetter(id, { ...BY, ...options }, opened.deadLetterStores),
  };
}

function eventsOf(count: number): ReturnType<typeof rawFhirEvent>[] {
  return Array.from({ length: count }, (_, n) => rawFhirEvent({ id: `event-${n}`, resourceId: `patient-${n}` }));
}

describe('a dead letter of several invalid events', () => {
  it('given a list and groups, then its events are counted, and their types are named', async () => {
    const { deadLetterStores, letters } = await withBatch();

    expect(await letters({ reason: 'workspace-not-listed' })).toMatchObject([
      { stage: 'invalid', events: EVENTS, type: rawFhirEvent().eventType, eventId: '', error: 'workspace-not-listed' },
    ]);
    expect(await groupDeadLetters(deadLettersOf(deadLetterStores, {}), ['reason'], 10)).toMatchObject({
      letters: 1,
      groups: [{ letters: 1, events: EVENTS }],
    });
  });

  it('given it is shown, then the problems of its events are named, and none of their values', async () => {
    const { deadLetterStores, id } = await withBatch();

    const found = await showDeadLetter(id, deadLetterStores);

    expect(found?.shown).toMatchObject({
      events: EVENTS,
      causes: [{ problems: [{ path: 'source', code: 'not-listed' }], events: EVENTS }],
    });
    expect(JSON.stringify(found?.shown)).not.toContain('patient-1');
    expect(found?.payload).toEqual(eventsOf(EVENTS));
  });

  it('given a redrive, then each event is delivered, and the dead letter has moved', async () => {
    const { redrive, runDueRows, runs, rows, names } = await withBatch();

    expect(await redrive({ isDryRun: true })).toEqual({ kind: 'taken-up', events: EVENTS });
    expect(rows()).toEqual([]);
    expect(await redrive()).toEqual({ kind: 'taken-up', events: EVENTS });
    expect(rows()).toHaveLength(EVENTS);
    expect(await names()).toEqual([RESOLVED]);
    await runDueRows();

    expect(runs).toHaveLength(2 * EVENTS);
    expect(await redrive()).toEqual({ kind: 'gone' });
  });

  it('given the redrive dies before the dead letter moves, then the next one ends it, and nothing runs twice', async () => {
    const { app, redrive, runDueRows, runs, names } = await withBatch();
    const { delete: remove } = app.deadLetterStores.blobs;
    Object.assign(app.deadLetterStores.blobs, { delete: () => Promise.reject(new StorageError('http-503', 'No.')) });
    await expect(redrive()).rejects.toBeInstanceOf(StorageError);
    Object.assign(app.deadLetterStores.blobs, { delete: remove });
    await runDueRows();
    expect(await names()).toEqual([PENDING, RESOLVED]);

    await redrive();
    await runDueRows();

    expect(runs).toHaveLength(2 * EVENTS);
    expect(await names()).toEqual([RESOLVED]);
  });

  it('given one event that is still invalid, then that event gets a dead letter of its own', async () => {
    const { redrive, runDueRows, runs, app, names } = await withBatch();
    const [name = ''] = (await app.stores.deadLetters.list('', { limit: 1 })).blobs.map((blob) => blob.name);
    const content = JSON.parse((await app.stores.deadLetters.read(name)) ?? '');
    content.event[7] = { none: 7 };
    await app.stores.deadLetters.delete(name);
    await app.stores.deadLetters.create(name, JSON.stringify(content));

    await redrive();
    await runDueRows();

    expect(runs).toHaveLength(2 * (EVENTS - 1));
    expect(await names()).toEqual(['pending/invalid/undated/….0.json', RESOLVED]);
  });

  it('given all its events are still invalid, then it is redriven only with force', async () => {
    const { redrive, rows } = await withBatch(Array.from({ length: EVENTS }, (_, n) => ({ none: n })));

    expect(await redrive()).toMatchObject({ kind: 'not-an-event', problems: { length: 5 } });
    expect(rows()).toEqual([]);
    expect(await redrive({ isForced: true })).toEqual({ kind: 'taken-up', events: EVENTS });
    expect(rows()).toHaveLength(EVENTS);
  });

  it('given a corrected payload, then the redrive is refused; given large events, then they are too large for a row', async () => {
    const { redrive } = await withBatch();
    const large = await withBatch(eventsOf(EVENTS).map((raw) => ({ ...raw, more: 'x'.repeat(40_000) })));

    expect(await redrive({ event: rawFhirEvent() })).toEqual({ kind: 'not-editable' });
    expect(await large.redrive({ isForced: true })).toEqual({ kind: 'too-large' });
  });

  it('given it is discarded, then it moves with the note, and can still be redriven', async () => {
    const { deadLetterStores, id, redrive, rows, names, contentOf } = await withBatch();

    expect(await discardDeadLetter(id, { ...BY, why: 'enough' }, deadLetterStores)).toBe('discarded');
    expect(await names()).toEqual([RESOLVED]);
    expect((await contentOf('resolved/')).discarded).toMatchObject({ why: 'enough' });
    expect(await redrive()).toEqual({ kind: 'taken-up', events: EVENTS });
    expect(rows()).toHaveLength(EVENTS);
  });

  it.each([{ causes: 7 }, { event: { no: 'list' } }])(
    'given content with %j, then the dead letter is unreadable',
    async (change) => {
      const { app, id, redrive, deadLetterStores } = await withBatch();
      const [name = ''] = (await app.stores.deadLetters.list('', { limit: 1 })).blobs.map((blob) => blob.name);
      const content = JSON.parse((await app.stores.deadLetters.read(name)) ?? '');
      await app.stores.deadLetters.delete(name);
      await app.stores.deadLetters.create(name, JSON.stringify({ ...content, ...change }));

      expect(await redrive()).toEqual({ kind: 'unreadable' });
      expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({ shown: { reason: 'unreadable', events: 1 } });
    },
  );
});
