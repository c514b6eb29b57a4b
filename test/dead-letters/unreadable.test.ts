import { discardLetter } from '../../src/dead-letters/discard.js';
import { redriveLetter } from '../../src/dead-letters/redrive.js';
import { showLetter } from '../../src/dead-letters/show.js';
import { takeUp } from '../../src/dead-letters/take-up.js';
import { takeUpAll } from '../../src/dead-letters/take-up-all.js';
import { StorageError } from '../../src/storage/table-store.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openDesk } from './desk.js';

const NAME = 'A/2026/1/1/12/x.json';
const ASIDE = `unreadable/${NAME}`;
const BY = { by: 'me' };
const NOTE = { by: 'me', why: 'no list of events' };
const event = JSON.stringify(rawFhirEvent());
const notUtf8 = Buffer.concat([Buffer.from(`[${event},"`), Buffer.of(0xff, 0xfe), Buffer.from('"]')]);
const tooLarge = `[${event}${' '.repeat(8 * 1024 * 1024)}]`;

async function withBlob(content: string | Uint8Array, name = NAME) {
  const desk = openDesk();
  desk.endsAs(() => {});
  await desk.app.stores.undelivered.create(name, content);
  return desk;
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
  ])('given $given, then it moves to unreadable/, byte for byte, and no event of it is a row', async ({ content }) => {
    const { desk, app, names, rows } = await withBlob(content);

    expect(await takeUp(NAME, desk)).toEqual({ kind: 'unreadable' });

    expect(await names('undelivered')).toEqual([ASIDE]);
    expect(rows()).toEqual([]);
    const moved = await app.stores.undelivered.readText(ASIDE, 10 * 1024 * 1024);
    expect(moved?.kind).toBe(content === notUtf8 ? 'not-text' : 'text');
    expect(moved?.text === Buffer.from(content).toString()).toBe(true);
  });

  it.each(['copy', 'delete'] as const)(
    'given the %s fails, then the blob is there all the same, and the next run moves it',
    async (method) => {
      const { desk, app, names } = await withBlob('no json');
      const real = app.stores.undelivered[method];
      Object.assign(app.stores.undelivered, { [method]: () => Promise.reject(new StorageError('http-503', 'No.')) });
      await expect(takeUp(NAME, desk)).rejects.toBeInstanceOf(StorageError);
      expect(await names('undelivered')).toEqual(method === 'copy' ? [NAME] : [NAME, ASIDE]);
      Object.assign(app.stores.undelivered, { [method]: real });

      expect(await takeUp(NAME, desk)).toEqual({ kind: 'unreadable' });

      expect(await names('undelivered')).toEqual([ASIDE]);
    },
  );

  it('given two processes at once, then it is there once; given one that comes after a discard, then it copies nothing', async () => {
    const { desk, names, ids } = await withBlob('no json');

    await Promise.all([takeUp(NAME, desk), takeUp(NAME, desk)]);
    expect(await names('undelivered')).toEqual([ASIDE]);

    await discardLetter((await ids())[0] ?? '', NOTE, desk);
    expect(await takeUp(NAME, desk)).toEqual({ kind: 'gone' });
    expect(await names('undelivered')).toEqual([`resolved/${ASIDE}`]);
  });

  it('given several before one that can be imported, then that one is', async () => {
    const { desk, app, clock, runDueRows, runs } = await withBlob('no json', 'A/0.json');
    await app.stores.undelivered.create('A/1.json', notUtf8);
    await app.stores.undelivered.create('A/2.json', tooLarge);
    await app.stores.undelivered.create('A/3.json', '');
    clock.advance(60_000);
    await app.stores.undelivered.create('A/4.json', `[${event}]`);

    const done = await takeUpAll(desk, async () => true);
    await runDueRows();

    expect(done).toEqual({ blobs: 1, events: 1, unreadable: 4, failed: 0 });
    expect(runs).toHaveLength(2);
  });
});

describe('when a person deals with a blob in unreadable/', () => {
  it('given a list, then it is there, found by its stage and reason, and not read', async () => {
    const { desk, app, letters } = await withBlob('no json');
    await takeUp(NAME, desk);
    Object.assign(app.stores.undelivered, { readText: () => Promise.reject(new StorageError('http-503', 'No.')) });

    expect(await letters({ stage: 'undelivered', reason: 'unreadable' })).toMatchObject([
      { stage: 'undelivered', reason: 'unreadable', events: 0 },
    ]);
  });

  it.each([
    { given: 'text', content: 'no json', note: undefined },
    { given: 'what is not UTF-8', content: notUtf8, note: expect.stringContaining('no UTF-8 text') },
    { given: 'more than 8 MiB', content: tooLarge, note: expect.stringContaining('larger than 8 MiB') },
  ])('given $given, then it can be shown, discarded and shown again', async ({ content, note }) => {
    const { desk, app, ids, names } = await withBlob(content);
    await takeUp(NAME, desk);
    const [id = ''] = await ids();

    const found = await showLetter(id, desk);
    expect(found?.shown).toMatchObject({ stage: 'undelivered', reason: 'unreadable', isResolved: false, blob: ASIDE });
    expect(found?.shown.note).toEqual(note);
    expect(String(found?.payload).slice(0, 7)).toBe(Buffer.from(content).toString().slice(0, 7));

    expect(await discardLetter(id, NOTE, desk)).toBe('discarded');
    expect(await ids()).toEqual([]);
    expect(await names('undelivered')).toEqual([`resolved/${ASIDE}`]);
    expect(await showLetter(id, desk)).toMatchObject({
      shown: { isResolved: true, blob: `resolved/${ASIDE}`, discarded: { ...NOTE, at: app.clock.now().toISOString() } },
      payload: found?.payload,
    });
  });

  it('given a redrive, then it stays; given an app that can read it, then its events are imported', async () => {
    const { desk, app, ids, names, rows } = await withBlob('no json');
    await takeUp(NAME, desk);
    const [id = ''] = await ids();

    expect(await redriveLetter(id, BY, desk)).toEqual({ kind: 'unreadable' });
    expect(await redriveLetter(id, { ...BY, isDryRun: true }, desk)).toEqual({ kind: 'unreadable' });
    expect(await names('undelivered')).toEqual([ASIDE]);

    await app.stores.undelivered.delete(ASIDE);
    await app.stores.undelivered.create(ASIDE, `[${event}]`);
    expect(await redriveLetter(id, BY, desk)).toEqual({ kind: 'taken-up', events: 1 });
    expect(rows()).toHaveLength(1);
    expect(await names('undelivered')).toEqual([`resolved/${ASIDE}`]);
  });
});
