import { type ImportedAll, importAllUndelivered } from '../../src/dead-letters/import-undelivered.js';
import { deadLettersOf } from '../../src/dead-letters/list.js';
import { discardMany, redriveMany } from '../../src/dead-letters/many.js';
import type { Pace, Report } from '../../src/dead-letters/pace.js';
import { createHospital, type Hospital, hospitalEvent, type Tool } from '../simulation/hospital.js';
import { type Fault, isOfInterest, mostOf } from '../simulation/world.js';

// Two people handle the same dead letters at once. The test plays each story once for every step at which something can
// go wrong; then a third person repeats the work without faults. Every event must be accounted for exactly once.

type Story = {
  given: string;
  /** Runs before any fault. */
  before: (hospital: Hospital) => Promise<void>;
  /** The commands of two people at once. */
  acts: readonly [Act, Act];
  /** The command of a third person in the end. */
  finally: Act;
  /** Returns the violations at the end that only this story has. */
  violations: (hospital: Hospital) => string[];
};
type Act = (tool: Tool) => Promise<unknown>;

const PACE: Pace = { atOnce: 4, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };
const BY = { by: 'somebody' };

const v1 = hospitalEvent({ resource: 1, version: 1, incarnation: 1 });
const v2 = hospitalEvent({ resource: 1, version: 2, incarnation: 1 });
const v3 = hospitalEvent({ resource: 1, version: 3, incarnation: 1 });
const other = hospitalEvent({ resource: 2, version: 1, incarnation: 1 });
/** Returns the content of `event` under the id of the event that is corrected. */
const asCorrection = (event: unknown) => ({ ...(event as object), id: (v1 as { id: string }).id });
const invalid = { ...(other as Record<string, unknown>), data: { some: 'thing' } };

const redriveAll: Act = ({ deadLetterStores }) =>
  redriveMany(deadLettersOf(deadLetterStores, {}), BY, { pace: PACE, stores: deadLetterStores });
const discardAll: Act = ({ deadLetterStores }) =>
  discardMany(deadLettersOf(deadLetterStores, {}), { ...BY, why: 'enough' }, { pace: PACE, stores: deadLetterStores });
const importUndelivered: Act = ({ deadLetterStores }) => importAllUndelivered(deadLetterStores, async () => true);
const editAll =
  (event: unknown): Act =>
  ({ deadLetterStores }) =>
    redriveMany(deadLettersOf(deadLetterStores, {}), { ...BY, event }, { pace: PACE, stores: deadLetterStores });

async function makeDeadLetters(hospital: Hospital): Promise<void> {
  hospital.behaviour = () => 'for-good';
  hospital.publish([v1]);
  await hospital.untilQuiet(100_000);
  hospital.behaviour = () => 'ok';
}

const pendingOf = ({ world }: Hospital) => {
  const names = [...world.blobs.inspect().keys()];
  return names.filter((name) => name.startsWith('pending/') && !names.includes(name.replace('pending', 'resolved')));
};
const nothingPending = (hospital: Hospital) => pendingOf(hospital).map((name) => `still pending: ${name}`);
const allWith = (hospital: Hospital, raw: unknown, results: readonly unknown[]) =>
  hospital.jobsOfRaw(raw).flatMap((address) => {
    const record = hospital.recordOf(address);
    return results.includes(record?.result) ? [] : [`${address} is ${JSON.stringify(record)}`];
  });

const stories: Story[] = [
  {
    given: 'two people who redrive the same dead letters',
    before: makeDeadLetters,
    acts: [redriveAll, redriveAll],
    finally: redriveAll,
    violations: (hospital) => [...nothingPending(hospital), ...allWith(hospital, v1, ['completed'])],
  },
  {
    given: 'one person who redrives and one who discards',
    before: makeDeadLetters,
    acts: [redriveAll, discardAll],
    finally: discardAll,
    violations: (hospital) => [...nothingPending(hospital), ...allWith(hospital, v1, ['completed', 'dead'])],
  },
  {
    given: 'two people who correct the payload differently',
    async before(hospital) {
      hospital.watchJobs([asCorrection(v2), asCorrection(v3)]);
      await makeDeadLetters(hospital);
    },
    acts: [editAll(asCorrection(v2)), editAll(asCorrection(v3))],
    finally: editAll(asCorrection(v2)),
    violations: (hospital) => {
      const edits = [...hospital.world.blobs.inspect().keys()].filter((name) => name.startsWith('edited/'));
      const unlinked = hospital.jobsOfRaw(v1).filter((address) => {
        const edit = hospital.recordOf(address)?.edit;
        return !edits.some((name) => name.endsWith(`.1.${edit}.json`));
      });
      return [...nothingPending(hospital), ...unlinked.map((address) => `no correction is linked: ${address}`)];
    },
  },
  {
    given: 'two people who correct an invalid event',
    async before(hospital) {
      hospital.watchJobs([other]);
      hospital.publish([invalid]);
      await hospital.untilQuiet(100_000);
    },
    acts: [editAll(other), editAll(other)],
    finally: editAll(other),
    violations: (hospital) => [...nothingPending(hospital), ...allWith(hospital, other, ['completed', 'superseded'])],
  },
  {
    given: 'one person who imports undelivered events and one who redrives',
    async before({ world, watchJobs }) {
      watchJobs([v1, v2, other]);
      const lost = (raw: unknown) => ({ ...(raw as object), deadletterreason: 'TimeToLiveExceeded' });
      await world.undelivered.create('A/2026/3/14/9/x.json', JSON.stringify([lost(v1), lost(v2), 'nothing']));
      await world.undelivered.create('A/2026/3/14/10/y.json', JSON.stringify([lost(other), lost(invalid)]));
    },
    acts: [importUndelivered, redriveAll],
    finally: importUndelivered,
    violations(hospital) {
      const names = [...hospital.world.undelivered.inspect().keys()];
      const left = names.filter((name) => !name.startsWith('resolved/'));
      const pending = pendingOf(hospital);
      return [
        ...left.map((name) => `still there: ${name}`),
        ...(names.length === 2 ? [] : [`of two blobs, ${names} are left`]),
        ...(pending.length === 2 ? [] : [`two invalid events have ${pending.length} dead letters: ${pending}`]),
        ...[v1, v2, other].flatMap((raw) => allWith(hospital, raw, ['completed', 'superseded'])),
      ];
    },
  },
];

