import { importAllUndelivered, importUndelivered } from '../../src/dead-letters/import-undelivered.js';
import { redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { StorageError } from '../../src/storage/table-store.js';
import { rawDicomEvent, rawFhirEvent } from '../testing/raw-events.js';
import { openApp } from './open-app.js';

const NAME = 'A/2026/1/1/12/x.json';
const healthy = async () => true;
const ARCHIVED = new StorageError('http-409', 'No.');

async function withBlob(content: unknown, name = NAME) {
  const opened = openApp();
  opened.endsAs(() => {});
  await opened.app.stores.undelivered.create(name, typeof content === 'string' ? content : JSON.stringify(content));
  return opened;
}

describe('when an undelivered blob is imported', () => {
  it('given events of both schemas, then each runs as if it had been delivered, and the blob has moved', async () => {
    const fhir = { ...rawFhirEvent(), deadLetterReason: 'TimeToLiveExceeded', deliveryAttempts: 30 };
    const dicom = { ...rawDicomEvent(), deadletterreason: 'TimeToLiveExceeded', deliveryattempts: 30 };
    const { deadLetterStores, runDueRows, runs, rows, names } = await withBlob([fhir, dicom]);

    expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'taken-up', events: 2 });
    expect(rows().map(({ row }) => JSON.parse(String(row.event)))).toEqual(
      expect.arrayContaining([rawFhirEvent(), rawDicomEvent()]),
    );
    await runDueRows();

    expect(runs).toEqual(['one patient-1', 'two patient-1']);
    expect(rows()).toEqual([]);
    expect(await names('undelivered')).toEqual([`resolved/${NAME}`]);
  });

  it('given its events were delivered as well, then nothing runs again', async () => {
    const { deadLetterStores, deliver, runDueRows, runs } = await withBlob([rawFhirEvent()]);
    await deliver(rawFhirEvent());

    await importUndelivered(NAME, deadLetterStores);
    await runDueRows();

    expect(runs).toHaveLength(2);
  });

  it('given one of its events is invalid, then that event gets a dead letter, and the others run', async () => {
    const { deadLetterStores, runDueRows, runs, names } = await withBlob([
      'text',
      null,
      { id: 'none', deliveryAttempts: 3 },
      rawFhirEvent(),
    ]);

    await importUndelivered(NAME, deadLetterStores);
    await runDueRows();

    expect(runs).toHaveLength(2);
    expect(await names()).toEqual(Array(3).fill('pending/invalid/undated/….0.json'));
  });

  it('given an event that no row can hold, then it gets the dead letter that its delivery would make', async () => {
    const large = { ...rawFhirEvent(), more: 'x'.repeat(40_000) };
    const { deadLetterStores, rows, letters, names } = await withBlob([large]);

    await importUndelivered(NAME, deadLetterStores);

    expect(rows()).toEqual([]);
    expect(await letters()).toMatchObject([{ stage: 'invalid', reason: 'too-large', eventId: 'event-1' }]);
    const delivered = openApp();
    await delivered.deliver(large);
    expect(await delivered.names()).toEqual(await names());
  });

  it('given 1,200 events, then 1,200 rows are written', async () => {
    const events = Array.from({ length: 1200 }, (_, n) => rawFhirEvent({ id: `event-${n}` }));
    const { deadLetterStores, rows } = await withBlob(events);

    expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'taken-up', events: 1200 });
    expect(rows()).toHaveLength(1200);
  });

  it('given an event nested deeper than JSON.stringify can write, then it is imported as any other', async () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const event = JSON.stringify(rawFhirEvent()).replace('{', `{"more":${deep},`);
    const { deadLetterStores, rows, letters, runDueRows, runs } = await withBlob(`[{"none":${deep}},${event}]`);

    expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'taken-up', events: 2 });
    expect(rows().map(({ row }) => String(row.event).includes(deep))).toEqual([true]);
    expect(await letters()).toMatchObject([{ stage: 'invalid', events: 1 }]);
    await runDueRows();

    expect(runs).toHaveLength(2);
    expect(rows()).toEqual([]);
  });

  it('given 100,000 times the same invalid event and a valid one, then one dead letter and one row are written', async () => {
    const blob = `[${'{},'.repeat(100_000)}${JSON.stringify(rawFhirEvent())}]`;
    const { deadLetterStores, rows, letters } = await withBlob(blob);

    expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'taken-up', events: 100_001 });

    expect(rows()).toHaveLength(1);
    expect(await letters()).toMatchObject([{ stage: 'invalid', events: 1 }]);
  });

  it('given 5,001 invalid events, then they share two dead letters, whose names are the same at a second import', async () => {
    const events = Array.from({ length: 5001 }, (_, n) => ({ id: `event-${n}` }));
    const { deadLetterStores, rows, letters, names, app } = await withBlob(events);
    await importUndelivered(NAME, deadLetterStores);
    const before = await names();
    await app.stores.undelivered.delete(`resolved/${NAME}`);
    await app.stores.undelivered.create(NAME, JSON.stringify(events));

    await importUndelivered(NAME, deadLetterStores);

    expect(rows()).toEqual([]);
    expect((await letters()).map((letter) => letter.events).sort()).toEqual([1, 5000]);
    expect(await names()).toEqual(before);
  });

  it('given it is already in resolved/, then no row is added, and the move is completed', async () => {
    const { deadLetterStores, app, rows, names } = await withBlob([rawFhirEvent()]);
    await app.stores.undelivered.create(`resolved/${NAME}`, '[]');

    expect(await importUndelivered(NAME, deadLetterStores)).toEqual({ kind: 'gone' });
    expect(rows()).toEqual([]);
    expect(await names('undelivered')).toEqual([`resolved/${NAME}`]);
  });

  it('given its id, then it is imported; a dry run returns the number of its events', async () => {
    const { deadLetterStores, ids, rows } = await withBlob([rawFhirEvent()]);
    const [id = ''] = await ids();

    expect(await redriveDeadLetter(id, { by: 'me', isDryRun: true }, deadLetterStores)).toEqual({
      kind: 'taken-up',
      events: 1,
    });
    expect(rows()).toEqual([]);
    expect(await redriveDeadLetter(id, { by: 'me', event: {} }, deadLetterStores)).toEqual({ kind: 'not-editable' });
    expect(await redriveDeadLetter(id, { by: 'me' }, deadLetterStores)).toEqual({ kind: 'taken-up', events: 1 });
    expect(await redriveDeadLetter(id, { by: 'me' }, deadLetterStores)).toEqual({ kind: 'gone' });
  });
});

