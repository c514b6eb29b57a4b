import { type Behaviour, createHospital, type Hospital, hospitalEvent } from './hospital.js';
import { type Fault, isOfInterest, type Machine, mostOf } from './world.js';

// Plays each short story once for every step at which something can go wrong.

/** `drops`: the number of tables that the story drops when nothing goes wrong. */
type Story = { given: string; play: (hospital: Hospital) => Promise<void>; drops?: number };

const old = hospitalEvent({ resource: 1, version: 1, incarnation: 0 });
const alsoOld = hospitalEvent({ resource: 2, version: 1, incarnation: 0 });
const v1 = hospitalEvent({ resource: 1, version: 1, incarnation: 1 });
const v2 = hospitalEvent({ resource: 1, version: 2, incarnation: 1 });
/** The name of the first process. */
const FIRST_APP = 'p2';
/** Returns one behaviour for each call in turn, the last one again and again. */
const behaving = (...behaviours: Behaviour[]) => {
  let calls = 0;
  return () => behaviours[Math.min(calls++, behaviours.length - 1)] ?? 'ok';
};

const stories: Story[] = [
  {
    given: 'an event for two workflows with short jobs and one with long jobs',
    async play(hospital) {
      hospital.publish([v1]);
      await hospital.untilQuiet(400_000);
    },
  },
  {
    given: 'handlers that fail once, then succeed',
    async play(hospital) {
      hospital.behaviour = behaving('throws', 'throws', 'throws', 'ok');
      hospital.publish([v1, v2]);
      await hospital.untilQuiet(400_000);
    },
  },
  {
    given: 'handlers that fail for good, and a redrive that succeeds',
    async play(hospital) {
      hospital.behaviour = () => 'for-good';
      hospital.publish([v1]);
      await hospital.untilQuiet(200_000);
      hospital.behaviour = () => 'ok';
      hospital.redriveAll();
      await hospital.world.run({ ms: 100_000 });
    },
  },
  {
    given: 'a redrive that two people ask for, that fails for good, and a further redrive',
    async play(hospital) {
      hospital.behaviour = () => 'for-good';
      hospital.publish([v2]);
      await hospital.untilQuiet(100_000);
      hospital.redriveAll();
      hospital.redriveAll();
      await hospital.world.run({ ms: 100_000 });
      hospital.behaviour = () => 'ok';
      hospital.redriveAll();
      await hospital.world.run({ ms: 100_000 });
    },
  },
  {
    given: 'a newer version that arrives first and fails for good, the older version, and a redrive',
    async play(hospital) {
      hospital.behaviour = () => 'for-good';
      hospital.publish([v2]);
      await hospital.untilQuiet(100_000);
      hospital.behaviour = () => 'ok';
      hospital.publish([v1]);
      await hospital.untilQuiet(100_000);
      hospital.redriveAll();
      await hospital.world.run({ ms: 100_000 });
    },
  },
  {
    given: 'handlers that run beyond the deadline',
    async play(hospital) {
      hospital.behaviour = behaving('ignores-signal', 'slow', 'slow', 'ok');
      hospital.publish([v1]);
      await hospital.untilQuiet(400_000);
    },
  },
  {
    given: 'an event of a day whose table is being dropped',
    drops: 1,
    async play(hospital) {
      hospital.publish([old]);
      await hospital.world.run({ ms: 700_000 });
      const [app] = hospital.apps;
      if (app) hospital.expire(app);
      await hospital.world.run({ ms: 10, steps: 6 });
      hospital.publish([alsoOld]);
      await hospital.world.run({ ms: 10, steps: 40 });
      hospital.publish([alsoOld, v1]);
      await hospital.world.run({ ms: 200_000 });
    },
  },
  {
    given: 'a process that ends in an orderly way while handlers run',
    async play(hospital) {
      hospital.behaviour = behaving('ignores-signal', 'slow', 'slow', 'ok');
      hospital.publish([v1]);
      await hospital.world.run({ ms: 5 });
      const [app] = hospital.apps.splice(0, 1);
      void app?.pipeline.stop().then(() => app.machine.crash());
      await hospital.world.run({ ms: 100_000 });
    },
  },
];

async function playStory(
  story: Story,
  trouble: (hospital: Hospital) => void,
): Promise<{ violations: string[]; hospital: Hospital }> {
  const hospital = createHospital(7, { skewMs: 3000 });
  hospital.startApp();
  hospital.startApp();
  trouble(hospital);
  await story.play(hospital);
  return { violations: await hospital.comeToRest(), hospital };
}

/** Plays the story with trouble before step `at`, counted from 0. */
function playWithTrouble(
  at: number,
  story: Story,
  trouble: (hospital: Hospital, machine: Machine) => void,
): ReturnType<typeof playStory> {
  return playStory(story, (hospital) => {
    let step = 0;
    hospital.world.onStep = (machine) => {
      if (step === at) trouble(hospital, machine);
      step += 1;
    };
  });
}

/** Plays the story without trouble. Returns the machine of each step, and the numbers of the calls to storage. */
async function measure(story: Story): Promise<{ steps: string[]; calls: number[] }> {
  const calls: number[] = [];
  const steps: string[] = [];
  const { hospital } = await playStory(story, ({ world }) => {
    world.faults = (call) => {
      if (isOfInterest(call)) calls.push(call.number);
      return 'ok';
    };
    world.onStep = ({ name }) => void steps.push(name);
  });
  expect(hospital.drops).toBe(story.drops ?? 0);
  return { steps, calls };
}

describe.each(stories)('given $given', (story) => {
  it('and all processes crash before any one step, then no invariant is broken', async () => {
    const { steps } = await measure(story);
    expect(steps.length).toBeGreaterThan(20);
    for (const at of mostOf([...steps.keys()])) {
      const { violations } = await playWithTrouble(at, story, (hospital) => {
        for (const app of [...hospital.apps]) hospital.crash(app);
        hospital.startApp();
      });
      expect({ at, violations }).toEqual({ at, violations: [] });
    }
  });

  it('and a process is paused before any one of its steps, then no invariant is broken', async () => {
    const { steps } = await measure(story);
    for (const at of mostOf([...steps.keys()])) {
      if (steps[at] !== FIRST_APP) continue;
      const { violations } = await playWithTrouble(at, story, (_, machine) => machine.freeze(330_000));
      expect({ at, violations }).toEqual({ at, violations: [] });
    }
  });

  it.each<Fault>(['fail-before', 'fail-after', 'never', 'never-after', 'late'])(
    'and any one call to storage has the fate %s, then no invariant is broken',
    async (fault) => {
      const { calls } = await measure(story);
      expect(calls.length).toBeGreaterThan(5);
      for (const at of mostOf(calls)) {
        const { violations } = await playStory(story, ({ world }) => {
          world.faults = ({ number }) => (number === at ? fault : 'ok');
        });
        expect({ at, violations }).toEqual({ at, violations: [] });
      }
    },
  );
});
