import { type ImportedAll, importAllUndelivered } from '../../src/dead-letters/import-all.js';
import { deadLettersOf } from '../../src/dead-letters/list.js';
import { discardMany, redriveMany } from '../../src/dead-letters/many.js';
import type { Pace, Report } from '../../src/dead-letters/pace.js';
import { createHospital, type Hospital, hospitalEvent, type Tool } from '../simulation/hospital.js';
import { type Fault, isOfInterest } from '../simulation/world.js';

// Two people handle the same dead letters at once. The test runs each story once for every step at which something can
// go wrong; then a third person repeats the work without faults. Every event must be accounted for exactly once.

type Story = {
  given: string;
  /** Runs before any fault. */
  before: (hospital: Hospital) => Promise<void>;
  /** The commands of two people at once. */
  acts: readonly [Act, Act];
  /** The command of a third person in the end. */
  finally: Act;
  /** Returns what is wrong at the end, beside the checks of every hospital; each text is a failure. */
  wrongs: (hospital: Hospital) => string[];
};
type Act = (tool: Tool) => Promise<unknown>;

const PACE: Pace = { atOnce: 4, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };
const BY = { by: 'somebody' };

const v1 = hospitalEvent({ resource: 1, version: 1, life: 1 });
const v2 = hospitalEvent({ resource: 1, version: 2, life: 1 });
const v3 = hospitalEvent({ resource: 1, version: 3, life: 1 });
const other = hospitalEvent({ resource: 2, version: 1, life: 1 });
/** Returns the content of `event` under the id of the event that is corrected. */
const asCorrection = (event: unknown) => ({ ...(event as object), id: (v1 as { id: string }).id });
const broken = { ...(other as Record<string, unknown>), data: { some: 'thing' } };

const redriveAll: Act = ({ deadLetterStores }) =>
  redriveMany(deadLettersOf(deadLetterStores, {}), BY, { pace: PACE, stores: deadLetterStores });
const discardAll: Act = ({ deadLetterStores }) =>
  discardMany(deadLettersOf(deadLetterStores, {}), { ...BY, why: 'enough' }, { pace: PACE, stores: deadLetterStores });
const importUndelivered: Act = ({ deadLetterStores }) => importAllUndelivered(deadLetterStores, async () => true);
const editAll =
  (event: unknown): Act =>
  ({ deadLetterStores }) =>
    redriveMany(deadLettersOf(deadLetterStores, {}), { ...BY, event }, { pace: PACE, stores: deadLetterStores });

async function die(hospital: Hospital): Promise<void> {
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
    given: 'two who redrive the same letters',
    before: die,
    acts: [redriveAll, redriveAll],
    finally: redriveAll,
    wrongs: (hospital) => [...nothingPending(hospital), ...allWith(hospital, v1, ['completed'])],
  },
  {
    given: 'one who redrives and one who discards',
    before: die,
    acts: [redriveAll, discardAll],
    finally: discardAll,
    wrongs: (hospital) => [...nothingPending(hospital), ...allWith(hospital, v1, ['completed', 'dead'])],
  },
  {
    given: 'two who correct the payload, each in another way',
    async before(hospital) {
      hospital.know([asCorrection(v2), asCorrection(v3)]);
      await die(hospital);
    },
    acts: [editAll(asCorrection(v2)), editAll(asCorrection(v3))],
    finally: editAll(asCorrection(v2)),
    wrongs: (hospital) => {
      const edits = [...hospital.world.blobs.inspect().keys()].filter((name) => name.startsWith('edited/'));
      const unlinked = hospital.jobsOfRaw(v1).filter((address) => {
        const edit = hospital.recordOf(address)?.edit;
        return !edits.some((name) => name.endsWith(`.1.${edit}.json`));
      });
      return [...nothingPending(hospital), ...unlinked.map((address) => `no correction is linked: ${address}`)];
    },
  },
  {
    given: 'two who correct an event that was none',
    async before(hospital) {
      hospital.know([other]);
      hospital.publish([broken]);
      await hospital.untilQuiet(100_000);
    },
    acts: [editAll(other), editAll(other)],
    finally: editAll(other),
    wrongs: (hospital) => [...nothingPending(hospital), ...allWith(hospital, other, ['completed', 'superseded'])],
  },
  {
    given: 'undelivered events, imported by two at once',
    async before({ world, know }) {
      know([v1, v2, other]);
      const lost = (raw: unknown) => ({ ...(raw as object), deadletterreason: 'TimeToLiveExceeded' });
      await world.undelivered.create('A/2026/3/14/9/x.json', JSON.stringify([lost(v1), lost(v2), 'nothing']));
      await world.undelivered.create('A/2026/3/14/10/y.json', JSON.stringify([lost(other), lost(broken)]));
    },
    acts: [importUndelivered, redriveAll],
    finally: importUndelivered,
    wrongs(hospital) {
      const names = [...hospital.world.undelivered.inspect().keys()];
      const left = names.filter((name) => !name.startsWith('resolved/'));
      const letters = pendingOf(hospital);
      return [
        ...left.map((name) => `still there: ${name}`),
        ...(names.length === 2 ? [] : [`of two blobs, ${names} are left`]),
        ...(letters.length === 2 ? [] : [`the two that are no events have ${letters.length} letters: ${letters}`]),
        ...[v1, v2, other].flatMap((raw) => allWith(hospital, raw, ['completed', 'superseded'])),
      ];
    },
  },
];

