import { jest } from '@jest/globals';
import { discardDeadLetter } from '../../src/dead-letters/discard.js';
import { idOfUndelivered } from '../../src/dead-letters/ids.js';
import { importUndelivered } from '../../src/dead-letters/import-undelivered.js';
import { countOutcomes, type RedriveOutcome } from '../../src/dead-letters/outcomes.js';
import { redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { StorageError } from '../../src/storage/table-store.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { fail, giveUp, openApp } from './open-app.js';

const BY = { by: 'somebody' };

/** Two pending dead letters of one event, and the outcome of the first. */
async function start() {
  const opened = openApp();
  await opened.die();
  const [id = ''] = await opened.ids();
  return { ...opened, id, outcome: (deadLetterId = id) => outcomeOf(opened, deadLetterId) };
}

async function outcomeOf({ deadLetterStores: stores }: ReturnType<typeof openApp>, id: string) {
  const counts = await countOutcomes([id], { stores });
  const outcomes = Object.entries(counts).filter(([, count]) => count === 1);
  expect(outcomes).toHaveLength(1);
  return outcomes[0]?.[0] as RedriveOutcome;
}

describe('when storage is busy', () => {
  it('given it refuses some reads, then their outcome is waiting, and the others are counted', async () => {
    const { deadLetterStores, id } = await start();
    const read = jest.fn(deadLetterStores.blobs.read).mockRejectedValueOnce(new StorageError('http-503', 'busy'));
    const stores = { ...deadLetterStores, blobs: { ...deadLetterStores.blobs, read } };

    const counts = await countOutcomes([id, id.replace(/0$/, '7')], { stores });

    expect(counts).toEqual({ resolved: 0, failedAgain: 0, waiting: 1, unknown: 1 });
  });

  it('given it refuses all reads, then the error is thrown', async () => {
    const { deadLetterStores, id } = await start();
    const read = () => Promise.reject(new StorageError('http-503', 'busy'));

    const stores = { ...deadLetterStores, blobs: { ...deadLetterStores.blobs, read } };

    const counts = countOutcomes([id, id.replace(/0$/, '7')], { stores });

    await expect(counts).rejects.toThrow('busy');
  });
});

describe('the outcome of the dead letter of a job', () => {
  it('given no redrive, then the outcome is waiting', async () => {
    const { outcome } = await start();

    expect(await outcome()).toBe('waiting');
  });

  it('given its redrive has not run, then the outcome is waiting; once the job is completed, it is resolved', async () => {
    const { deadLetterStores, id, outcome, runDueRows } = await start();
    await redriveDeadLetter(id, BY, deadLetterStores);
    const before = await outcome();

    await runDueRows();

    expect([before, await outcome()]).toEqual(['waiting', 'resolved']);
  });

  it('given the job waits for its next try, then the outcome is waiting, though the dead letter has moved', async () => {
    const { deadLetterStores, id, outcome, runDueRows, endsAs, ids, clock } = await start();
    endsAs(fail);
    await redriveDeadLetter(id, BY, deadLetterStores);
    await runDueRows();

    expect(await ids()).not.toContain(id);
    expect(await outcome()).toBe('waiting');

    endsAs(() => {});
    clock.advance(15_000);
    await runDueRows();
    expect(await outcome()).toBe('resolved');
  });

  it('given the job has failed again, then the outcome says so, until the new dead letter is redriven and resolved', async () => {
    const { deadLetterStores, id, outcome, runDueRows, endsAs, ids } = await start();
    endsAs(giveUp);
    await redriveDeadLetter(id, BY, deadLetterStores);
    await runDueRows();
    const newer = id.replace(/\.0$/, '.1');
    expect(await ids()).toContain(newer);
    const again = [await outcome(), await outcome(newer)];

    endsAs(() => {});
    await redriveDeadLetter(newer, BY, deadLetterStores);
    const underWay = [await outcome(), await outcome(newer)];
    await runDueRows();

    expect({ again, underWay }).toEqual({ again: ['failedAgain', 'waiting'], underWay: ['failedAgain', 'waiting'] });
    expect([await outcome(), await outcome(newer)]).toEqual(['resolved', 'resolved']);
  });

  it('given a person has discarded it, then it is resolved', async () => {
    const { deadLetterStores, id, outcome } = await start();
    await discardDeadLetter(id, { ...BY, why: 'a test' }, deadLetterStores);

    expect(await outcome()).toBe('resolved');
  });

  it('given it is in both places, then it is resolved (R6)', async () => {
    const { app, deadLetterStores, id, outcome } = await start();
    const name = `${id.replaceAll('.', '/').replace(/\/([^/]+)$/, '.$1')}.json`;
    const content = (await app.stores.deadLetters.read(`pending/${name}`)) ?? '';
    await discardDeadLetter(id, { ...BY, why: 'a test' }, deadLetterStores);
    await app.stores.deadLetters.create(`pending/${name}`, content);

    expect(await outcome()).toBe('resolved');
  });

  it('given the record has expired, then the outcome is resolved', async () => {
    const { app, deadLetterStores, id, outcome, runDueRows } = await start();
    await redriveDeadLetter(id, BY, deadLetterStores);
    await runDueRows();
    await app.stores.tables.drop('ledger20260101');

    expect(await outcome()).toBe('resolved');
  });

  it('given it moves between the reads, then the outcome is resolved', async () => {
    const { deadLetterStores, id, outcome, runDueRows } = await start();
    await redriveDeadLetter(id, BY, deadLetterStores);
    const { read } = deadLetterStores.blobs;
    let reads = 0;
    deadLetterStores.blobs.read = async (name, ...rest) => {
      reads += 1;
      if (reads === 2) {
        deadLetterStores.blobs.read = read;
        await runDueRows();
      }
      return read(name, ...rest);
    };

    expect(await outcome()).toBe('resolved');
  });

  it.each(['', 'no-id', 'failed.2026-01-01.aaaaaaaaaaaaaaaaaaaaaa.0', 'undelivered.YQ'])(
    "given no dead letter has the id '%s', then the outcome is unknown",
    async (id) => {
      const { outcome } = await start();

      expect(await outcome(id)).toBe('unknown');
    },
  );
});

describe('the outcome of the dead letter of an invalid event', () => {
  async function startInvalid() {
    const opened = openApp();
    await opened.deliver({ ...rawFhirEvent(), data: { some: 'thing' } });
    const [id = ''] = await opened.ids();
    return { ...opened, id, outcome: () => outcomeOf(opened, id) };
  }

  it('given its event is still invalid, then a redrive fails again', async () => {
    const { outcome } = await startInvalid();

    expect(await outcome()).toBe('failedAgain');
  });

  it('given a corrected payload that has not run, then it waits; once it has run, it is resolved', async () => {
    const { deadLetterStores, id, outcome, runDueRows } = await startInvalid();
    await redriveDeadLetter(id, { ...BY, event: rawFhirEvent() }, deadLetterStores);
    const before = await outcome();
    await runDueRows();

    expect([before, await outcome()]).toEqual(['waiting', 'resolved']);
  });

  it('given its workspace is listed now, then it waits; if it is not, a redrive fails again', async () => {
    const opened = openApp({
      WORKSPACES: '/subscriptions/1/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
    });
    await opened.deliver(rawFhirEvent());
    const ids = await opened.ids();
    const { deadLetterStores: stores } = opened;

    expect(await countOutcomes(ids, { stores })).toMatchObject({ waiting: 1 });
    expect(await countOutcomes(ids, { stores, workspaces: ['/other'] })).toMatchObject({ failedAgain: 1 });
  });
});

describe("the outcome of Event Grid's dead letters", () => {
  it('given one is to be imported, then it waits; once it is imported, it is resolved', async () => {
    const opened = openApp();
    const name = 'SUB/2026/1/1/0/a.json';
    await opened.app.stores.undelivered.create(name, JSON.stringify([rawFhirEvent()]));
    const before = await outcomeOf(opened, idOfUndelivered(name));
    await importUndelivered(name, opened.deadLetterStores);

    expect([before, await outcomeOf(opened, idOfUndelivered(name))]).toEqual(['waiting', 'resolved']);
  });
});

it('given 100 ids, then each takes at most two requests, and at most 8 run at once', async () => {
  const opened = openApp();
  for (let n = 0; n < 50; n += 1) await opened.die({ id: `event-${n}`, resourceId: `r-${n}` });
  const ids = await opened.ids();
  for (const id of ids.slice(0, 50)) await redriveDeadLetter(id, BY, opened.deadLetterStores);
  await opened.runDueRows();
  const seen = { all: 0, now: 0, most: 0 };
  const counted = <A extends unknown[], R>(call: (...all: A) => Promise<R>) => {
    return async (...all: A): Promise<R> => {
      seen.all += 1;
      seen.now += 1;
      seen.most = Math.max(seen.most, seen.now);
      await Promise.resolve();
      return call(...all).finally(() => {
        seen.now -= 1;
      });
    };
  };
  const { blobs, ledger, undelivered } = opened.deadLetterStores;
  const stores = {
    undelivered,
    blobs: { ...blobs, read: counted(blobs.read) },
    ledger: { read: counted(ledger.read) },
  };

  expect(await countOutcomes(ids, { stores })).toEqual({ resolved: 50, failedAgain: 0, waiting: 50, unknown: 0 });

  expect(seen).toMatchObject({ all: 200, most: 8 });
});
