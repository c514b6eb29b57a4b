import fc from 'fast-check';
import { patientRegistry } from '../../../src/workflows/patient-registry/patient-registry.js';
import { everyCrash, everyOrder, runScenario, type Scenario, type StoryEvent } from '../every-crash.js';
import { deliveriesOf, histories } from '../histories.js';
import { endOf, MRN, patientEvent, person, SETTINGS, tablesOf } from './people.js';

const secret = (value: string) => [{ system: MRN, value }];

/** A patient arrives, marries, turns out to be registered twice, is merged, and one of the two is deleted. */
const STORY: readonly StoryEvent[] = [
  patientEvent('p1', 1, { name: [{ family: 'Kowalska', given: ['Zofia'] }], identifier: secret('SECRET-1') }),
  patientEvent('p2', 1, { name: [{ family: 'Kowalska' }], identifier: secret('SECRET-2') }),
  patientEvent('p1', 2, { name: [{ family: 'Novak', given: ['Zofia'] }], identifier: secret('SECRET-1') }),
  patientEvent('p2', 2, { active: false, link: [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }] }),
  patientEvent('p1', 3, {
    name: [{ family: 'Novak', given: ['Zofia'] }],
    link: [{ type: 'replaces', other: { reference: 'Patient/p2' } }],
  }),
  patientEvent('p2', 3),
];

async function scenarioOf(story: readonly StoryEvent[]): Promise<Scenario> {
  return { workflow: patientRegistry, story, settings: SETTINGS, look: tablesOf, expected: await endOf(story) };
}

describe('when patients come, change, are merged and go', () => {
  it('given no trouble, then the tables hold the remaining patient', async () => {
    const { found } = await runScenario(await scenarioOf(STORY), {});

    const { patients, patientkeys } = found as ReturnType<typeof tablesOf>;
    expect(patients.map(({ row }) => row)).toMatchObject([{ resourceId: 'p1', version: 3, family: 'Novak' }]);
    expect(patientkeys).toHaveLength(['novak', 'zofia', 'replaces p2'].length);
  });

  it('given any trouble at any call to storage, then the tables end the same', async () => {
    const times = await everyCrash(await scenarioOf(STORY));

    expect(times).toBeGreaterThan(300);
  });

  it('given any order, duplicates, and several troubles, then the tables end the same', async () => {
    await everyOrder(await scenarioOf(STORY), 300);
  });

  it('given a deletion that arrives after the patient was recreated, then no failure removes the new patient', async () => {
    const { event, content } = patientEvent('p1', 1, { name: [{ family: 'Novak' }] });
    const anew = { event: { ...event, time: '2026-01-02T12:00:00.000Z' }, content };
    const story = [patientEvent('p1', 3), anew];

    expect(await everyCrash(await scenarioOf(story), { batches: [[1], [0]] })).toBeGreaterThan(80);
  });

  it('given names and identifiers, then no key, table name or log line holds them', async () => {
    const scenario = await scenarioOf(STORY.slice(0, 4));
    const lines: string[] = [];
    for (let at = 1; at < 30; at += 1) {
      lines.push(...(await runScenario(scenario, { troubles: new Map([[at, 'fail-before']]) })).lines);
    }
    const { account } = await runScenario(scenario, {});

    const tables = ['patients', 'patientkeys', 'watermarks', 'waiting'];
    const stored = tables.flatMap((table) => account.tables.inspect(table));
    const seen = [...stored.map(({ partition, key }) => `${partition} ${key}`), ...lines].join('\n').toLowerCase();
    expect(stored.length).toBeGreaterThan(9);
    expect(lines.length).toBeGreaterThan(0);
    for (const word of ['kowals', 'novak', 'zofia', 'secret', 'hospital.example']) expect(seen).not.toContain(word);
  });
});

describe('when versions of a patient arrive in any order, several times, some of them together', () => {
  const FAMILIES = ['Sato', 'Haddad', 'Garcia'];
  const cases = histories().chain((history) => fc.tuple(fc.constant(history), deliveriesOf(history)));

  it('given each has other content, then the tables end at the newest', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ([history, deliveries]) => {
        const story = history.map((event, at): StoryEvent => {
          const fields = { name: [{ family: FAMILIES[at % 3] as string }], identifier: secret(`${at % 2}`) };
          return { event, content: event.change === 'deleted' ? undefined : person('r1', event.version, fields) };
        });
        const batches = deliveries.map((batch) => batch.map((event) => history.indexOf(event)));

        const scenario = await scenarioOf(story);

        expect((await runScenario(scenario, { batches })).found).toEqual(scenario.expected);
      }),
      { numRuns: 200 },
    );
  });
});