/** `steps` says of each step of the acts whose it is: the number of one of the two, or `APP`. */
type Told = { wrongs: string[]; steps: number[]; calls: number };
const APP = -1;

async function runStory(story: Story, trouble: (hospital: Hospital, tools: Tool[]) => void = () => {}): Promise<Told> {
  const hospital = createHospital(10, { skewMs: 3000 });
  const { world } = hospital;
  hospital.startApp();
  await story.before(hospital);
  const tools = [hospital.startTool(), hospital.startTool()];
  const steps: number[] = [];
  let calls = 0;
  world.onStep = (machine) => void steps.push(tools.findIndex((tool) => tool.machine === machine));
  world.faults = (call) => {
    if (isOfInterest(call)) calls += 1;
    return 'ok';
  };
  trouble(hospital, tools);
  // A person gets a report or an error. Both are fine, because the third person goes on.
  for (const [index, act] of story.acts.entries()) void act(tools[index] as Tool).catch(() => undefined);
  await world.run({ ms: 60_000 });
  world.onStep = undefined;
  await hospital.comeToRest();

  await patiently(story.finally, hospital);
  const wrongs = [...(await hospital.comeToRest()), ...story.wrongs(hospital)];
  return { wrongs: [...new Set(wrongs)], steps, calls };
}

/** Calls time out in the best of worlds: who sees that something failed does it again. */
async function patiently(act: Act, hospital: Hospital): Promise<void> {
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
  hospital.wrongs.push('the last one fails again and again');
}

describe.each(stories)('given $given', (story) => {
  it('and no trouble, then everything is accounted for, once', async () => {
    expect(await runStory(story)).toMatchObject({ wrongs: [] });
  });

  // A process that is killed before a step of another one does no more than if it is killed before its own next step.
  it.each<{ given: string; whose: number[]; befall: (tools: Tool[], hospital: Hospital) => void }>([
    { given: 'one of the two is killed', whose: [0], befall: ([one]) => one?.machine.crash() },
    { given: 'both are killed', whose: [0, 1], befall: crashAll },
    { given: 'one of the two stands still for minutes', whose: [0], befall: ([one]) => one?.machine.freeze(330_000) },
    {
      given: 'the app is killed, and starts again',
      whose: [APP],
      befall(_tools, hospital) {
        for (const app of [...hospital.apps]) hospital.crash(app);
        hospital.startApp();
      },
    },
  ])('and $given, at every step, then the same', async ({ whose, befall }) => {
    const { steps } = await runStory(story);
    const moments = [...steps.keys()].filter((at) => whose.includes(steps[at] as number));
    expect(moments.length).toBeGreaterThan(20);
    for (const at of mostOf(moments)) {
      const { wrongs } = await runStory(story, (hospital, tools) => {
        let step = 0;
        hospital.world.onStep = () => {
          if (step === at) befall(tools, hospital);
          step += 1;
        };
      });
      expect({ at, wrongs }).toEqual({ at, wrongs: [] });
    }
  });

  it.each<Fault>(['fail-before', 'fail-after', 'never', 'never-after', 'late'])(
    'and a call to storage with the fate %s, at every call, then the same',
    async (fault) => {
      const { calls } = await runStory(story);
      expect(calls).toBeGreaterThan(5);
      for (let at = 1; at <= calls; at += 1) {
        const { wrongs } = await runStory(story, ({ world }) => {
          let call = 0;
          world.faults = (of) => {
            if (!isOfInterest(of)) return 'ok';
            call += 1;
            return call === at ? fault : 'ok';
          };
        });
        expect({ at, wrongs }).toEqual({ at, wrongs: [] });
      }
    },
  );
});

function crashAll(tools: readonly Tool[]): void {
  for (const { machine } of tools) machine.crash();
}

/** Every one of the first, where the story is; further on, where it is mostly timers, some. */
function mostOf(moments: readonly number[]): number[] {
  return moments.filter((_, at) => at < 120 || at % 17 === 0);
}
