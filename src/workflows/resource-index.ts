import * as z from 'zod';
import {
  afterApplying,
  appliedOfRow,
  defineWorkflow,
  dicom,
  digest,
  fhir,
  type HealthEvent,
  lookup,
  neighboursOf,
  orderOf,
  type Place,
  type Row,
  rowOfApplied,
} from '../workflow.js';

const word = z.string().min(1).max(1024);

/**
 * Keeps table `resources`: one row for each resource and image, past or present, with its newest version and last
 * change. The row of a deleted resource stays, with `change` deleted, and refuses versions that arrive late.
 *
 * The row is its own watermark. The only write is on condition that the row holds nothing newer:
 *   the process dies before the write   the next try writes
 *   the process dies after the write    the next try finds the row and keeps it
 *   two versions are written at once    one write finds that the row has changed, and decides again
 */
export const resourceIndex = defineWorkflow({
  name: 'resource-index',
  on: [fhir('*'), dicom()],
  concurrency: 2000, // no service is read, and jobs under way share transactions
  async handle(event, { tables, idempotencyKey }) {
    const { partition, key } = placeOf(event);
    await tables('resources').change(
      partition,
      key,
      (current) => {
        const applied = current && appliedOfRow(current);
        if (orderOf(event, idempotencyKey, applied) !== 'newer') return 'keep';
        return { ...describe(event), ...rowOfApplied(afterApplying(event, idempotencyKey, applied)) };
      },
      event.change === 'created' ? { expect: 'absent' } : {},
    );
  },
  lookup: lookup({
    name: 'resources',
    query: z.union(
      [
        z.strictObject({ resourceType: word, resourceId: word }),
        z.strictObject({ studyUid: word, seriesUid: word, instanceUid: word }),
      ],
      { error: 'must be {"resourceType","resourceId"} or {"studyUid","seriesUid","instanceUid"}, each a text' },
    ),
    async answer(query, { tables }) {
      const { partition, prefix } = neighboursOf(textOfName(query));
      const found = await tables('resources').list(partition, { from: prefix, to: `${prefix}~` });
      return { resources: found.map(({ row: { eventKey: _, bornAt: _2, ...row } }) => row) };
    },
  }),
});

type Name = { resourceType: string; resourceId: string } | { studyUid: string; seriesUid: string; instanceUid: string };

/** Returns the place of a row. Resources with the same name in several services are neighbours. */
function placeOf(event: HealthEvent): Place {
  const where = event.service === 'fhir' ? [event.host] : [event.host, event.partition];
  const { partition, prefix } = neighboursOf(textOfName(event));
  return { partition, key: `${prefix}${digest(JSON.stringify(where))}` };
}

function textOfName(name: Name): string {
  const parts =
    'resourceType' in name ? [name.resourceType, name.resourceId] : [name.studyUid, name.seriesUid, name.instanceUid];
  return JSON.stringify(parts);
}

function describe(event: HealthEvent): Row {
  const { service, host, change } = event;
  if (service === 'fhir')
    return { service, host, change, resourceType: event.resourceType, resourceId: event.resourceId };
  const { partition: dicomPartition, studyUid, seriesUid, instanceUid } = event;
  return { service, host, change, dicomPartition, studyUid, seriesUid, instanceUid };
}
