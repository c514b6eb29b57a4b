import type { ListedDeadLetter } from '../../src/dead-letters/listed.js';
import { type RedriveOptions, redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { obstacleTo, outcomeOf } from '../../src/dead-letters/redrive-result.js';
import { showDeadLetter } from '../../src/dead-letters/show.js';
import { digest } from '../../src/digest.js';
import type { JobRecord } from '../../src/storage/ledger.js';
import { recordOf } from '../storage/ledger.contract.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { fail, giveUp, openApp } from './open-app.js';

const BY = { by: 'somebody' };

/** An app with the dead letter of workflow `one`, and its redrive. */
async function withDeadLetter() {
  const opened = openApp();
  await opened.die();
  const [letter] = await opened.letters({ workflow: 'one' });
  const { id } = letter as ListedDeadLetter;
  const redrive = (options: Partial<RedriveOptions> = {}) =>
    redriveDeadLetter(id, { ...BY, ...options }, opened.deadLetterStores);
  return { ...opened, id, redrive };
}

describe('the redrive of a dead job', () => {
  it('given it succeeds, then only that workflow runs again, the dead letter has moved, and the outcome is completed', async () => {
    const { redrive, runDueRows, runs, names, records } = await withDeadLetter();

    const redriven = await redrive();
    await runDueRows();

    expect(redriven.kind === 'asked' && (await redriven.readOutcome())).toBe('completed');
    expect(runs).toEqual(['one patient-1', 'two patient-1', 'one patient-1']);
    expect(await names()).toEqual(['pending/failed/2026-01-01/….0.json', 'resolved/failed/2026-01-01/….0.json']);
    expect(records()).toContainEqual(expect.objectContaining({ result: 'completed', redrives: 1 }));
  });

  it('given the job fails once, then the outcome is failing; given it fails for good, then dead, with a dead letter of the next number', async () => {
    const { redrive, runDueRows, endsAs, clock, names } = await withDeadLetter();
    const redriven = await redrive();
    const readOutcome = redriven.kind === 'asked' ? redriven.readOutcome : undefined;
    expect(await readOutcome?.()).toBe('open');

    endsAs(fail);
    await runDueRows();
    expect(await readOutcome?.()).toBe('failing');

    endsAs(giveUp);
    clock.advance(15_000);
    await runDueRows();
    expect(await readOutcome?.()).toBe('dead');
    expect(await names()).toEqual([
      'pending/failed/2026-01-01/….0.json',
      'pending/failed/2026-01-01/….1.json',
      'resolved/failed/2026-01-01/….0.json',
    ]);
  });

  it('given it was requested before, then the second request changes nothing, before the first has run and after', async () => {
    const { redrive, runDueRows, runs, rows } = await withDeadLetter();

    await redrive();
    await redrive();
    await runDueRows();
    await runDueRows();

    expect(await redrive()).toEqual({ kind: 'gone' });
    expect(runs).toHaveLength(3);
    expect(rows()).toEqual([]);
  });

  it('given it failed three times before, then it is redriven only with force', async () => {
    const { die, deadLetterStores, letters, endsAs, runDueRows, rows } = openApp();
    await die();
    endsAs(giveUp);
    const newest = async () => (await letters({ workflow: 'one' })).at(-1)?.id ?? '';
    for (let n = 0; n < 3; n += 1) {
      expect(await redriveDeadLetter(await newest(), BY, deadLetterStores)).toMatchObject({ kind: 'asked' });
      await runDueRows();
    }

    const id = await newest();
    expect(id).toMatch(/\.3$/);
    expect(await redriveDeadLetter(id, BY, deadLetterStores)).toEqual({ kind: 'too-often' });
    expect(rows()).toEqual([]);
    expect(await redriveDeadLetter(id, { ...BY, isForced: true }, deadLetterStores)).toMatchObject({ kind: 'asked' });
  });

  it('given a dry run, then the report is the same, and nothing changes', async () => {
    const { redrive, rows, names } = await withDeadLetter();
    const before = await names();

    expect(await redrive({ isDryRun: true, event: rawFhirEvent() })).toMatchObject({ kind: 'asked' });

    expect(rows()).toEqual([]);
    expect(await names()).toEqual(before);
  });

  it('given a long job, then its row is in the queue of long jobs', async () => {
    const { deadLetterStores, app, id } = await withDeadLetter();
    const name = `pending/${id.replace('.', '/').replace('.', '/')}.json`;
    const letter = JSON.parse((await app.stores.deadLetters.read(name)) ?? '');
    await app.stores.deadLetters.delete(name);
    await app.stores.deadLetters.create(name, JSON.stringify({ ...letter, isLong: true }));

    await redriveDeadLetter(id, BY, deadLetterStores);

    expect((await app.waiting.find(digest(letter.event.id)))[0]).toMatchObject({ isLong: true });
  });
});

describe('the redrive of a corrected payload', () => {
  const corrected = rawFhirEvent({ resourceId: 'corrected' });

  it('given it succeeds, then the corrected event has run as the same job, and record and dead letter lead to both', async () => {
    const { redrive, runDueRows, runs, names, records, contentOf, id, deadLetterStores } = await withDeadLetter();

    await redrive({ event: corrected });
    await runDueRows();

    expect(runs).toEqual(['one patient-1', 'two patient-1', 'one corrected']);
    expect(await names()).toEqual([
      'edited/2026-01-01/….1.….json',
      'pending/failed/2026-01-01/….0.json',
      'resolved/failed/2026-01-01/….0.json',
    ]);
    const edit = await contentOf('edited/');
    expect(edit).toEqual({
      letter: expect.stringMatching(/^failed\/2026-01-01\/[\w-]{22}\.0\.json$/),
      by: 'somebody',
      at: '2026-01-01T12:00:00.000Z',
      event: corrected,
    });
    const record = records().find(({ result }) => result === 'completed');
    const shown = await showDeadLetter(id, deadLetterStores);
    expect(shown?.payload).toEqual(rawFhirEvent());
    expect(shown?.shown.edits).toEqual([expect.stringContaining(`.1.${record?.edit}.json`)]);
  });

  it('given it fails for good, then the next dead letter holds the correction, which its redrive runs again', async () => {
    const { redrive, runDueRows, endsAs, records, letters, deadLetterStores, app } = await withDeadLetter();
    endsAs(giveUp);
    await redrive({ event: corrected });
    await runDueRows();
    const next = (await letters({ workflow: 'one' })).find(({ redrives }) => redrives === 1)?.id ?? '';
    const edit = records().find(({ redrives }) => redrives === 1)?.edit;
    const content = await app.stores.deadLetters.read(`pending/${next.replace('.', '/').replace('.', '/')}.json`);
    expect(JSON.parse(content ?? '')).toMatchObject({ event: corrected, edit: expect.stringMatching(/^[\w-]{22}$/) });

    endsAs(() => {});
    await redriveDeadLetter(next, BY, deadLetterStores);
    await runDueRows();

    expect(records().find(({ redrives }) => redrives === 2)).toMatchObject({ result: 'completed', edit });
  });

  it('given the payload is no event, another event, or too large, then nothing happens', async () => {
    const { redrive, names, rows } = await withDeadLetter();
    const before = await names();

    expect(await redrive({ event: { id: 'e' }, isForced: true })).toMatchObject({ kind: 'not-an-event' });
    expect(await redrive({ event: rawFhirEvent({ id: 'event-2' }) })).toEqual({ kind: 'another-event' });
    expect(await redrive({ event: { ...corrected, more: 'x'.repeat(40_000) } })).toEqual({ kind: 'too-large' });

    expect(rows()).toEqual([]);
    expect(await names()).toEqual(before);
  });
});

describe('the redrive of an invalid event', () => {
  async function withInvalid(event: unknown, env = {}) {
    const opened = openApp(env);
    await opened.deliver(event);
    opened.endsAs(() => {});
    const [id = ''] = await opened.ids();
    return {
      ...opened,
      id,
      redrive: (options = {}) => redriveDeadLetter(id, { ...BY, ...options }, opened.deadLetterStores),
    };
  }

  it('given the event is still invalid, then its dead letter stays; with force it is redriven', async () => {
    const { redrive, runDueRows, names, rows } = await withInvalid({ id: 'none' });

    expect(await redrive()).toMatchObject({
      kind: 'not-an-event',
      problems: expect.arrayContaining([{ path: 'eventType', code: 'missing' }]),
    });
    expect(rows()).toEqual([]);
    const redriven = await redrive({ isForced: true });
    await runDueRows();

    expect(redriven.kind === 'asked' && (await redriven.readOutcome())).toBe('invalid-again');
    expect(await names()).toEqual(['pending/invalid/undated/….0.json']);
    expect(rows()).toEqual([]);
  });

  it('given a correction, then the event is delivered as a new event, and the dead letter has moved', async () => {
    const { redrive, runDueRows, names, runs } = await withInvalid({ id: 'none' });

    const redriven = await redrive({ event: rawFhirEvent() });
    expect(redriven.kind === 'asked' && (await redriven.readOutcome())).toBe('open');
    await runDueRows();

    expect(redriven.kind === 'asked' && (await redriven.readOutcome())).toBe('taken-in');
    expect(runs).toEqual(['one patient-1', 'two patient-1']);
    expect(await names()).toEqual(['edited/undated/….1.….json', 'resolved/invalid/undated/….0.json']);
  });

  it('given its workspace is not listed, then its dead letter stays; given it is listed by then, then the event runs', async () => {
    const workspace = rawFhirEvent().topic;
    const { redrive, runDueRows, names, app, stores } = await withInvalid(rawFhirEvent(), {
      WORKSPACES: '/subscriptions/another',
    });
    await redrive();
    await runDueRows();
    expect(await names()).toEqual(['pending/invalid/2026-01-01/….0.json']);

    const listed = openApp({ WORKSPACES: workspace });
    await redrive();
    const [row] = stores.tables.inspect('waiting');
    const [name = ''] = (await app.stores.deadLetters.list('pending/', { limit: 1 })).blobs.map((blob) => blob.name);
    await listed.app.stores.deadLetters.create(name, (await app.stores.deadLetters.read(name)) ?? '');
    listed.endsAs(() => {});
    await listed.app.waiting.add(
      {
        dueAt: listed.clock.now(),
        isLong: false,
        event: String(row?.row.event),
        item: { kind: 'delivery', eventIdDigest: String(row?.row.idDigest), deadLetter: String(row?.row.letter) },
      },
      10_000,
    );
    await listed.runDueRows();

    expect(await listed.names()).toEqual(['resolved/invalid/2026-01-01/….0.json']);
    expect(listed.runs).toHaveLength(2);
  });

  it('given it is larger than a row can hold, then it must be corrected', async () => {
    const { redrive, rows } = await withInvalid({ ...rawFhirEvent(), more: 'x'.repeat(40_000) });

    expect(await redrive()).toEqual({ kind: 'too-large' });
    expect(rows()).toEqual([]);
  });
});

describe('the redrive of a dead letter that does not exist or cannot be read', () => {
  it.each(['', 'nonsense', `failed.2026-01-01.${'d'.repeat(22)}.0`, 'undelivered.QQ'])(
    "given the id '%s', then the outcome is gone",
    async (id) => {
      expect(await redriveDeadLetter(id, BY, openApp().deadLetterStores)).toEqual({ kind: 'gone' });
    },
  );

  it('given a blob that is not a dead letter, then it is unreadable', async () => {
    const { deadLetterStores, app } = openApp();
    await app.stores.deadLetters.create(`pending/failed/2026-01-01/${'d'.repeat(22)}.0.json`, '{}');

    expect(await redriveDeadLetter(`failed.2026-01-01.${'d'.repeat(22)}.0`, BY, deadLetterStores)).toEqual({
      kind: 'unreadable',
    });
  });

  it.each([
    { given: 'an address that is none', change: { address: 'nonsense' } },
    { given: 'a number for an address', change: { address: 7 } },
    { given: 'no address', change: { address: undefined } },
    { given: 'another number of redrives', change: { redrives: 1 } },
    { given: 'no number of redrives', change: { redrives: 'many' } },
    {
      given: 'the address of another job',
      change: { address: `20260101.${'a'.repeat(22)}.${'b'.repeat(22)}.one` },
    },
  ])('given a dead letter with $given, then it is unreadable, and no row is added', async ({ change }) => {
    const { redrive, app, id, rows } = await withDeadLetter();
    const name = `pending/${id.replace('.', '/').replace('.', '/')}.json`;
    const letter = JSON.parse((await app.stores.deadLetters.read(name)) ?? '');
    await app.stores.deadLetters.delete(name);
    await app.stores.deadLetters.create(name, JSON.stringify({ ...letter, ...change }));

    expect(await redrive()).toEqual({ kind: 'unreadable' });
    expect(rows()).toEqual([]);
  });

  it('given a dead letter of an invalid event with an address, then it is unreadable', async () => {
    const { deadLetterStores, app } = openApp();
    const letter = { reason: 'invalid', error: { code: 'invalid' }, event: rawFhirEvent(), address: 'nonsense' };
    await app.stores.deadLetters.create(`pending/invalid/undated/${'d'.repeat(22)}.0.json`, JSON.stringify(letter));

    expect(await redriveDeadLetter(`invalid.undated.${'d'.repeat(22)}.0`, BY, deadLetterStores)).toEqual({
      kind: 'unreadable',
    });
  });
});

const RECORD = recordOf({ state: { kind: 'settled', result: 'dead' }, tries: 1 });

describe('the obstacle to a redrive', () => {
  it.each<{ given: string; record: JobRecord | undefined; then: string | undefined }>([
    { given: 'the job is dead', record: RECORD, then: undefined },
    { given: 'its record has expired', record: undefined, then: undefined },
    { given: 'it has died once more since', record: { ...RECORD, redrives: 2 }, then: 'over' },
    { given: 'it is completed', record: { ...RECORD, state: { kind: 'settled', result: 'completed' } }, then: 'over' },
    {
      given: 'it is superseded',
      record: { ...RECORD, state: { kind: 'settled', result: 'superseded' } },
      then: 'over',
    },
    { given: 'it runs', record: { ...RECORD, state: { kind: 'running', leaseMs: 1 } }, then: 'under-way' },
    { given: 'it waits', record: { ...RECORD, state: { kind: 'waiting', due: 'row' } }, then: 'under-way' },
    {
      given: 'its dead letter is being written',
      record: { ...RECORD, state: { kind: 'running', leaseMs: 1, failing: 'failed' } },
      then: 'under-way',
    },
    { given: 'a later app has it', record: { ...RECORD, state: { kind: 'unknown', name: 'x' } }, then: 'under-way' },
  ])('given $given, then $then', ({ record, then }) => {
    expect(obstacleTo({ redrives: 1 }, record)).toBe(then);
  });
});

describe('the outcome of redrive 2', () => {
  const waiting = { kind: 'waiting', due: 'row' } as const;
  it.each<{ given: string; record: JobRecord | undefined; then: string }>([
    { given: 'no record', record: undefined, then: 'open' },
    { given: 'the one before is dead', record: { ...RECORD, redrives: 1 }, then: 'open' },
    { given: 'it is dead', record: { ...RECORD, redrives: 2 }, then: 'dead' },
    {
      given: 'it is completed',
      record: { ...RECORD, redrives: 2, state: { kind: 'settled', result: 'completed' } },
      then: 'completed',
    },
    { given: 'it runs', record: { ...RECORD, redrives: 2, state: { kind: 'running', leaseMs: 1 } }, then: 'picked-up' },
    {
      given: 'it waits after an error',
      record: { ...RECORD, redrives: 2, state: waiting, errorCode: 'down' },
      then: 'failing',
    },
    {
      given: 'its circuit is open',
      record: { ...RECORD, redrives: 2, state: waiting, errorCode: 'circuit-open' },
      then: 'failing',
    },
    {
      given: 'its resource is busy',
      record: { ...RECORD, redrives: 2, state: waiting, errorCode: 'resource-busy' },
      then: 'picked-up',
    },
    { given: 'a later redrive is dead', record: { ...RECORD, redrives: 3 }, then: 'dead' },
  ])('given $given, then $then', ({ record, then }) => {
    expect(outcomeOf(record, 2)).toBe(then);
  });
});
