import axe from 'axe-core';
import type { Route } from 'playwright-core';
import { eventually } from '../local/eventually.js';
import type { StartedPage } from './start-page.js';

type OpenOptions = {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  /** Answers in place of those of the app, by path: `overview`. */
  readonly answers?: Readonly<Record<string, unknown>>;
  /** The address of the page, such as a proxy before the app. */
  readonly url?: string;
};
export type OpenedPage = Awaited<ReturnType<typeof openPage>>;

const HEIGHT = 800;
/** A machine may be slow. Just below jest's own limit, so that the failure names the element that did not come. */
const WAIT_MS = 540_000;
const LOADING = /^(Loading|Counting|Asking the app what you may see) …$/;
/** The browser's own line for an answer of 400 or more. */
const REFUSED = 'Failed to load resource';

/** Opens the page in a new window of the browser, which keeps nothing of another one. */
export async function openPage(started: StartedPage, options: OpenOptions = {}) {
  const { colorScheme = 'light', width = 1280, answers = {}, url = started.url } = options;
  const context = await started.browser.newContext({ colorScheme, viewport: { width, height: HEIGHT } });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  const urls: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith(REFUSED)) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => urls.push(request.url()));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  for (const [path, answer] of Object.entries(answers)) {
    await page.route(
      ({ pathname }) => pathname === `/api/${path}`,
      (route) => fulfil(route, answer),
    );
  }
  await page.goto(`${url}/`);
  await page.getByRole('navigation').waitFor();
  return {
    page,
    urls,
    /** Goes to a place of the page, and waits until it shows what the app answers. */
    async goTo(place: string, heading: string): Promise<void> {
      await page.goto(`${url}/api/ui/#/${place}`);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await eventually(async () => ((await page.getByText(LOADING).count()) === 0 ? true : undefined));
    },
    /** The errors in the browser, and its requests to other hosts. */
    problems: () => [...problems, ...urls.filter((one) => !one.startsWith(url) && !one.startsWith('data:'))],
    /** The rules of accessibility that the page breaks, with the elements. */
    async violations(): Promise<string[]> {
      await page.evaluate(axe.source);
      const found = (await page.evaluate(AXE_RUN)) as {
        id: string;
        nodes: { target: string[]; failureSummary: string }[];
      }[];
      return found.map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`,
      );
    },
    /** Whether the page is wider than the window. */
    isTooWide: () => page.evaluate('document.documentElement.scrollWidth > innerWidth') as Promise<boolean>,
    close: () => context.close(),
  };
}

const AXE_RUN = `axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
}).then(({ violations }) => violations)`;

/** A function answers by what was asked; a number is the status of a failure. */
async function fulfil(route: Route, answer: unknown): Promise<void> {
  if (typeof answer === 'function') return answer(route);
  if (typeof answer === 'number')
    return route.fulfill({
      status: answer,
      json: { error: { code: 'made-up', message: `The test answers ${answer}.` } },
    });
  return route.fulfill({ json: answer });
}
