import { createImagingStudies } from '../../../src/workflows/imaging-studies/imaging-studies.js';
import type { App } from '../../pipeline/memory-app.js';
import type { Fault } from '../../storage/faults.js';
import { createStorageWorld } from './storage-world.js';
import { expectedOf, type Step, storyOf } from './stories.js';

// One short story, told once for every call to storage at which something can go wrong in it.

const step = (image: number, does: Step['does'], modality = 'CT'): Step => ({ image, does, modality, gapMs: 1000 });
const story = storyOf([
  step(0, 'stored'),
  step(2, 'stored'),
  step(1, 'stored', 'SR'),
  step(0, 'updated'),
  step(0, 'deleted'),
  step(4, 'stored'),
  step(1, 'deleted'),
  step(1, 'stored', 'MR'),
]);
/** Numbers of events: out of order, some twice. */
const BATCHES = [
  [1, 0, 3],
  [4, 5, 1],
  [7, 2],
  [6, 2, 7],
];

type Trouble = Fault | 'crash-before' | 'crash-after';

/** Tells the story with trouble at call `at` of the first process; how many calls it has made. */
async function runWith(trouble: Trouble, at: number) {
  const world = createStorageWorld(story.events);
  const workflow = createImagingStudies();
  const first = world.start(workflow);
  const second = world.start(createImagingStudies());
  let calls = 0;
  first.storageIs(() => {
    calls += 1;
    if (calls !== at) return 'ok';
    if (trouble === 'crash-before' || trouble === 'crash-after') first.crash();
    if (trouble === 'crash-before') return 'never';
    return trouble === 'crash-after' ? 'never-after' : trouble;
  });
  let now = 0;
  for (const batch of BATCHES) {
    now = Math.max(now, ...batch);
    world.serviceHolds(story.moments[now] as (typeof story.moments)[0]);
    const apps: App[] = trouble.startsWith('crash') && calls >= at && at > 0 ? [second] : [first, second];
    await world.deliver(
      batch.map((number) => story.events[number] as (typeof story.events)[0]),
      apps,
    );
  }
  await world.comeToRest(second);
  return { world, workflow, calls };
}

describe('when something goes wrong at one call to storage', () => {
  const expected = expectedOf(story.moments.at(-1) as (typeof story.moments)[0]);

  it('given nothing does, then the row is that of what the service holds, and settles', async () => {
    const { world, workflow } = await runWith('ok', 0);

    expect(expected).toMatchObject({ instances: 3, series: 2, modalities: 'CT,MR' });
    expect(world.studies()).toMatchObject([{ ...expected, status: 'arriving' }]);
    await world.runTimer(workflow, 11);
    expect(world.studies()).toMatchObject([{ ...expected, status: 'settled' }]);
  });

  it.each<Trouble>(['fail-before', 'fail-after', 'never', 'never-after', 'crash-before', 'crash-after'])(
    'given %s at any of them, then the row is the same in the end, and settles',
    async (trouble) => {
      const { calls } = await runWith('ok', 0);
      expect(calls).toBeGreaterThan(50);
      for (let at = 1; at <= calls; at += 1) {
        const { world, workflow } = await runWith(trouble, at);
        const found = { at, studies: world.studies(), regressions: world.regressions };
        expect(found).toMatchObject({ at, studies: [{ ...expected, status: 'arriving' }], regressions: [] });
        await world.runTimer(workflow, 12);
        expect({ at, studies: world.studies(), open: world.open() }).toMatchObject({
          at,
          studies: [{ ...expected, status: 'settled' }],
          open: [],
        });
      }
    },
  );
});