describe('when all undelivered blobs are imported', () => {
  it('given an app that is not healthy, then nothing is imported; given no blob, then the health is not checked', async () => {
    const { deadLetterStores, names } = await withBlob([rawFhirEvent()]);
    let asked = 0;
    const ill = async () => {
      asked += 1;
      return false;
    };

    expect(await importAllUndelivered(deadLetterStores, ill)).toEqual({
      blobs: 0,
      events: 0,
      unreadable: 0,
      failed: 0,
    });
    expect(await names('undelivered')).toEqual([NAME]);
    await importAllUndelivered(openApp().deadLetterStores, ill);
    expect(asked).toBe(1);
  });

  it('given several blobs, then the oldest are imported first, whatever their names, up to the limit of events', async () => {
    const { deadLetterStores, app, clock, names } = await withBlob('[]', 'A/2026/1/1/9/0.json');
    const some = (from: number) => Array.from({ length: 2500 }, (_, n) => ({ id: `${from}-${n}` }));
    for (const [at, name] of ['A/2026/1/1/10/1.json', 'A/2026/1/1/2/2.json', 'A/2026/1/1/1/3.json'].entries()) {
      clock.advance(60_000);
      await app.stores.undelivered.create(name, JSON.stringify(some(at)));
    }

    expect(await importAllUndelivered(deadLetterStores, healthy)).toEqual({
      blobs: 3,
      events: 5000,
      unreadable: 0,
      failed: 0,
    });
    expect((await names('undelivered')).filter((name) => !name.startsWith('resolved/'))).toEqual([
      'A/2026/1/1/1/3.json',
    ]);
    expect(await importAllUndelivered(deadLetterStores, healthy)).toEqual({
      blobs: 1,
      events: 2500,
      unreadable: 0,
      failed: 0,
    });
  });

  it('given a blob whose content storage refuses, then newer blobs are imported', async () => {
    const { deadLetterStores, app, clock, names } = await withBlob('[]', 'A/0.json');
    clock.advance(60_000);
    await app.stores.undelivered.create('A/1.json', JSON.stringify([rawFhirEvent()]));
    const { readText } = app.stores.undelivered;
    const refuse = (name: string, max: number) =>
      name === 'A/0.json' ? Promise.reject(ARCHIVED) : readText(name, max);
    Object.assign(app.stores.undelivered, { readText: refuse });

    expect(await importAllUndelivered(deadLetterStores, healthy)).toEqual({
      blobs: 1,
      events: 1,
      unreadable: 0,
      failed: 1,
    });
    expect(await names('undelivered')).toEqual(['A/0.json', 'resolved/A/1.json']);
  });

  it('given storage refuses several in a row, then the import ends', async () => {
    const { deadLetterStores, app } = await withBlob('[]', 'A/0.json');
    for (const name of ['A/1.json', 'A/2.json', 'A/3.json']) await app.stores.undelivered.create(name, '[]');
    let asked = 0;
    const refuse = () => {
      asked += 1;
      return Promise.reject(ARCHIVED);
    };
    Object.assign(app.stores.undelivered, { readText: refuse });

    await expect(importAllUndelivered(deadLetterStores, healthy)).rejects.toBe(ARCHIVED);
    expect(asked).toBe(3);
  });

  it('given more unreadable blobs than names in memory, then the blobs after them are imported', async () => {
    const { deadLetterStores, app, clock } = await withBlob('no json', 'B.json');
    for (let n = 0; n < 1000; n += 1) await app.stores.undelivered.create(`A/${n}.json`, 'no json');
    clock.advance(60_000);
    await app.stores.undelivered.create('A.json', JSON.stringify([rawFhirEvent()]));

    expect(await importAllUndelivered(deadLetterStores, healthy)).toEqual({
      blobs: 1,
      events: 1,
      unreadable: 1001,
      failed: 0,
    });
  });

  it('given an unreadable blob, then it moves to unreadable/ and stays there, and the others are imported', async () => {
    const { deadLetterStores, app, names } = await withBlob('no json', 'A/0.json');
    await app.stores.undelivered.create('A/1.json', JSON.stringify([rawFhirEvent()]));

    expect(await importAllUndelivered(deadLetterStores, healthy)).toEqual({
      blobs: 1,
      events: 1,
      unreadable: 1,
      failed: 0,
    });
    expect(await names('undelivered')).toEqual(['resolved/A/1.json', 'unreadable/A/0.json']);
    expect(await importAllUndelivered(deadLetterStores, healthy)).toEqual({
      blobs: 0,
      events: 0,
      unreadable: 0,
      failed: 0,
    });
  });
});
