import { discardDeadLetter } from '../../src/dead-letters/discard.js';
import { importAllUndelivered, importUndelivered } from '../../src/dead-letters/import-undelivered.js';
import { redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { showDeadLetter } from '../../src/dead-letters/show.js';
import { StorageError } from '../../src/storage/table-store.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openApp } from './open-app.js';

const NAME = 'A/2026/1/1/12/x.json';
const ASIDE = `unreadable/${NAME}`;
const BY = { by: 'me' };
const NOTE = { by: 'me', why: 'no list of events' };
const event = JSON.stringify(rawFhirEvent());
const notUtf8 = Buffer.concat([Buffer.from(`[${event},"`), Buffer.of(0xff, 0xfe), Buffer.from('"]')]);
const tooLarge = `[${event}${' '.repeat(8 * 1024 * 1024)}]`;

async function withBlob(content: string | Uint8Array, name = NAME) {
  const opened = openApp();
  opened.endsAs(() => {});
  await opened.app.stores.undelivered.create(name, content);
  return opened;
}

describe('when a blob of Event Grid cannot be imported', () => {
  it.each([
    { given: 'no JSON', content: 'no json' },
    { given: 'JSON that breaks off', content: `[${event},{"id":` },
    { given: 'no byte', content: '' },
    { given: 'no list', content: '{"id":"e"}' },
    { given: 'a text', content: '"text"' },
    { given: 'what is not UTF-8', content: notUtf8 },
    { given: 'more than 8 MiB', content: tooLarge },
    { given: 'a list that is nested without an end', content: '['.repeat(100_000) },
  ])(
    'given $given, then the blob moves to unreadable/, byte for byte, and none of its events becomes a row',
    async ({ content }) => {
      const { deadLetterStores, app, names, rows } = await withBlob(content);

      expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'unreadable' });

      expect(await names('undelivered')).toEqual([ASIDE]);
      expect(rows()).toEqual([]);
      const moved = await app.stores.undelivered.readText(ASIDE, 10 * 1024 * 1024);
      expect(moved?.kind).toBe(content === notUtf8 ? 'not-text' : 'text');
      expect(moved?.text === Buffer.from(content).toString()).toBe(true);
    },
  );

  it.each(['copy', 'delete'] as const)(
    'given the %s fails, then the blob stays, and the next run moves it',
    async (method) => {
      const { deadLetterStores, app, names } = await withBlob('no json');
      const real = app.stores.undelivered[method];
      Object.assign(app.stores.undelivered, { [method]: () => Promise.reject(new StorageError('http-503', 'No.')) });
      await expect(importUndelivered(NAME, deadLetterStores)).rejects.toBeInstanceOf(StorageError);
      expect(await names('undelivered')).toEqual(method === 'copy' ? [NAME] : [NAME, ASIDE]);
      Object.assign(app.stores.undelivered, { [method]: real });

      expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'unreadable' });

      expect(await names('undelivered')).toEqual([ASIDE]);
    },
  );

  it('given two processes at once, then one copy exists; given a process that comes after a discard, then it copies nothing', async () => {
    const { deadLetterStores, names, ids } = await withBlob('no json');

    await Promise.all([importUndelivered(NAME, deadLetterStores), importUndelivered(NAME, deadLetterStores)]);
    expect(await names('undelivered')).toEqual([ASIDE]);

    await discardDeadLetter((await ids())[0] ?? '', NOTE, deadLetterStores);
    expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'gone' });
    expect(await names('undelivered')).toEqual([`resolved/${ASIDE}`]);
  });

  it('given several before a readable blob, then the readable blob is imported', async () => {
    const { deadLetterStores, app, clock, runDueRows, runs } = await withBlob('no json', 'A/0.json');
    await app.stores.undelivered.create('A/1.json', notUtf8);
    await app.stores.undelivered.create('A/2.json', tooLarge);
    await app.stores.undelivered.create('A/3.json', '');
    clock.advance(60_000);
    await app.stores.undelivered.create('A/4.json', `[${event}]`);

    const done = await importAllUndelivered(deadLetterStores, async () => true);
    await runDueRows();

    expect(done).toEqual({ blobs: 1, events: 1, unreadable: 4, failed: 0 });
    expect(runs).toHaveLength(2);
  });
});

describe('when a person deals with a blob in unreadable/', () => {
  it('given a list, then it is found by its stage and reason, without a read of its content', async () => {
    const { deadLetterStores, app, letters } = await withBlob('no json');
    await importUndelivered(NAME, deadLetterStores);
    Object.assign(app.stores.undelivered, { readText: () => Promise.reject(new StorageError('http-503', 'No.')) });

    expect(await letters({ stage: 'undelivered', reason: 'unreadable' })).toMatchObject([
      { stage: 'undelivered', reason: 'unreadable', events: 0 },
    ]);
  });

  it.each([
    { given: 'text', content: 'no json', note: undefined },
    { given: 'what is not UTF-8', content: notUtf8, note: expect.stringContaining('no UTF-8 text') },
    { given: 'more than 8 MiB', content: tooLarge, note: expect.stringContaining('larger than 8 MiB') },
  ])('given $given, then the blob can be shown, discarded and shown again', async ({ content, note }) => {
    const { deadLetterStores, app, ids, names } = await withBlob(content);
    await importUndelivered(NAME, deadLetterStores);
    const [id = ''] = await ids();

    const found = await showDeadLetter(id, deadLetterStores);
    expect(found?.shown).toMatchObject({ stage: 'undelivered', reason: 'unreadable', isResolved: false, blob: ASIDE });
    expect(found?.shown.note).toEqual(note);
    expect(String(found?.payload).slice(0, 7)).toBe(Buffer.from(content).toString().slice(0, 7));

    expect(await discardDeadLetter(id, NOTE, deadLetterStores)).toBe('discarded');
    expect(await ids()).toEqual([]);
    expect(await names('undelivered')).toEqual([`resolved/${ASIDE}`]);
    expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({
      shown: { isResolved: true, blob: `resolved/${ASIDE}`, discarded: { ...NOTE, at: app.clock.now().toISOString() } },
      payload: found?.payload,
    });
  });

  it('given a redrive, then it stays; given an app that can read it, then its events are imported', async () => {
    const { deadLetterStores, app, ids, names, rows } = await withBlob('no json');
    await importUndelivered(NAME, deadLetterStores);
    const [id = ''] = await ids();

    expect(await redriveDeadLetter(id, BY, deadLetterStores)).toEqual({ kind: 'unreadable' });
    expect(await redriveDeadLetter(id, { ...BY, isDryRun: true }, deadLetterStores)).toEqual({ kind: 'unreadable' });
    expect(await names('undelivered')).toEqual([ASIDE]);

    await app.stores.undelivered.delete(ASIDE);
    await app.stores.undelivered.create(ASIDE, `[${event}]`);
    expect(await redriveDeadLetter(id, BY, deadLetterStores)).toEqual({ kind: 'taken-up', events: 1 });
    expect(rows()).toHaveLength(1);
    expect(await names('undelivered')).toEqual([`resolved/${ASIDE}`]);
  });
});
