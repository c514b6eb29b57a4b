import { defineWorkflow, dicom, needsHosts, type Workflow } from '../../workflow.js';
import { afterEvent } from './instance-row.js';
import { createFindModality } from './modality.js';
import { instancePlaceOf, studyPlaceOf } from './places.js';
import { recount } from './recount.js';
import { readQuietPeriod, settleStudies } from './settle-studies.js';
import { createSharedRuns } from './shared-runs.js';
import { studiesLookup } from './studies-lookup.js';

/** Returns a workflow whose jobs share reads and counts with each other, and with no other instance. */
export function createImagingStudies(): Workflow {
  const findModality = createFindModality();
  const shareRun = createSharedRuns<void>();

  return defineWorkflow({
    name: 'imaging-studies',
    codes: ['overtaken'],
    on: dicom(),
    async handle(event, context) {
      const { resource, tables, idempotencyKey } = context;
      const modality = event.change === 'deleted' ? undefined : await findModality(event, resource);
      const { partition, key } = instancePlaceOf(event);
      await tables('studyinstances').change(
        partition,
        key,
        (current) => afterEvent(event, current, { eventKey: idempotencyKey, modality }),
        event.change === 'created' ? { expect: 'absent' } : {},
      );
      // The study is counted even if the row was kept: an earlier try may have died between the two writes.
      await shareRun(studyPlaceOf(event).key, (close) => recount(event, context, close));
    },
    setup(setting) {
      const quiet = readQuietPeriod(setting);
      return 'problem' in quiet ? { kind: 'wrong', problems: [quiet.problem] } : needsHosts('dicom')(setting);
    },
    lookup: studiesLookup,
    task: { name: 'settleStudies', schedule: '0 * * * * *', run: settleStudies },
  });
}

/**
 * Keeps table `studies`: one row for each study, past or present, with its contents and whether it is complete. The row
 * is computed from one row for each image, never counted up: see `recount.ts`.
 */
export const imagingStudies = createImagingStudies();
