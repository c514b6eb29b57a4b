import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { APIResponse, Page, Route } from 'playwright-core';
import { signedInAs } from '../functions/principal.js';
import { greenOverview, recentJobs, redOverview, story, workflows } from './answers.js';
import { findBrowser } from './find-browser.js';
import { startKeyCheck, startSignIn } from './gate.js';
import { type OpenedPage, openPage } from './open-page.js';
import { rawChange, type StartedPage, startPage } from './start-page.js';

const ANSWERS = {
  overview: redOverview,
  recent: { jobs: recentJobs },
  workflows: { workflows },
  events: { events: [story] },
};
const PLACES = [
  ['overview', 'Overview'],
  ['events', 'Events'],
  ['events/event-7', 'Events'],
  ['dead-letters', 'Dead letters'],
  ['workflows', 'Workflows'],
  ['reconciliation', 'Reconciliation'],
  ['local', 'Simulator'],
] as const;
const HOSTILE = `"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e'\u0000`;

const inBrowser = findBrowser() ? describe : describe.skip;
let app: StartedPage;
const opened: OpenedPage[] = [];
const open = async (...[options]: Parameters<typeof openPage> extends [unknown, ...infer R] ? R : never) => {
  const page = await openPage(app, options);
  opened.push(page);
  return page;
};

