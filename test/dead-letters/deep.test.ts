import { discardLetter } from '../../src/dead-letters/discard.js';
import { redriveLetter } from '../../src/dead-letters/redrive.js';
import { showLetter } from '../../src/dead-letters/show.js';
import { toJson } from '../../src/json-text.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { giveUp, openDesk } from './desk.js';

/** More levels than JSON.stringify can write. */
const DEEP = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
const BY = { by: 'me' };
const NOTE = { by: 'me', why: 'enough' };
const deepEvent = (): object => ({ ...rawFhirEvent(), more: JSON.parse(DEEP) });
const invalidEvent = (): object => ({ none: JSON.parse(DEEP) });

describe('when a dead letter is nested deeper than JSON.stringify can write', () => {
  it.each([
    { given: 'a job', raw: deepEvent },
    { given: 'an invalid event', raw: invalidEvent },
  ])('given $given, then it is listed, shown, discarded, and redriven after that', async ({ raw }) => {
    const { desk, deliver, endsAs, ids, rows } = openDesk();
    endsAs(giveUp);
    await deliver(raw());
    const [id = ''] = await ids();

    expect(toJson((await showLetter(id, desk))?.payload) === toJson(raw())).toBe(true);
    expect(await discardLetter(id, NOTE, desk)).toBe('discarded');
    expect(await showLetter(id, desk)).toMatchObject({ shown: { isResolved: true, discarded: NOTE } });
    expect(await redriveLetter(id, { ...BY, isForced: true }, desk)).toMatchObject({ kind: 'asked' });
    expect(String(rows()[0]?.row.event).includes(DEEP)).toBe(true);
  });

  it('given a corrected payload that is, then it is kept, and runs', async () => {
    const { desk, die, ids, runDueRows, runs, names } = openDesk();
    await die();
    const [id = ''] = await ids({ workflow: 'one' });
    runs.length = 0;

    expect(await redriveLetter(id, { ...BY, event: deepEvent() }, desk)).toMatchObject({ kind: 'asked' });
    await runDueRows();

    expect(runs).toEqual(['one patient-1']);
    expect((await names()).filter((name) => name.startsWith('edited/'))).toHaveLength(1);
  });

  it('given one of Event Grid, then it is listed, shown and discarded, and imported after that', async () => {
    const { app, desk, ids, rows } = openDesk();
    await app.stores.undelivered.create('A/x.json', toJson([deepEvent()]));
    const [id = ''] = await ids();

    expect(toJson((await showLetter(id, desk))?.payload) === toJson([deepEvent()])).toBe(true);
    expect(await discardLetter(id, NOTE, desk)).toBe('discarded');
    expect(await showLetter(id, desk)).toMatchObject({ shown: { isResolved: true, discarded: NOTE } });
    expect(await redriveLetter(id, BY, desk)).toEqual({ kind: 'taken-up', events: 1 });
    expect(String(rows()[0]?.row.event).includes(DEEP)).toBe(true);
  });
});
