import { z } from 'zod';
import {
  afterApplying,
  appliedOfRow,
  defineWorkflow,
  dicom,
  digest,
  fhir,
  type HealthEvent,
  lookup,
  orderOf,
  type Row,
  rowOfApplied,
  shardOf,
} from '../workflow.js';

/**
 * Few partitions, so that writes share transactions; each takes 2,000 rows/s. Never change the number: rows would not
 * be found.
 */
const PARTITIONS = 8;

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
  async handle(event, { tables, idempotencyKey }) {
    const { partition, named, key } = placeOf(event);
    await tables('resources').change(
      partition,
      `${named}.${key}`,
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
      const { partition, named } = placeOfName(query);
      const found = await tables('resources').list(partition, { from: `${named}.`, to: `${named}.~` });
      return { resources: found.map(({ row: { eventKey: _, bornAt: _2, ...row } }) => row) };
    },
  }),
});

type Name = { resourceType: string; resourceId: string } | { studyUid: string; seriesUid: string; instanceUid: string };

/** Keys are digests, because keys reach the logs of storage. Rows of one name in several services are neighbours. */
function placeOf(event: HealthEvent): { partition: string; named: string; key: string } {
  const where = event.service === 'fhir' ? [event.host] : [event.host, event.partition];
  return { ...placeOfName(event), key: digest(JSON.stringify(where)) };
}

function placeOfName(name: Name): { partition: string; named: string } {
  const parts =
    'resourceType' in name ? [name.resourceType, name.resourceId] : [name.studyUid, name.seriesUid, name.instanceUid];
  const named = digest(JSON.stringify(parts));
  return { partition: String(shardOf(named, PARTITIONS)), named };
}

function describe(event: HealthEvent): Row {
  const { service, host, change } = event;
  return { service, host, change, ...identityOf(event) };
}

function identityOf(event: HealthEvent): Row {
  switch (event.service) {
    case 'fhir':
      return { resourceType: event.resourceType, resourceId: event.resourceId };
    case 'dicom':
      return {
        dicomPartition: event.partition,
        studyUid: event.studyUid,
        seriesUid: event.seriesUid,
        instanceUid: event.instanceUid,
      };
    default:
      throw new TypeError(`unhandled ${JSON.stringify(event satisfies never)}`);
  }
}
