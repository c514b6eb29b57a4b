import {
  afterApplying,
  appliedOfRow,
  defineWorkflow,
  dicom,
  digest,
  fhir,
  type HealthEvent,
  orderOf,
  type Row,
  resourceOf,
  rowOfApplied,
  shardOf,
} from '../workflow.js';

/** Few, so that writes share transactions; 2,000 rows/s each. A constant: with another number, rows would not be found. */
const PARTITIONS = 8;

/**
 * Keeps table `resources`: one row for each resource and image there is or was, with its newest version and what
 * became of it. The row of a deleted one stays, with `change` deleted: it refuses versions that arrive late.
 *
 * No watermark is needed, for the row is one itself. Its only write is on condition that nothing newer is in it:
 *   dies before it: the next try makes it; after it: the next try finds it, and keeps it.
 *   two versions at once: one finds that the row has changed, and decides again.
 */
export const resourceIndex = defineWorkflow({
  name: 'resource-index',
  on: [fhir('*'), dicom()],
  async handle(event, { tables, idempotencyKey }) {
    const key = digest(resourceOf(event)); // keys end up in the logs of storage
    await tables('resources').change(
      String(shardOf(key, PARTITIONS)),
      key,
      (current) => {
        const applied = current && appliedOfRow(current);
        if (orderOf(event, idempotencyKey, applied) !== 'newer') return 'keep';
        return { ...describe(event), ...rowOfApplied(afterApplying(event, idempotencyKey, applied)) };
      },
      event.change === 'created' ? { expect: 'absent' } : {},
    );
  },
});

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
