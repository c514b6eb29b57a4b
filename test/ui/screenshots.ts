import { type Overview, overview as schema } from '../../src/api/overview.js';
import { greenOverview, recentJobs, redOverview, workflows } from './answers.js';
import { openPage } from './open-page.js';
import { startPage } from './start-page.js';

// `npm run screenshots` writes the pictures of the page into docs/. The data is made up.

const GROUPS = {
  groups: [
    group(10_000, {
      ...{ workflow: 'potassium-alert', reason: 'non-retriable', error: 'receiver-refused' },
      frame: 'src/workflows/potassium-alert.ts:31',
    }),
    group(400, {
      ...{ workflow: 'imaging-studies', reason: 'tries-spent', error: 'timeout' },
      frame: 'src/workflows/imaging-studies/imaging-studies.ts:54',
    }),
    group(12, { workflow: '', reason: 'invalid', error: 'invalid', frame: '' }),
  ],
  ...{ letters: 10_412, isMore: false, next: null },
};
const LETTERS = {
  letters: Array.from({ length: 4 }, (_, index) => ({
    id: `failed.2026-03-14.${String(index).repeat(22)}.0`,
    ...{ stage: 'failed', reason: 'non-retriable', workflow: 'potassium-alert', error: 'receiver-refused', frame: '' },
    ...{ type: 'Microsoft.HealthcareApis.FhirResourceUpdated', resourceType: 'Observation' },
    ...{ eventId: `0fde873e-7526-43aa-a2b4-27480538063${index}`, at: ago(3600 + index), redrives: 0, events: 1 },
  })),
  next: null,
};

const started = await startPage();
try {
  const overview = { place: 'overview', heading: 'Overview' };
  const deadLetters = { place: 'dead-letters', heading: 'Dead letters' };
  await shoot('page-overview', overview, { colorScheme: 'light', width: 1180, answer: greenOverview });
  await shoot('page-dead-letters', deadLetters, { colorScheme: 'dark', width: 1180, answer: redOverview });
  await shoot('page-phone', overview, { colorScheme: 'light', width: 360, answer: redOverview });
} finally {
  await started.end();
}

type Place = { readonly place: string; readonly heading: string };
type View = { readonly colorScheme: 'light' | 'dark'; readonly width: number; readonly answer: Overview };

/** Writes a picture of a place of the page into docs/. */
async function shoot(name: string, { place, heading }: Place, { answer, ...options }: View): Promise<void> {
  const answers = {
    overview: moved(answer),
    recent: { jobs: recentJobs },
    workflows: { workflows },
    'dead-letters': (route: import('playwright-core').Route) =>
      route.fulfill({ json: route.request().url().includes('by=') ? GROUPS : LETTERS }),
  };
  const { page, goTo, close } = await openPage(started, { ...options, answers });
  await goTo(place, heading);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `docs/${name}.png` });
  await close();
}

/** Returns answers as if they were of this minute. */
function moved(overview: Overview): Overview {
  const byMs = Date.now() - Date.parse(overview.now);
  const text = JSON.stringify(overview, (key, value) => {
    if (key === 'at') return (value as number[]).map((at) => at + Math.round(byMs / 60_000) * 60);
    const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);
    return isTime ? new Date(Date.parse(value) + byMs).toISOString() : value;
  });
  return schema.parse(JSON.parse(text));
}

type Cause = { readonly workflow: string; readonly reason: string; readonly error: string; readonly frame: string };

function group(letters: number, by: Cause) {
  const times = { oldestAt: ago(50_000), newestAt: ago(600) };
  const ids = {
    example: 'failed.2026-03-14.AAAAAAAAAAAAAAAAAAAAAA.0',
    newest: 'failed.2026-03-14.BBBBBBBBBBBBBBBBBBBBBB.0',
  };
  return { by, letters, events: letters, redriven: 0, ...times, ...ids };
}

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}
