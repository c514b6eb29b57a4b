import fc from 'fast-check';
import { type Behaviour, createHospital, type Hospital, hospitalEvent, type VersionOfResource } from './hospital.js';
import { NEWEST } from './versions.js';
import type { Fault } from './world.js';

/** Something that happens in a night of faults. */
type Act =
  | { kind: 'publish'; events: VersionOfResource[] }
  | { kind: 'publish-invalid' }
  | { kind: 'pass'; ms: number }
  | { kind: 'crash'; app: number }
  | { kind: 'freeze'; app: number; ms: number }
  | { kind: 'start' }
  | { kind: 'stop'; app: number }
  | { kind: 'redrive' }
  | { kind: 'expire'; app: number }
  | { kind: 'pause' | 'resume'; app: number; workflow: string }
  | { kind: 'faults'; faults: Fault[]; share: number }
  | { kind: 'behaviour'; behaviours: Behaviour[] };

const DAY_MS = 24 * 3_600_000;

const anEvent = fc.record({
  resource: fc.integer({ min: 1, max: 2 }),
  version: fc.integer({ min: 1, max: 4 }),
  incarnation: fc.constantFrom(0 as const, 1 as const, 2 as const),
});
const acts = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        events: fc.array(anEvent, { minLength: 1, maxLength: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'publish-invalid' as const }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.constantFrom(10, 1000, 10_000, 40_000, 120_000, 1_200_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), app: fc.nat(2) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('freeze' as const),
        app: fc.nat(2),
        ms: fc.constantFrom(5000, 58_000, 70_000, 200_000),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'start' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), app: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'redrive' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire' as const), app: fc.nat(2) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('pause' as const, 'resume' as const),
        app: fc.nat(2),
        workflow: fc.constantFrom('tally', 'long', NEWEST),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('faults' as const),
        faults: fc.subarray<Fault>(['fail-before', 'fail-after', 'never', 'never-after', 'late'], { minLength: 1 }),
        share: fc.constantFrom(0, 0.02, 0.1, 0.3, 0.7),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('behaviour' as const),
        behaviours: fc.subarray<Behaviour>(
          ['ok', 'slow', 'throws', 'for-good', 'retry-after', 'ignores-signal', 'crashes'],
          { minLength: 1 },
        ),
      }),
    },
  ),
  { minLength: 3, maxLength: 40 },
);

/** Returns the violations in a night. `skewsMs`: how far the clocks of the first two machines are ahead of storage's. */
async function runNight(
  seed: number,
  night: Act[],
  skewsMs: readonly (number | undefined)[] = [undefined, undefined],
): Promise<string[]> {
  const hospital = createHospital(seed);
  for (const skewMs of skewsMs) hospital.startApp(skewMs);
  for (const act of night) {
    perform(hospital, act);
    // The next act comes while the work of this one is under way.
    await hospital.world.run(act.kind === 'pass' ? { ms: act.ms } : { ms: 5, steps: hospital.world.random() * 60 });
    if (hospital.violations.length > 0) return hospital.violations;
  }
  return hospital.comeToRest();
}

function perform(hospital: Hospital, act: Act): void {
  const { world, apps } = hospital;
  switch (act.kind) {
    case 'publish':
      hospital.publish(act.events.map(hospitalEvent));
      return;
    case 'publish-invalid':
      hospital.publish([
        { id: 'x', eventType: 'Some.Other.Event' },
        hospitalEvent({ resource: 3, version: 1, incarnation: 1 }),
      ]);
      return;
    case 'pass':
      return;
    case 'crash': {
      const app = apps[act.app];
      if (app) hospital.crash(app);
      return;
    }
    case 'freeze':
      apps[act.app]?.machine.freeze(act.ms);
      return;
    case 'start':
      if (apps.length < 3) hospital.startApp();
      return;
    case 'stop': {
      const app = apps[act.app];
      if (!app) return;
      apps.splice(act.app, 1);
      void app.pipeline.stop().then(() => app.machine.crash());
      return;
    }
    case 'redrive':
      hospital.redriveAll();
      return;
    case 'expire': {
      const app = apps[act.app];
      if (app) hospital.expire(app);
      return;
    }
    case 'pause':
    case 'resume': {
      const app = apps[act.app];
      if (app) hospital[act.kind](app, act.workflow);
      return;
    }
    case 'faults':
      world.faults = () =>
        world.random() < act.share ? (act.faults[Math.floor(world.random() * act.faults.length)] ?? 'ok') : 'ok';
      return;
    case 'behaviour':
      hospital.behaviour = () => act.behaviours[Math.floor(world.random() * act.behaviours.length)] ?? 'ok';
      return;
    default:
      throw new TypeError(`unhandled ${JSON.stringify(act satisfies never)}`);
  }
}

describe('when any acts follow each other in a night', () => {
  it('given faults, crashes, duplicates and clocks apart, then the invariants hold at every moment, and no work is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), acts, async (seed, night) => {
        expect(await runNight(seed, night)).toEqual([]);
      }),
      {
        numRuns: Number(process.env.NIGHTS ?? 60),
        interruptAfterTimeLimit: 240_000,
        ...(process.env.MUTATION ? { endOnFailure: true } : {}),
      },
    );
  });

  it('given one clock a day ahead and one a day behind, too, then the invariants hold, and no work is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), acts, async (seed, night) => {
        expect(await runNight(seed, night, [DAY_MS, -DAY_MS])).toEqual([]);
      }),
      { numRuns: Number(process.env.NIGHTS ?? 60) / 4, interruptAfterTimeLimit: 240_000 },
    );
  });
});
