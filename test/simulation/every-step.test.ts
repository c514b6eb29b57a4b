import { type Behaviour, createHospital, type Hospital, hospitalEvent } from './hospital.js';
import { type Fault, isOfInterest, type Machine } from './world.js';

// Runs each short story once for every step at which something can go wrong.

/** `drops`: how many tables go in it when nothing goes wrong. */
type Story = { given: string; live: (hospital: Hospital) => Promise<void>; drops?: number };

const old = hospitalEvent({ resource: 1, version: 1, life: 0 });
const alsoOld = hospitalEvent({ resource: 2, version: 1, life: 0 });
const v1 = hospitalEvent({ resource: 1, version: 1, life: 1 });
const v2 = hospitalEvent({ resource: 1, version: 2, life: 1 });
/** The name of the machine of the first of the two processes. */
const FIRST_APP = 'p2';
const behaving = (...of: Behaviour[]) => {
  let calls = 0;
  return () => of[Math.min(calls++, of.length - 1)] ?? 'ok';
};

const stories: Story[] = [
  {
    given: 'an event that two workflows complete and one is to run for long',
    async live(hospital) {
      hospital.publish([v1]);
      await hospital.untilQuiet(400_000);
    },
  },
  {
    given: 'handlers that fail once, then succeed',
    async live(hospital) {
      hospital.behaviour = behaving('throws', 'throws', 'throws', 'ok');
      hospital.publish([v1, v2]);
      await hospital.untilQuiet(400_000);
    },
  },
  {
    given: 'handlers that fail for good, and a redrive that succeeds',
    async live(hospital) {
      hospital.behaviour = () => 'for-good';
      hospital.publish([v1]);
      await hospital.untilQuiet(200_000);
      hospital.behaviour = () => 'ok';
      hospital.redriveAll();
      await hospital.world.run({ ms: 100_000 });
    },
  },
  {
    given: 'a redrive that is asked for twice, fails for good again, and is asked for once more',
    async live(hospital) {
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
    given: 'a newer version that comes first and fails for good, the older one, and a redrive',
    async live(hospital) {
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
    given: 'handlers that go on beyond the deadline',
    async live(hospital) {
      hospital.behaviour = behaving('ignores-signal', 'slow', 'slow', 'ok');
      hospital.publish([v1]);
      await hospital.untilQuiet(400_000);
    },
  },
  {
    given: 'an event of a day whose table is being dropped',
    drops: 1,
    async live(hospital) {
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
    given: 'a process that ends in an orderly way with handlers at work',
    async live(hospital) {
      hospital.behaviour = behaving('ignores-signal', 'slow', 'slow', 'ok');
      hospital.publish([v1]);
      await hospital.world.run({ ms: 5 });
      const [app] = hospital.apps.splice(0, 1);
      void app?.pipeline.stop().then(() => app.machine.crash());
      await hospital.world.run({ ms: 100_000 });
    },
  },
];

async function tell(
  story: Story,
  trouble: (hospital: Hospital) => void,
): Promise<{ wrongs: string[]; hospital: Hospital }> {
  const hospital = createHospital(7, { skewMs: 3000 });
  hospital.startApp();
  hospital.startApp();
  trouble(hospital);
  await story.live(hospital);
  return { wrongs: await hospital.comeToRest(), hospital };
}

/** The story, in which something happens before step `at`. */
function tellUpTo(
  at: number,
  story: Story,
  befall: (hospital: Hospital, whose: Machine) => void,
): ReturnType<typeof tell> {
  return tell(story, (hospital) => {
    let step = 0;
    hospital.world.onStep = (whose) => {
      step += 1;
      if (step === at) befall(hospital, whose);
    };
  });
}

/** Whose steps, and how many calls to storage, the story has when nothing goes wrong. */
async function measure(story: Story): Promise<{ steps: string[]; calls: number }> {
  let calls = 0;
  const steps: string[] = [];
  const { hospital } = await tell(story, ({ world }) => {
    world.faults = (call) => {
      if (isOfInterest(call)) calls += 1;
      return 'ok';
    };
    world.onStep = ({ name }) => void steps.push(name);
  });
  expect(hospital.drops).toBe(story.drops ?? 0);
  return { steps, calls };
}

describe.each(stories)('given $given', (story) => {
  it('and processes that crash, at every step, then all comes to rest', async () => {
    const { steps } = await measure(story);
    expect(steps.length).toBeGreaterThan(20);
    for (const at of momentsIn(steps.length)) {
      const { wrongs } = await tellUpTo(at, story, (hospital) => {
        for (const app of [...hospital.apps]) hospital.crash(app);
        hospital.startApp();
      });
      expect({ at, wrongs }).toEqual({ at, wrongs: [] });
    }
  });

  it('and one of the two processes stands still, at its every step, then all comes to rest', async () => {
    const { steps } = await measure(story);
    for (const at of momentsIn(steps.length)) {
      if (steps[at - 1] !== FIRST_APP) continue;
      const { wrongs } = await tellUpTo(at, story, (_, process) => process.freeze(330_000));
      expect({ at, wrongs }).toEqual({ at, wrongs: [] });
    }
  });

  it.each<Fault>(['fail-before', 'fail-after', 'never', 'never-after', 'late'])(
    'and a call to storage with the fate %s, at every call, then all comes to rest',
    async (fault) => {
      const { calls } = await measure(story);
      expect(calls).toBeGreaterThan(5);
      for (const at of momentsIn(calls)) {
        const { wrongs } = await tell(story, ({ world }) => {
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

/** Every one of the first, where the story is; further on, where it is mostly timers, some. */
function* momentsIn(all: number): Generator<number> {
  for (let at = 1; at <= all; at += at < 120 ? 1 : 17) yield at;
}
