import { discardDeadLetter } from '../../src/dead-letters/discard.js';
import { redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { showDeadLetter } from '../../src/dead-letters/show.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openApp } from './open-app.js';

const NOTE = { by: 'somebody', why: 'of a test' };
const NOTED = { ...NOTE, at: '2026-01-01T12:00:00.000Z' };

async function withDeadLetter() {
  const opened = openApp();
  await opened.die();
  const [id = ''] = await opened.ids({ workflow: 'one' });
  return { ...opened, id };
}

describe('when a dead letter is discarded', () => {
  it('given a job, then its dead letter is in resolved/ with a note, and the job stays dead', async () => {
    const { deadLetterStores, id, ids, contentOf, records, names } = await withDeadLetter();

    expect(await discardDeadLetter(id, NOTE, deadLetterStores)).toBe('discarded');

    expect(await ids()).toHaveLength(1);
    expect(await names()).toEqual(['pending/failed/2026-01-01/….0.json', 'resolved/failed/2026-01-01/….0.json']);
    expect(await contentOf('resolved/')).toMatchObject({ event: rawFhirEvent(), discarded: NOTED });
    expect(records()).toContainEqual(expect.objectContaining({ state: 'settled', result: 'dead' }));
  });

  it('given it was discarded before, or never existed, then the outcome is gone, and the first note stays', async () => {
    const { deadLetterStores, id, contentOf } = await withDeadLetter();
    await discardDeadLetter(id, NOTE, deadLetterStores);

    expect(await discardDeadLetter(id, { by: 'other', why: 'later' }, deadLetterStores)).toBe('gone');
    expect(await discardDeadLetter('nonsense', NOTE, deadLetterStores)).toBe('gone');
    expect(await contentOf('resolved/')).toMatchObject({ discarded: NOTED });
  });

  it('given a dry run, then nothing has moved', async () => {
    const { deadLetterStores, id, ids } = await withDeadLetter();

    expect(await discardDeadLetter(id, { ...NOTE, isDryRun: true }, deadLetterStores)).toBe('discarded');
    expect(await ids()).toHaveLength(2);
  });

  it('given a discarded dead letter, then it can be redriven by its id', async () => {
    const { deadLetterStores, id, runDueRows, runs } = await withDeadLetter();
    await discardDeadLetter(id, NOTE, deadLetterStores);

    expect(await redriveDeadLetter(id, NOTE, deadLetterStores)).toMatchObject({ kind: 'asked' });
    await runDueRows();

    expect(runs).toHaveLength(3);
    expect(await redriveDeadLetter(id, NOTE, deadLetterStores)).toEqual({ kind: 'over' });
  });

  it('given a redrive of it is under way, then the redrive goes on', async () => {
    const { deadLetterStores, id, runDueRows, records, names } = await withDeadLetter();
    await redriveDeadLetter(id, NOTE, deadLetterStores);
    await discardDeadLetter(id, NOTE, deadLetterStores);

    await runDueRows();

    expect(records()).toContainEqual(expect.objectContaining({ result: 'completed', redrives: 1 }));
    expect(await names()).toEqual(['pending/failed/2026-01-01/….0.json', 'resolved/failed/2026-01-01/….0.json']);
  });

  it.each([
    { given: 'events', content: [rawFhirEvent()], kept: [rawFhirEvent()] },
    { given: 'no JSON', content: 'no json', kept: 'no json' },
  ])(
    'given a dead letter of Event Grid with $given, then it is in resolved/ with a note',
    async ({ content, kept }) => {
      const { deadLetterStores, app, ids, contentOf, names } = openApp();
      await app.stores.undelivered.create('A/x.json', typeof content === 'string' ? content : JSON.stringify(content));
      const [id = ''] = await ids();

      expect(await discardDeadLetter(id, { ...NOTE, isDryRun: true }, deadLetterStores)).toBe('discarded');
      expect(await discardDeadLetter(id, NOTE, deadLetterStores)).toBe('discarded');

      expect(await names('undelivered')).toEqual(['resolved/A/x.json']);
      expect(await contentOf('resolved/', 'undelivered')).toEqual({ discarded: NOTED, content: kept });
      expect(await discardDeadLetter(id, NOTE, deadLetterStores)).toBe('gone');
      expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({
        shown: { isResolved: true, discarded: NOTED },
        payload: kept,
      });
    },
  );

  it('given a discarded blob of Event Grid, then it can be imported by its id, and the note stays', async () => {
    const { deadLetterStores, app, ids, endsAs, runDueRows, runs, rows, names, contentOf } = openApp();
    endsAs(() => {});
    await app.stores.undelivered.create('A/x.json', JSON.stringify([rawFhirEvent()]));
    const [id = ''] = await ids();
    await discardDeadLetter(id, NOTE, deadLetterStores);

    expect(await redriveDeadLetter(id, { by: 'me', isDryRun: true }, deadLetterStores)).toEqual({
      kind: 'taken-up',
      events: 1,
    });
    expect(rows()).toEqual([]);
    for (let times = 0; times < 2; times += 1) {
      expect(await redriveDeadLetter(id, NOTE, deadLetterStores)).toEqual({ kind: 'taken-up', events: 1 });
      await runDueRows();
    }

    expect(runs).toHaveLength(2);
    expect(await names('undelivered')).toEqual(['resolved/A/x.json']);
    expect(await contentOf('resolved/', 'undelivered')).toMatchObject({ discarded: NOTED });
  });

  it('given a discarded blob of Event Grid that is no list, then it is unreadable', async () => {
    const { deadLetterStores, app, ids } = openApp();
    await app.stores.undelivered.create('A/x.json', 'no json');
    const [id = ''] = await ids();
    await discardDeadLetter(id, NOTE, deadLetterStores);

    expect(await redriveDeadLetter(id, NOTE, deadLetterStores)).toEqual({ kind: 'unreadable' });
  });
});
