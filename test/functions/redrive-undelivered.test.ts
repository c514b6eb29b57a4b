import { registerRedriveUndelivered } from '../../src/functions/redrive-undelivered.js';
import { StorageError } from '../../src/storage/table-store.js';
import { openApp } from '../dead-letters/open-app.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';

async function start({ env = {}, blobs = [[rawFhirEvent()]] as unknown[] } = {}) {
  const functions = createFakeFunctions();
  const opened = openApp(env);
  opened.endsAs(() => {});
  registerRedriveUndelivered(functions.app, opened.app);
  for (const [at, content] of blobs.entries()) {
    await opened.app.stores.undelivered.create(
      `A/${at}.json`,
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
  return { ...opened, functions, tick: () => functions.call('redriveUndelivered') };
}

describe('when the timer redriveUndelivered runs', () => {
  it('given undelivered events, then they are imported, and the log has their number', async () => {
    const { functions, tick, runDueRows, runs, names, lines } = await start();

    await tick();
    await runDueRows();
    await tick();

    expect(functions.optionsOf('redriveUndelivered')).toMatchObject({ schedule: '30 * * * * *' });
    expect(runs).toHaveLength(2);
    expect(await names('undelivered')).toEqual(['resolved/A/0.json']);
    expect(lines).toEqual(['info {"what":"undelivered-taken-up","numbers":{"blobs":1,"events":1}}']);
  });

  it('given an unreadable blob, then the log says so once, and the blob moves to unreadable/', async () => {
    const { tick, names, lines } = await start({ blobs: ['secret-marker'] });

    await tick();
    await tick();

    expect(lines).toEqual(['error {"what":"undelivered-unreadable","count":1}']);
    expect(await names('undelivered')).toEqual(['unreadable/A/0.json']);
  });

  it('given a blob that storage does not return, then the log says so, and the blob stays', async () => {
    const { app, tick, names, lines } = await start();
    Object.assign(app.stores.undelivered, { readText: () => Promise.reject(new StorageError('http-409', 'No.')) });

    await tick();

    expect(lines).toEqual(['error {"what":"undelivered-left","count":1}']);
    expect(await names('undelivered')).toEqual(['A/0.json']);
  });

  it('given a part of storage that does not answer, then nothing is imported', async () => {
    const { app, tick, names } = await start();
    Object.assign(app.stores.due, { length: () => Promise.reject(new StorageError('http-503', 'No.')) });

    await tick();

    expect(await names('undelivered')).toEqual(['A/0.json']);
  });

  it.each([
    { waiting: 9999, left: 'resolved/A/0.json' },
    { waiting: 10_000, left: 'A/0.json' },
  ])('given $waiting rows that wait, then $left', async ({ waiting, left }) => {
    const { app, tick, names } = await start();
    const row = {
      dueAt: new Date('2026-01-02T00:00:00.000Z'),
      isLong: false,
      event: '{}',
      item: { kind: 'delivery', eventIdDigest: 'AAAAAAAAAAAAAAAAAAAAAA' },
    } as const;
    await Promise.all(Array.from({ length: waiting }, () => app.waiting.add(row, 60_000)));

    await tick();

    expect(await names('undelivered')).toEqual([left]);
  });

  it('given the account of undelivered events fails, then the code is logged, and the timer continues', async () => {
    const { app, tick, lines } = await start();
    Object.assign(app.stores.undelivered, { list: () => Promise.reject(new StorageError('forbidden', 'No.')) });

    await tick();

    expect(lines).toEqual(['error {"what":"undelivered-failed","errorCode":"forbidden"}']);
  });

  it('given the setting is off, then there is no such timer', async () => {
    const { functions } = await start({ env: { REDRIVE_UNDELIVERED: 'off' } });

    expect(functions.names()).toEqual([]);
  });
});
