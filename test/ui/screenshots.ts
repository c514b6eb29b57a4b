import { type Overview, overview as schema } from '../../src/api/overview.js';
import { greenOverview, recentJobs, redOverview, workflows } from './answers.js';
import { openPage } from './open-page.js';
import { startPage } from './start-page.js';

// `npm run screenshots` writes the pictures of the page into docs/. The data is made up.

const GROUPS = {
  groups: [
    group('potassium-alert', 'non-retriable', 'receiver-refused', 'src/workflows/potassium-alert.ts:31', 10_000),
    group('imaging-studies', 'tries-spent', 'timeout', 'src/workflows/imaging-studies/imaging-studies.ts:54', 400),
    group('', 'invalid', 'invalid', '', 12),
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
  await shoot('page-overview', { colorScheme: 'light', width: 1180 }, 'overview', 'Overview', moved(greenOverview));
  await shoot(
    'page-dead-letters',
    { colorScheme: 'dark', width: 1180 },
    'dead-letters',
    'Dead letters',
    moved(redOverview),
  );
  await shoot('page-phone', { colorScheme: 'light', width: 360 }, 'overview', 'Overview', moved(redOverview));
} finally {
  await started.end();
}

async function shoot(
  name: string,
  options: { colorScheme: 'light' | 'dark'; width: number },
  place: string,
  heading: string,
  overview: Overview,
): Promise<void> {
  const answers = {
    overview,
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

function group(workflow: string, reason: string, error: string, frame: string, letters: number) {
  const by = { reason, workflow, error, frame };
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
