import { discardLetter } from '../../src/dead-letters/discard.js';
import { redriveLetter } from '../../src/dead-letters/redrive.js';
import { showLetter } from '../../src/dead-letters/show.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { openDesk } from './desk.js';

const NOTE = { by: 'somebody', why: 'of a test' };
const NOTED = { ...NOTE, at: '2026-01-01T12:00:00.000Z' };

async function withLetter() {
  const desk = openDesk();
  await desk.die();
  const [id = ''] = await desk.ids({ workflow: 'one' });
  return { ...desk, id };
}

describe('when a letter is discarded', () => {
  it('given a job, then its letter is in resolved/ with a note, and the job stays dead', async () => {
    const { desk, id, ids, contentOf, records, names } = await withLetter();

    expect(await discardLetter(id, NOTE, desk)).toBe('discarded');

    expect(await ids()).toHaveLength(1);
    expect(await names()).toEqual(['pending/failed/2026-01-01/….0.json', 'resolved/failed/2026-01-01/….0.json']);
    expect(await contentOf('resolved/')).toMatchObject({ event: rawFhirEvent(), discarded: NOTED });
    expect(records()).toContainEqual(expect.objectContaining({ state: 'settled', result: 'dead' }));
  });

  it('given it was before, or never was, then it is gone, and the first note stands', async () => {
    const { desk, id, contentOf } = await withLetter();
    await discardLetter(id, NOTE, desk);

    expect(await discardLetter(id, { by: 'other', why: 'later' }, desk)).toBe('gone');
    expect(await discardLetter('nonsense', NOTE, desk)).toBe('gone');
    expect(await contentOf('resolved/')).toMatchObject({ discarded: NOTED });
  });

  it('given a dry run, then nothing has moved', async () => {
    const { desk, id, ids } = await withLetter();

    expect(await discardLetter(id, NOTE, desk, { isDryRun: true })).toBe('discarded');
    expect(await ids()).toHaveLength(2);
  });

  it('given somebody wants it all the same, then by its id it can be redriven', async () => {
    const { desk, id, runDueRows, runs } = await withLetter();
    await discardLetter(id, NOTE, desk);

    expect(await redriveLetter(id, NOTE, desk)).toMatchObject({ kind: 'asked' });
    await runDueRows();

    expect(runs).toHaveLength(3);
    expect(await redriveLetter(id, NOTE, desk)).toEqual({ kind: 'over' });
  });

  it('given a redrive of it is under way, then that goes on', async () => {
    const { desk, id, runDueRows, records, names } = await withLetter();
    await redriveLetter(id, NOTE, desk);
    await discardLetter(id, NOTE, desk);

    await runDueRows();

    expect(records()).toContainEqual(expect.objectContaining({ result: 'completed', redrives: 1 }));
    expect(await names()).toEqual(['pending/failed/2026-01-01/….0.json', 'resolved/failed/2026-01-01/….0.json']);
  });

  it.each([
    { given: 'events', content: [rawFhirEvent()], kept: [rawFhirEvent()] },
    { given: 'no JSON', content: 'no json', kept: 'no json' },
  ])('given one of Event Grid with $given, then it is in resolved/ with a note', async ({ content, kept }) => {
    const { desk, app, ids, contentOf, names } = openDesk();
    await app.stores.undelivered.create('A/x.json', typeof content === 'string' ? content : JSON.stringify(content));
    const [id = ''] = await ids();

    expect(await discardLetter(id, NOTE, desk, { isDryRun: true })).toBe('discarded');
    expect(await discardLetter(id, NOTE, desk)).toBe('discarded');

    expect(await names('undelivered')).toEqual(['resolved/A/x.json']);
    expect(await contentOf('resolved/', 'undelivered')).toEqual({ discarded: NOTED, content: kept });
    expect(await discardLetter(id, NOTE, desk)).toBe('gone');
    expect(await showLetter(id, desk)).toMatchObject({ shown: { isResolved: true, discarded: NOTED }, payload: kept });
  });

  it('given somebody wants one of Event Grid all the same, then by its id it is taken up, and the note stays', async () => {
    const { desk, app, ids, endsAs, runDueRows, runs, rows, names, contentOf } = openDesk();
    endsAs(() => {});
    await app.stores.undelivered.create('A/x.json', JSON.stringify([rawFhirEvent()]));
    const [id = ''] = await ids();
    await discardLetter(id, NOTE, desk);

    expect(await redriveLetter(id, { by: 'me', isDryRun: true }, desk)).toEqual({ kind: 'taken-up', events: 1 });
    expect(rows()).toEqual([]);
    for (let times = 0; times < 2; times += 1) {
      expect(await redriveLetter(id, NOTE, desk)).toEqual({ kind: 'taken-up', events: 1 });
      await runDueRows();
    }

    expect(runs).toHaveLength(2);
    expect(await names('undelivered')).toEqual(['resolved/A/x.json']);
    expect(await contentOf('resolved/', 'undelivered')).toMatchObject({ discarded: NOTED });
  });

  it('given a discarded one of Event Grid that is no list, then it is unreadable', async () => {
    const { desk, app, ids } = openDesk();
    await app.stores.undelivered.create('A/x.json', 'no json');
    const [id = ''] = await ids();
    await discardLetter(id, NOTE, desk);

    expect(await redriveLetter(id, NOTE, desk)).toEqual({ kind: 'unreadable' });
  });
});
