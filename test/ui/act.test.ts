import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { findBrowser } from './find-browser.js';
import { type OpenedPage, openPage } from './open-page.js';
import { rawChange, type StartedPage, startPage } from './start-page.js';

const inBrowser = findBrowser() ? describe : describe.skip;
let app: StartedPage;
const opened: OpenedPage[] = [];
const open = async () => {
  const page = await openPage(app);
  opened.push(page);
  return page;
};

inBrowser('when a person acts on the page', () => {
  beforeAll(async () => {
    app = await startPage();
  });
  beforeEach(() => app.break());
  afterAll(() => app.end());
  afterEach(async () => {
    const found = opened.flatMap(({ problems }) => problems());
    await Promise.all(opened.splice(0).map(({ close }) => close()));
    expect(found).toEqual([]);
  });

  it('given a failed event, then a person finds out why, and redrives all of that cause once it is fixed', async () => {
    await app.send(Array.from({ length: 14 }, (_, index) => rawChange(`found-${index}`)));
    const { page, goTo } = await open();
    await goTo('events', 'Events');
    await page.getByLabel('Event id').fill('found-7');
    await page.getByRole('button', { name: 'Find' }).first().click();
    await page.getByRole('heading', { name: 'fragile dead-lettered' }).waitFor();
    await goTo('dead-letters?workflow=fragile', 'Dead letters');
    app.fix();

    await redriveAll(page, '14 dead letters');

    await page.getByRole('heading', { name: 'Redrive finished' }).waitFor();
    expect(await page.locator('.run-note').textContent()).toContain('14 of 14 dead letters requested');
    await page.getByText('No dead letter matches.').waitFor();
    await goTo('dead-letters?workflow=fragile&resolved=true', 'Dead letters');
    await page.getByText('14 dead letters, 1 cause').waitFor();
  });

  it('given the cause is not fixed, then a staged redrive stops at the first dead letter', async () => {
    await app.send(Array.from({ length: 5 }, (_, index) => rawChange(`unfixed-${index}`)));
    const { page, goTo } = await open();
    await goTo('dead-letters?stage=failed', 'Dead letters');

    await redriveAll(page, '5 dead letters');

    await page.getByRole('heading', { name: 'Redrive stopped' }).waitFor();
    await page.locator('main').getByText('the first one has failed again').waitFor();
    expect(await page.locator('.run-note').textContent()).toContain('1 of 5');
    app.fix();
    await page.getByRole('button', { name: 'Close' }).click();
    await redriveAll(page, '5 dead letters');
    await page.getByRole('heading', { name: 'Redrive finished' }).waitFor();
  });

  it('given two people at once, and the app is killed meanwhile, then both end, and each dead letter is resolved', async () => {
    await app.send(Array.from({ length: 12 }, (_, index) => rawChange(`both-${index}`)));
    const [one, other] = await Promise.all([open(), open()]);
    await Promise.all([one, other].map(({ goTo }) => goTo('dead-letters?stage=failed', 'Dead letters')));
    app.fix();

    await Promise.all([one, other].map(({ page }) => redriveAll(page, '12 dead letters')));
    await app.kill();
    await one.page.getByText('What was requested stays in storage. Asking again').waitFor();
    await app.restart();

    for (const { page } of [one, other]) await page.getByRole('heading', { name: 'Redrive finished' }).waitFor();
    await one.goTo('dead-letters?stage=failed', 'Dead letters');
    await one.page.getByText('No dead letter matches.').waitFor();
  });

  it('given an invalid event, then its problems are shown in place, and the corrected payload runs', async () => {
    app.fix();
    await app.send([rawChange('invalid-1', { resourceVersionId: 'two' })]);
    const { page, goTo, violations } = await open();
    await goTo('dead-letters?stage=invalid', 'Dead letters');
    await page.getByRole('link', { name: 'without an id' }).click();
    await page.getByText('data.resourceVersionId has the wrong type').waitFor();
    await page.getByRole('button', { name: 'Edit and redrive … (audited)' }).click();
    const edited = page.getByLabel('Edited');
    const original = await edited.inputValue();

    await edited.fill(original.replace('"two"', '"three"'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('button', { name: 'Line 12' }).click();
    expect(await page.evaluate('getSelection().toString()')).toBe('    "resourceVersionId": "three"');
    expect(await violations()).toEqual([]);
    await edited.fill(original.replace('"two"', '2,'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.locator('main').getByText('the text stops being JSON here').waitFor();
    await edited.fill(original.replace('"two"', '2'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.locator('main').getByText('The app accepts this payload.').waitFor();
    await page.getByRole('button', { name: 'Redrive the edited payload' }).click();

    await page.locator('main').getByText('It has ended well: the dead letter is resolved.').waitFor();
    await goTo('events/invalid-1', 'Events');
    await page.getByRole('heading', { name: 'fragile completed' }).waitFor();
  });

  it('given dead letters that nobody needs, then a person discards them with a reason, which the page keeps showing', async () => {
    await app.send([unneeded('unneeded-1'), unneeded('unneeded-2')]);
    const { page, goTo, violations } = await open();
    await goTo('dead-letters?stage=invalid', 'Dead letters');

    await page.getByRole('button', { name: 'Discard …' }).click();
    expect(await page.getByRole('button', { name: 'Discard', exact: true }).isDisabled()).toBe(true);
    expect(await violations()).toEqual([]);
    await page.getByLabel('Why').fill('Made up by a test.');
    await page.getByRole('button', { name: 'Discard', exact: true }).click();

    await page.getByText('No dead letter matches.').waitFor();
    await goTo(`dead-letters?stage=invalid&resolved=true&type=FhirResourceDeleted`, 'Dead letters');
    await page.getByRole('link', { name: 'without an id' }).first().click();
    await page.getByText('Made up by a test.').waitFor();
    await goTo('overview', 'Overview');
    await page.getByText('Who did what').click();
    await page.getByRole('row', { name: /discarded dead letters 2 discarded Made up by a test\.$/ }).waitFor();
    expect(await violations()).toEqual([]);
  });

  it('given the simulator, then changes, an image, a receiver that is down and a day can be played', async () => {
    app.fix();
    const { page, goTo } = await open();
    await goTo('local', 'Simulator');

    await page.getByRole('button', { name: 'Create a Patient' }).click();
    await page.getByText('FhirResourceCreated').first().waitFor();
    await page.getByRole('button', { name: 'Change that Patient' }).click();
    await page.getByText('FhirResourceUpdated').first().waitFor();
    await page.getByRole('button', { name: 'Send an image' }).click();
    await page.getByText('DicomImageCreated').first().waitFor();
    await page.getByRole('button', { name: 'Take the receiver down' }).click();
    await page.getByRole('button', { name: 'Bring the receiver up' }).click();
    await page.getByRole('button', { name: 'Turn events off' }).click();
    await page.getByRole('button', { name: 'Turn events on' }).click();
    await page.getByLabel('Events', { exact: true }).fill('30');
    await page.getByLabel('Chaos').selectOption('light');
    await page.getByRole('button', { name: 'Play' }).click();

    await page.getByText('Nothing is lost').waitFor();
    await page.getByRole('link', { name: 'See its story' }).first().click();
    await page
      .getByRole('heading', { name: /completed/ })
      .first()
      .waitFor();
  });

  it('given what the app has done, then the overview, the feed and the workflows show it', async () => {
    app.fix();
    await app.send([rawChange('shown-1')]);
    const { page, goTo } = await open();

    await page.getByRole('heading', { name: /^(Green|Amber|Red)$/ }).waitFor();
    await page.getByRole('row', { name: /has answered.*running/ }).waitFor();
    await goTo('events', 'Events');
    await page.getByRole('link', { name: 'shown-1' }).first().waitFor();
    await goTo('workflows', 'Workflows');

    await page.getByRole('row', { name: /^fragile.*[1-9]\d* completed/ }).waitFor();
  });

  it('given changes that may be missing, then a person asks for a comparison, and sees the request', async () => {
    const { page, goTo } = await open();
    await goTo('reconciliation', 'Reconciliation');
    await page.getByText('Ask for a comparison').click();

    await page.getByLabel('Only the service').fill('unknown.example');
    await page.getByLabel('Changes since').fill('2026-03-14T12:00');
    await page.getByRole('button', { name: 'Count what is missing' }).click();
    await page.getByRole('alert').getByText('service').first().waitFor();
    await page.getByLabel('Only the service').fill('');
    await page.getByLabel('Changes since').fill(localMinute());
    await page.getByRole('button', { name: 'Count what is missing' }).click();

    await page.getByText('The request is made.').waitFor();
    await page.getByText('count only', { exact: true }).waitFor();
  });

  it('given a workflow, then a person pauses it with a reason, and resumes it', async () => {
    const { page, goTo } = await open();
    await goTo('workflows', 'Workflows');
    const row = page.getByRole('row', { name: /^fragile/ });

    await row.getByRole('button', { name: 'Pause … fragile' }).click();
    await page.getByLabel('Why').fill('The receiver moves.');
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await row.getByText('The receiver moves.').waitFor();
    await row.getByRole('button', { name: 'Resume fragile' }).click();

    await row.getByText('The receiver moves.').waitFor({ state: 'detached' });
  });
});

/** An invalid event of a type that no other test here uses. */
function unneeded(id: string) {
  return { ...rawChange(id, { resourceVersionId: 'x' }), eventType: 'Microsoft.HealthcareApis.FhirResourceDeleted' };
}

async function redriveAll(page: OpenedPage['page'], count: string): Promise<void> {
  await page.locator('.act').getByText(count).waitFor();
  await page.getByRole('button', { name: 'Redrive …' }).click();
  await page.getByRole('button', { name: `Redrive ${count}` }).click();
}

/** A quarter of an hour ago, as the field of the browser wants it, in the zone of this machine. */
function localMinute(): string {
  const at = new Date();
  at.setMinutes(at.getMinutes() - 15 - at.getTimezoneOffset());
  return at.toISOString().slice(0, 16);
}