inBrowser('when a person looks at the page', () => {
  beforeAll(async () => {
    app = await startPage();
    await app.send(Array.from({ length: 5 }, (_, index) => rawChange(`event-${index}`)));
    await app.send([rawChange('MARKER-INVALID', { resourceVersionId: 'MARKER-VALUE' })]);
  });
  afterAll(() => app.end());
  afterEach(async () => {
    const found = opened.flatMap(({ problems }) => problems());
    await Promise.all(opened.splice(0).map(({ close }) => close()));
    expect(found).toEqual([]);
  });

  it.each([
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 1280 },
    { colorScheme: 'light', width: 360 },
    { colorScheme: 'dark', width: 3840 },
  ] as const)(
    'given $colorScheme colours and $width px, then axe finds nothing on any page, and nothing is cut off',
    async (options) => {
      const { goTo, violations, isTooWide } = await open({ ...options, answers: ANSWERS });

      const found: Record<string, unknown> = {};
      for (const [place, heading] of PLACES) {
        await goTo(place, heading);
        found[place] = { violations: await violations(), isTooWide: await isTooWide() };
      }

      expect(found).toEqual(Object.fromEntries(PLACES.map(([place]) => [place, { violations: [], isTooWide: false }])));
    },
  );

  it('given all is well, then the overview is green, without a problem', async () => {
    const { page } = await open({ answers: { ...ANSWERS, overview: greenOverview } });

    await page.getByRole('heading', { name: 'Green' }).waitFor();

    expect(await page.getByText('All is well. Events are handled in time.').count()).toBe(1);
    expect(await page.locator('.problems').count()).toBe(0);
  });

  it('given problems, then each is named in words, and links to the place where a person acts', async () => {
    const { page } = await open({ answers: ANSWERS });

    await page.getByText('The circuit of fragile has been open for 12 minutes').waitFor();
    const time = page.locator('.problems time');
    expect(await time.getAttribute('title')).toBe('2026-03-13 22:06:40 UTC');
    expect(await time.textContent()).not.toContain('T');
    await page.getByRole('link', { name: 'See the dead letters' }).click();

    await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
    expect(await page.title()).toBe('Dead letters · ahds-events');
  });

  it('given several instances, then the numbers are those of all, or of the chosen one', async () => {
    const { page } = await open({ answers: ANSWERS });

    await page.getByText('15.3').waitFor();
    await page.getByLabel('Numbers and curves above are of').selectOption('p7Wq2a');

    await page.locator('.big', { hasText: '6.2' }).waitFor();
  });

  it('given a chart, then a table shows the same numbers', async () => {
    const { page } = await open({ answers: ANSWERS });

    await page.getByText('Show as a table').first().click();

    const table = page.getByRole('table', { name: 'Lag from event to outcome, by minute' });
    expect(await table.getByRole('row').count()).toBe(61);
    expect(await page.locator('.plot canvas').count()).toBe(2);
  });

  it('given storage is down, then the page says so, and what to do', async () => {
    const { page, goTo } = await open({ answers: { ...ANSWERS, overview: 503, 'dead-letters': 503 } });

    await page.getByText('Storage does not answer.').waitFor();
    await goTo('dead-letters', 'Dead letters');

    await page.getByText('Storage does not answer.').first().waitFor();
    expect(await page.getByRole('button', { name: 'Ask again' }).count()).toBeGreaterThan(0);
  });

  it('given the app stops answering, then old data stays, and is marked as old', async () => {
    const { page } = await open({ answers: ANSWERS });
    await page.getByText('15.3').waitFor();

    await page.route('**/api/overview', (route) => route.abort());

    await page.getByText('Old data: last updated').waitFor();
    expect(await page.getByText('15.3').count()).toBe(1);
  });

  it('given hostile text in every field, then it is shown as text, and nothing of it runs', async () => {
    const hostile = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value), (key, text) =>
        typeof text !== 'string' || KEPT.includes(key) || !Number.isNaN(Date.parse(text)) ? text : `${HOSTILE}${text}`,
      );
    const answers = Object.fromEntries(Object.entries(ANSWERS).map(([path, answer]) => [path, hostile(answer)]));
    const letters = hostile(LISTED) as typeof LISTED;
    const { page, goTo } = await open({
      answers: {
        ...answers,
        'dead-letters': (route: import('playwright-core').Route) =>
          route.fulfill({ json: route.request().url().includes('by=') ? hostile(GROUPED) : letters }),
      },
    });

    for (const [place, heading] of PLACES) {
      await goTo(place, heading);
      expect(await page.locator('main img, main script, main iframe').count()).toBe(0);
    }
    await goTo('dead-letters', 'Dead letters');
    await page.getByText('onerror=alert(1)').first().waitFor();
    await page.getByRole('link', { name: 'onerror' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
  });

  it('given payloads with clinical data, then no page and no URL holds any of it without a click', async () => {
    const { page, goTo, urls } = await open();

    for (const [place, heading] of PLACES) {
      await goTo(place, heading);
      expect(await page.content()).not.toContain('MARKER');
    }
    await goTo('dead-letters?stage=failed', 'Dead letters');
    await page.getByRole('link', { name: 'event-1', exact: true }).click();
    await page.getByText('NonRetriableError').first().waitFor();
    expect(await page.content()).not.toContain('MARKER');

    await page.getByRole('button', { name: 'Show the payload (audited)' }).click();
    await page.getByText('MARKER-RESOURCE-event-1').first().waitFor();
    await page.getByText('MARKER-MESSAGE').waitFor();
    await goTo('overview', 'Overview');
    expect(await page.content()).not.toContain('MARKER');
    expect(urls.filter((url) => url.includes('MARKER'))).toEqual([]);
  });

  it('given a keyboard, then the first Tab leads past the navigation, and every control shows its focus', async () => {
    const { page } = await open({ answers: ANSWERS });

    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Enter');

    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
  });

  it('given the switch for colours, then it changes them until a reload', async () => {
    const { page } = await open({ answers: ANSWERS });
    const background = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await background();

    await page.getByLabel('Colours').selectOption('dark');
    expect(await background()).not.toBe(light);
    await page.reload();

    expect(await background()).toBe(light);
  });

  it('given a running feed, then a person can filter it and hold it still', async () => {
    const { page, goTo } = await open({ answers: ANSWERS });
    await goTo('events', 'Events');
    await page.getByRole('link', { name: 'event-100' }).waitFor();

    await page.getByLabel('Outcome').selectOption('dead-lettered');
    await page.getByRole('link', { name: 'event-100' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Hold still' }).click();

    await page.getByText('Held: newer runs are not shown').waitFor();
    expect(await page.getByRole('link', { name: 'event-99' }).count()).toBe(1);
  });

  it('given an app that wants keys, then the page asks for a key, keeps it in memory, and offers what it allows', async () => {
    const check = await startKeyCheck(app.url);
    try {
      const { page, goTo, violations } = await open({ url: check.url, answers: { overview: redOverview } });
      const key = page.getByLabel('Key', { exact: true });
      await key.waitFor();
      expect(await violations()).toEqual([]);

      await key.fill('wrong');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('The app does not accept this key.').waitFor();
      await key.fill('look');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('Read only').waitFor();
      await goTo('dead-letters', 'Dead letters');
      await page.getByText('You may look.').waitFor();
      expect(await page.getByRole('button', { name: 'Redrive …' }).count()).toBe(0);

      await page.getByRole('button', { name: 'Use another key' }).click();
      await key.fill('act');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByRole('button', { name: 'Redrive …' }).waitFor();

      expect(check.seen.filter((url) => /look|act(?!ion)\b|wrong/.test(url.replace('/api/', '')))).toEqual([]);
      expect(await page.evaluate('JSON.stringify([localStorage.length, sessionStorage.length, document.cookie])')).toBe(
        '[0,0,""]',
      );
      await page.reload();
      await key.waitFor();
    } finally {
      await check.close();
    }
  });

  it.each([{ how: 'answers 401' }, { how: 'redirects' }])(
    'given sign-in at Azure, which $how, then the page needs no key, and offers what the role may do',
    async ({ how }) => {
      let headers = signedInAs('Reader');
      const gate = await startSignIn(app.url, { headersOf: () => headers, redirects: () => how === 'redirects' });
      try {
        const { page, goTo, violations } = await open({ url: gate.url });
        await page.setExtraHTTPHeaders(signedInAs('Operator')); // a forged header does not arrive
        const signIn = page.getByRole('link', { name: 'Sign in', exact: true });
        await signIn.waitFor();
        expect(await violations()).toEqual([]);

        await signIn.click();
        await page.getByText('Ana Muster').waitFor();
        await goTo('dead-letters', 'Dead letters');
        await page.getByText('you need the role Operator').waitFor();
        expect(await page.getByRole('button', { name: 'Redrive …' }).count()).toBe(0);
        expect(await page.getByRole('button', { name: /key/ }).count()).toBe(0);
        expect(await violations()).toEqual([]);

        headers = signedInAs();
        await page.getByRole('link', { name: 'Sign out' }).click();
        await signIn.click();
        await page.getByText('You have signed in, but may not see this app.').waitFor();

        headers = signedInAs('Operator');
        await page.getByRole('link', { name: 'Sign out' }).click();
        await signIn.click();
        await goTo('dead-letters', 'Dead letters');
        await page.getByRole('button', { name: 'Redrive …' }).waitFor();
      } finally {
        await gate.close();
      }
    },
  );

  it('given a sign-in that ends, then the page keeps its content, and goes on after a new sign-in in another tab', async () => {
    const gate = await startSignIn(app.url, { headersOf: () => signedInAs('Operator'), redirects: () => true });
    try {
      const { page, goTo, violations } = await open({ url: gate.url });
      await page.getByRole('link', { name: 'Sign in', exact: true }).click();
      await goTo('workflows', 'Workflows');
      await page.getByRole('button', { name: 'Pause … fragile' }).click();
      const why = page.getByLabel('Why');
      await why.fill('What was entered');
      const answerPoll = await holdNext(page, '**/api/workflows');

      gate.expire();
      await page.getByRole('button', { name: 'Pause', exact: true }).click();
      const dialog = page.getByRole('dialog');
      const again = dialog.getByRole('link', { name: 'Sign in again in a new tab' });
      await again.waitFor();
      await answerPoll(); // an answer from before the end of the sign-in
      expect(await violations()).toEqual([]);
      expect(await why.count()).toBe(1);
      const [other] = await Promise.all([page.context().waitForEvent('page'), again.click()]);
      await other.getByText('Ana Muster').waitFor();
      await other.close();
      await dialog.getByRole('button', { name: 'Pause', exact: true }).click();

      const row = page.getByRole('row', { name: /^fragile/ });
      await row.getByText('What was entered').waitFor();
      await page.getByText('Your sign-in has ended.').waitFor({ state: 'detached' });
      await row.getByRole('button', { name: 'Resume fragile' }).click();
      await row.getByText('What was entered').waitFor({ state: 'detached' });
    } finally {
      await gate.close();
    }
  });

  it.each([{ how: 'answers 401' }, { how: 'redirects' }])(
    'given a sign-in that ends in a staged redrive, which $how, then it goes on by itself after a new sign-in',
    async ({ how }) => {
      const gate = await startSignIn(app.url, {
        headersOf: () => signedInAs('Operator'),
        redirects: () => how === 'redirects',
      });
      try {
        app.break();
        await app.send(Array.from({ length: 12 }, (_, index) => rawChange(`${how}-${index}`)));
        const { page, goTo, violations } = await open({ url: gate.url });
        await page.getByRole('link', { name: 'Sign in', exact: true }).click();
        await goTo('dead-letters?workflow=fragile', 'Dead letters');
        app.fix();
        await page.getByRole('button', { name: 'Redrive …' }).click();
        await page.route('**/outcomes', (route) => route.continue().then(gate.expire), { times: 1 });

        const all = page.getByRole('button', { name: /^Redrive [0-9]+ dead letters$/ });
        const [count] = /[0-9]+/.exec((await all.textContent()) ?? '') ?? [];
        await all.click();
        await page.locator('.run-note').getByText('the redrive goes on by itself').waitFor();
        expect(await violations()).toEqual([]);
        const again = page.getByRole('link', { name: 'Sign in again in a new tab' });
        const [other] = await Promise.all([page.context().waitForEvent('page'), again.click()]);
        await other.getByText('Ana Muster').waitFor();
        await other.close();

        await page.getByRole('heading', { name: 'Redrive finished' }).waitFor();
        expect(await page.locator('.run-note').textContent()).toContain(`${count} of ${count} dead letters requested`);
        await page.getByText('Your sign-in has ended.').waitFor({ state: 'detached' });
      } finally {
        await gate.close();
      }
    },
  );
});

/** Waits until the app has answered the next request for `path`, and returns a function that passes the answer on to the page. */
async function holdNext(page: Page, path: string) {
  const held = await new Promise<{ route: Route; response: APIResponse }>((resolve) => {
    const hold = async (route: Route) => resolve({ route, response: await route.fetch() });
    void page.route(path, hold, { times: 1 });
  });
  return async () => {
    const [answered] = await Promise.all([page.waitForResponse(path), held.route.fulfill({ response: held.response })]);
    await answered.finished();
  };
}

/** Fields whose values the page compares, and of which the app makes all values. */
const KEPT = ['level', 'state', 'outcome', 'status', 'what', 'stage', 'code', 'next', 'deadLetter'];
const LISTED = {
  letters: [
    {
      ...{
        id: 'failed.2026-03-14.AAAAAAAAAAAAAAAAAAAAAA.0',
        stage: 'failed',
        reason: 'r',
        workflow: 'w',
        error: 'e',
        frame: 'f',
      },
      ...{ type: 't', resourceType: 'x', eventId: 'event', at: '2026-03-14T12:00:00.000Z', redrives: 0, events: 1 },
    },
  ],
  next: null,
};
const GROUPED = {
  groups: [
    {
      by: { reason: 'r', workflow: 'w', error: 'e', frame: 'f' },
      ...{ letters: 1, events: 1, oldestAt: '2026-03-14T12:00:00.000Z', newestAt: '2026-03-14T12:00:00.000Z' },
      ...{
        example: 'failed.2026-03-14.AAAAAAAAAAAAAAAAAAAAAA.0',
        newest: 'failed.2026-03-14.BBBBBBBBBBBBBBBBBBBBBB.0',
      },
      ...{ redriven: 1, after: null, until: null },
    },
  ],
  ...{ letters: 1, isMore: false, next: null },
};
