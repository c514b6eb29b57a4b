import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/clock.js';
import { DeadLetters } from '../../src/dead-letters/store/dead-letters.js';
import { digest } from '../../src/digest.js';
import { createAzureBlobStore } from '../../src/storage/azure-blob-store.js';
import { withRetries } from '../../src/storage/pace.js';
import { openPage } from './open-page.js';
import { rawChange, startPage } from './start-page.js';

// `npm run page:many -- 100000` measures the page with so many dead letters, of which 300 have one cause, and walks it
// as a person who knows only the names that a screen reader says: why has an event failed, fix it, redrive the 300.

const OF_ONE_CAUSE = 300;
const SENT_AT_ONCE = 20;
const AT_ONCE = 100;
const CAUSES = 12;
const all = Number(process.argv[2] ?? 10_000);

const app = await startPage();
process.once('SIGINT', () => void app.end().finally(() => process.exit(130)));
try {
  await measured('write the dead letters', () => seed(all - OF_ONE_CAUSE));
  app.break();
  for (let from = 0; from < OF_ONE_CAUSE; from += SENT_AT_ONCE) {
    await app.send(Array.from({ length: SENT_AT_ONCE }, (_, index) => rawChange(`wanted-${from + index}`)));
  }
  await walk();
} finally {
  await app.end();
}

async function walk(): Promise<void> {
  const { page, problems, close } = await openPage(app);
  const main = page.getByRole('main');
  await measured('open the overview', () => main.getByRole('link', { name: 'See the dead letters' }).waitFor());

  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByRole('textbox', { name: 'Event id' }).fill('wanted-7');
  await main.getByRole('button', { name: 'Find' }).first().click();
  await measured('the story of an event', () => main.getByRole('link', { name: 'See its dead letter' }).waitFor());
  await main.getByRole('link', { name: 'See its dead letter' }).click();
  await measured('its dead letter', () => main.getByText('non-retriable, NonRetriableError').waitFor());

  await page.getByRole('link', { name: 'Dead letters', exact: true }).click();
  await measured('the first causes', () => main.getByRole('table', { name: 'Dead letters by cause' }).waitFor());
  await measured('the first page of the list', () => main.getByText(/^Page 1/).waitFor());
  await measured('all are counted', () => main.getByText(/^Counted /).waitFor());
  await memory(page);
  await main.getByRole('button', { name: 'Next page' }).click();
  await measured('the second page of the list', () => main.getByText('Page 2').waitFor());

  app.fix();
  await main.getByRole('link', { name: 'fragile: non-retriable', exact: true }).click();
  await measured('choose a cause', () => main.getByText(`${OF_ONE_CAUSE} dead letters`, { exact: true }).waitFor());
  await main.getByRole('button', { name: 'Redrive …' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: `Redrive ${OF_ONE_CAUSE} dead letters` })
    .click();
  await measured('redrive all of that cause', () =>
    main.getByRole('heading', { name: /^Redrive (finished|stopped)$/ }).waitFor(),
  );
  await memory(page);
  print('what the page says', await main.locator('.run-note').textContent());
  if (problems().length > 0) print('problems in the browser', problems().join('; '));
  await close();
}

async function seed(count: number): Promise<void> {
  const connection = { kind: 'connection-string', connectionString: process.env.TEST_STORAGE ?? '' } as const;
  const { signal } = new AbortController();
  const store = new DeadLetters({ blobs: createAzureBlobStore(connection, 'dead-letters') });
  for (let from = 0; from < count; from += AT_ONCE) {
    const part = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index);
    // A busy emulator closes connections. Writing a dead letter twice makes one.
    await Promise.all(
      part.map((index) => withRetries(() => store.write(deadLetterOf(index)), { clock: systemClock, signal })),
    );
  }
}

function deadLetterOf(index: number): Parameters<DeadLetters['write']>[0] {
  const day = `2026030${1 + (index % 9)}`;
  const workflow = `workflow-${index % CAUSES}`;
  return {
    stage: 'failed',
    origin: { kind: 'job', address: `${day}.${digest(`seed ${index}`)}.${workflow}.0`, redrives: 0 },
    reason: 'non-retriable',
    workflow,
    error: { name: 'Error', code: 'receiver-refused', message: '', frame: `workflows/${workflow}.js:42` },
    tries: 1,
    deadLetteredAt: '2026-03-09T12:00:00.000Z',
    event: rawChange(`seed-${index}`),
  };
}

async function measured(what: string, step: () => Promise<unknown>): Promise<void> {
  const from = performance.now();
  await step();
  print(what, `${((performance.now() - from) / 1000).toFixed(1)} s`);
}

async function memory(page: Awaited<ReturnType<typeof openPage>>['page']): Promise<void> {
  const bytes = Number(await page.evaluate('performance.memory.usedJSHeapSize'));
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${app.pid()}/status`, 'utf8'))?.[1];
  print('memory: tab, app', `${Math.round(bytes / 1e6)} MB, ${Math.round(Number(rss) / 1000)} MB`);
}

function print(what: string, text: string | null | undefined): void {
  process.stdout.write(`${what.padEnd(30)} ${text}\n`);
}
