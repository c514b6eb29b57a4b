import { readFileSync } from 'node:fs';
import { observationAlerts } from '../../../src/workflows/observation-alerts/observation-alerts.js';
import { runScenario } from '../every-crash.js';
import { SECRET } from './endpoint.js';
import { rulesFile } from './rules-file.js';
import { GLUCOSE, RULES, type Step, storyOf, write } from './stories.js';

const limitsOnly = rulesFile({ rules: RULES.rules.filter(({ name }) => name === 'high' || name === 'low') });
const withDeltas = rulesFile(RULES);
const WEBHOOK = { ALERT_WEBHOOK_URL: 'https://hook.example/', ALERT_WEBHOOK_SECRET: SECRET };
const TABLES = /^(read|query|commit) (alerts|activealerts|alertpatients|alertoutbox|results|resultplaces)$/;
/** The page, with columns of any width made equal. */
const page = readFileSync('src/workflows/observation-alerts/README.md', 'utf8').replace(/ +\|/g, ' |');

/** These steps make the app create every table. */
const WARM_UP = [
  write('w-1', 0, 3, { patient: 'p-9' }),
  write('w-2', 10, 9, { patient: 'p-9' }),
  write('w-2', 10, 9, { patient: 'p-9' }),
];
const TEN = Array.from({ length: 10 }, (_, n) => write(`t-${n}`, n * 2, 5));

/** Returns the requests of the last step to the workflow's own tables. */
async function costOf(steps: readonly Step[], settings: Record<string, string>): Promise<Record<string, number>> {
  const scenario = (some: readonly Step[]) => ({
    workflow: observationAlerts,
    story: storyOf([...WARM_UP, ...some]),
    settings,
    look: () => undefined,
    expected: undefined,
  });
  const before = await runScenario(scenario(steps.slice(0, -1)), {});
  const { requests } = await runScenario(scenario(steps), {});
  const own = requests.slice(before.requests.length).filter((call) => TABLES.test(call));
  const count = (pattern: RegExp) => own.filter((call) => pattern.test(call)).length;
  return { reads: count(/^read/), queries: count(/^query/), writes: count(/^commit/) };
}

const NONE = write('o-1', 0, 5, { code: '9999-9' });
const SUGAR = write('o-1', 0, 5, { code: GLUCOSE });

const costs = [
  { given: 'no rule matches a creation', rules: 'limits', steps: [NONE] },
  { given: 'no rule matches an update', rules: 'both', steps: [NONE, NONE] },
  { given: 'a limit is not passed', rules: 'limits', steps: [SUGAR] },
  { given: 'a limit is not passed, with other delta rules', rules: 'both', steps: [SUGAR] },
  { given: 'a limit is passed', rules: 'limits', steps: [{ ...SUGAR, value: 3 }] },
  { given: 'a limit is no longer passed', rules: 'limits', steps: [{ ...SUGAR, value: 3 }, SUGAR] },
  { given: 'a limit is passed, the webhook on', rules: 'webhook', steps: [{ ...SUGAR, value: 3 }] },
  { given: 'two delta rules, after 10 results', rules: 'both', steps: [...TEN, write('o-1', 30, 5)] },
  { given: 'two delta rules, among 10 results', rules: 'both', steps: [...TEN, write('o-1', 11, 5)] },
  { given: 'the same, and the next result alerts now', rules: 'both', steps: [...TEN, write('o-1', 11, 3)] },
] as const;

describe('when an Observation is looked at', () => {
  it.each(costs)('given $given ($rules), then the cost is as in the README', async ({ given, rules, steps }) => {
    const settings = {
      limits: { ALERT_RULES: limitsOnly },
      both: { ALERT_RULES: withDeltas },
      webhook: { ALERT_RULES: limitsOnly, ...WEBHOOK },
    }[rules];

    const { reads, queries, writes } = await costOf(steps, settings);

    expect(page).toContain(`| ${given} | ${reads} | ${queries} | ${writes} |`);
  });
});
