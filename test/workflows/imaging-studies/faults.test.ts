import type { DicomEvent } from '../../../src/workflow.js';
import { createImagingStudies } from '../../../src/workflows/imaging-studies/imaging-studies.js';
import { everyCrash, type Scenario } from '../every-crash.js';
import { expectedOf, type Held, metadataOf, type Step, storyOf } from './stories.js';
import { runTimer } from './tables.js';

// One short story, run once for every call to storage that can go wrong in it.

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
const expected = expectedOf(story.moments.at(-1) as Held);

const scenario: Scenario = {
  workflow: createImagingStudies,
  story: story.events.map((event) => ({ event })),
  read: (event, happened) => ({
    instance: metadataOf(event as DicomEvent, story.moments[happened.length - 1] as Held),
  }),
  async look(rowsOf, account) {
    const rows = (table: string) => rowsOf(table).map(({ row }) => row);
    const arriving = rows('studies');
    await runTimer(createImagingStudies(), account, 12);
    return { arriving, settled: rows('studies'), open: rows('openstudies') };
  },
  expected: {
    arriving: [expect.objectContaining({ ...expected, status: 'arriving' })],
    settled: [expect.objectContaining({ ...expected, status: 'settled' })],
    open: [],
  },
};

describe('when a call to storage goes wrong', () => {
  it('given any call and any trouble, then the row ends as the service has the study, and settles', async () => {
    expect(expected).toMatchObject({ instances: 3, series: 2, modalities: 'CT,MR' });

    expect(await everyCrash(scenario, { batches: BATCHES })).toBeGreaterThan(300);
  });
});