/** `steps`: who takes each step, person 0 or 1, or the `APP`. `calls`: the numbers of the calls to storage. */
type Played = { violations: string[]; steps: number[]; calls: number[] };
const APP = -1;

async function play(story: Story, trouble: (hospital: Hospital, tools: Tool[]) => void = () => {}): Promise<Played> {
  const hospital = createHospital(10, { skewMs: 3000 });
  const { world } = hospital;
  hospital.startApp();
  await story.before(hospital);
  const tools = [hospital.startTool(), hospital.startTool()];
  const steps: number[] = [];
  const calls: number[] = [];
  world.onStep = (machine) => void steps.push(tools.findIndex((tool) => tool.machine === machine));
  world.faults = (call) => {
    if (isOfInterest(call)) calls.push(call.number);
    return 'ok';
  };
  trouble(hospital, tools);
  // Each person gets a report or an error. Both are right, because the third person finishes the work.
  for (const [index, act] of story.acts.entries()) void act(tools[index] as Tool).catch(() => undefined);
  await world.run({ ms: 60_000 });
  world.onStep = undefined;
  await hospital.comeToRest();

  await repeat(story.finally, hospital);
  const violations = [...(await hospital.comeToRest()), ...story.violations(hospital)];
  return { violations: [...new Set(violations)], steps, calls };
}

/** Repeats a command until nothing of it fails: a call can time out even without a fault. */
async function repeat(act: Act, hospital: Hospital): Promise<void> {
  for (let tries = 20; tries > 0; tries -= 1) {
    let hasEnded = false;
    let hasFailed = true;
    act(hospital.startTool())
      .then((report) => {
        const { counts, failed } = report as Partial<Report & ImportedAll>;
        hasFailed = counts?.failed !== undefined || (failed ?? 0) > 0;
      })
      .catch(() => undefined)
      .finally(() => {
        hasEnded = true;
      });
    await hospital.world.run({ isDone: () => hasEnded, ms: 600_000 });
    if (!hasFailed) return;
  }
  hospital.violations.push('the command of the third person fails again and again');
}

describe.each(stories)('given $given', (story) => {
  it('and no trouble, then every event is accounted for once', async () => {
    expect(await play(story)).toMatchObject({ violations: [] });
  });

  // A process does nothing between two of its own steps, so trouble comes only before these.
  it.each<{ given: string; steppers: number[]; trouble: (tools: Tool[], hospital: Hospital) => void }>([
    { given: 'the first command is killed', steppers: [0], trouble: ([first]) => first?.machine.crash() },
    { given: 'both commands are killed', steppers: [0, 1], trouble: crashAll },
    {
      given: 'the first command is paused for minutes',
      steppers: [0],
      trouble: ([first]) => first?.machine.freeze(330_000),
    },
    {
      given: 'the app is killed, and starts again',
      steppers: [APP],
      trouble(_tools, hospital) {
        for (const app of [...hospital.apps]) hospital.crash(app);
        hospital.startApp();
      },
    },
  ])('and $given before any one step, then every event is accounted for once', async ({ steppers, trouble }) => {
    const { steps } = await play(story);
    const moments = [...steps.keys()].filter((at) => steppers.includes(steps[at] as number));
    expect(moments.length).toBeGreaterThan(20);
    for (const at of mostOf(moments)) {
      const { violations } = await play(story, (hospital, tools) => {
        let step = 0;
        hospital.world.onStep = () => {
          if (step === at) trouble(tools, hospital);
          step += 1;
        };
      });
      expect({ at, violations }).toEqual({ at, violations: [] });
    }
  });

  it.each<Fault>(['fail-before', 'fail-after', 'never', 'never-after', 'late'])(
    'and any one call to storage has the fate %s, then every event is accounted for once',
    async (fault) => {
      const { calls } = await play(story);
      expect(calls.length).toBeGreaterThan(5);
      for (const at of calls) {
        const { violations } = await play(story, ({ world }) => {
          world.faults = ({ number }) => (number === at ? fault : 'ok');
        });
        expect({ at, violations }).toEqual({ at, violations: [] });
      }
    },
  );
});

function crashAll(tools: readonly Tool[]): void {
  for (const { machine } of tools) machine.crash();
}
