import fc from 'fast-check';
import { observationAlerts } from '../../../src/workflows/observation-alerts/observation-alerts.js';
import { batchesOf } from '../batches.js';
import { everyCrash, type RowsOf, runScenario, type Scenario, type StoryEvent, TROUBLES } from '../every-crash.js';
import { SECRET } from './endpoint.js';
import { activeAlerts, expectedAlerts } from './expected.js';
import { rulesFile } from './rules-file.js';
import { RULES, stories, storyOf, write } from './stories.js';

const RUNS = Number(process.env.NIGHTS ?? 120);
const settings = { ALERT_RULES: rulesFile(RULES) };

const scenarioOf = (story: readonly StoryEvent[]): Scenario => ({
  workflow: observationAlerts,
  story,
  settings,
  look: activeAlerts,
  expected: expectedAlerts(story),
});

const gone = (id: string, hour: number) => write(id, hour, 0, { does: 'delete' });
const deliveredStories = stories
  .filter((story) => story.length > 0)
  .chain((story) => batchesOf(story.length).map((batches) => ({ story, batches })));

describe('when Observations come, change and go', () => {
  it('given any story, in any order, with duplicates, also with failures and crashes, then the active alerts follow from its end', async () => {
    const trouble = fc.tuple(fc.integer({ min: 1, max: 150 }), fc.constantFrom(...TROUBLES));
    const some = fc.array(trouble, { minLength: 1, maxLength: 5 }).map((all) => new Map(all));
    const troubles = fc.oneof({ weight: 3, arbitrary: fc.constant(new Map()) }, { weight: 1, arbitrary: some });
    let alerts = 0;
    await fc.assert(
      fc.asyncProperty(deliveredStories, troubles, async ({ story, batches }, someTroubles) => {
        const scenario = scenarioOf(story);
        alerts += (scenario.expected as string[]).length;

        const { found } = await runScenario(scenario, { batches, troubles: someTroubles });

        expect(found).toEqual(scenario.expected);
      }),
      { numRuns: RUNS * 4 },
    );
    expect(alerts).toBeGreaterThan(RUNS);
  });
});

describe('when anything goes wrong at any call to storage', () => {
  it.each([
    { given: 'a result that comes late', steps: [write('o-3', 40, 5), write('o-1', 0, 3), write('o-2', 20, 4.5)] },
    {
      given: 'a result that is corrected',
      steps: [write('o-1', 0, 3), write('o-2', 20, 5), write('o-1', 0, 4.5, { status: 'corrected' })],
    },
    {
      given: 'a result in between that is deleted',
      steps: [write('o-1', 0, 3), write('o-2', 10, 3.5), write('o-3', 20, 4.2), gone('o-2', 10)],
    },
    {
      given: 'a result that moves behind another',
      steps: [write('o-1', 0, 3), write('o-2', 10, 5), write('o-1', 20, 8)],
    },
  ])('given $given, then the active alerts follow from the end', async ({ steps }) => {
    expect(await everyCrash(scenarioOf(storyOf(steps)))).toBeGreaterThan(50);
  });
});

describe('when there is a webhook, and anything goes wrong at any call to storage', () => {
  it('given alerts on its own result and on the next, then each is in the outbox', async () => {
    const story = storyOf([write('o-2', 20, 6.5), write('o-1', 0, 3)]);
    const webhook = { ALERT_WEBHOOK_URL: 'https://hook.example/', ALERT_WEBHOOK_SECRET: SECRET };
    const revisions = (rows: RowsOf, table: string) =>
      rows(table).map(({ key, row }) => `${key.split('.').at(-1)} ${row.revision}`);
    const look = (rows: RowsOf) => ({ alerts: revisions(rows, 'alerts'), listed: revisions(rows, 'alertoutbox') });
    const all = ['high 1', 'rise 1'];

    await everyCrash({
      ...scenarioOf(story),
      settings: { ...settings, ...webhook },
      look,
      expected: { alerts: all, listed: all },
    });
  });
});

describe('when an Observation is hard-deleted and recreated', () => {
  it('given no rule matches the recreated Observation, then the old alert is withdrawn', async () => {
    const story = storyOf([write('o-1', 0, 8), write('o-1', 0, 8, { does: 'make-anew', code: '9999-9' })]);

    const { account } = await runScenario(scenarioOf(story), {});

    const alerts = account.tables.inspect('alerts').map(({ row }) => `${row.rule} ${row.status} ${row.because}`);
    expect(alerts).toEqual(['high withdrawn corrected']);
  });
});
