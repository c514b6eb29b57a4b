import { discardDeadLetter } from '../../src/dead-letters/discard.js';
import { redriveDeadLetter } from '../../src/dead-letters/redrive.js';
import { showDeadLetter } from '../../src/dead-letters/show.js';
import { toJson } from '../../src/json-text.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { giveUp, openApp } from './open-app.js';

/** JSON.stringify cannot write so many levels. */
const DEEP = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
const BY = { by: 'me' };
const NOTE = { by: 'me', why: 'enough' };
const deepEvent = (): object => ({ ...rawFhirEvent(), more: JSON.parse(DEEP) });
const invalidEvent = (): object => ({ none: JSON.parse(DEEP) });

describe('when a dead letter is nested deeper than JSON.stringify can write', () => {
  it.each([
    { given: 'a job', raw: deepEvent },
    { given: 'an invalid event', raw: invalidEvent },
  ])('given $given, then the dead letter is listed, shown, discarded, and then redriven', async ({ raw }) => {
    const { deadLetterStores, deliver, endsAs, ids, rows } = openApp();
    endsAs(giveUp);
    await deliver(raw());
    const [id = ''] = await ids();

    expect(toJson((await showDeadLetter(id, deadLetterStores))?.payload) === toJson(raw())).toBe(true);
    expect(await discardDeadLetter(id, NOTE, deadLetterStores)).toBe('discarded');
    expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({ shown: { isResolved: true, discarded: NOTE } });
    expect(await redriveDeadLetter(id, { ...BY, isForced: true }, deadLetterStores)).toMatchObject({ kind: 'asked' });
    expect(String(rows()[0]?.row.event).includes(DEEP)).toBe(true);
  });

  it('given a corrected payload that is nested so deep, then it is stored, and runs', async () => {
    const { deadLetterStores, die, ids, runDueRows, runs, names } = openApp();
    await die();
    const [id = ''] = await ids({ workflow: 'one' });
    runs.length = 0;

    expect(await redriveDeadLetter(id, { ...BY, event: deepEvent() }, deadLetterStores)).toMatchObject({
      kind: 'asked',
    });
    await runDueRows();

    expect(runs).toEqual(['one patient-1']);
    expect((await names()).filter((name) => name.startsWith('edited/'))).toHaveLength(1);
  });

  it('given a dead letter of Event Grid, then it is listed, shown and discarded, and imported after that', async () => {
    const { app, deadLetterStores, ids, rows } = openApp();
    await app.stores.undelivered.create('A/x.json', toJson([deepEvent()]));
    const [id = ''] = await ids();

    expect(toJson((await showDeadLetter(id, deadLetterStores))?.payload) === toJson([deepEvent()])).toBe(true);
    expect(await discardDeadLetter(id, NOTE, deadLetterStores)).toBe('discarded');
    expect(await showDeadLetter(id, deadLetterStores)).toMatchObject({ shown: { isResolved: true, discarded: NOTE } });
    expect(await redriveDeadLetter(id, BY, deadLetterStores)).toEqual({ kind: 'taken-up', events: 1 });
    expect(String(rows()[0]?.row.event).includes(DEEP)).toBe(true);
  });
});
