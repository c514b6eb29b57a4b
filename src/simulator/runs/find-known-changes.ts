import { keyOf } from '../../events/key.js';
import { parseEvent } from '../../events/parse.js';
import { ledgerPlaceOf } from '../../storage/address.js';
import type { TableStore } from '../../storage/table-store.js';
import type { ServiceChange } from '../changes.js';
import { topicEventOf, writeEvent } from '../event-grid/topic-event.js';
import { numberOf } from './event-name.js';
import { addressOfRecord, recordsSince } from './records.js';

/** Changes that no event announced to the app, by the number of each in the run. */
export type Changes = ReadonlyMap<number, ServiceChange>;

/**
 * Returns the numbers of the changes that a job of the app knows all the same, because reconciliation has found them. This
 * file alone knows how: a record of such a job has the digest of the change in its address, and the id of no event of the
 * run. After a hard delete, two changes can have one digest; then each id of a record stands for one of them.
 */
export async function findKnownChanges(
  tables: TableStore,
  { changes, runId, source, since }: { changes: Changes; runId: string; source: string; since: Date },
): Promise<ReadonlySet<number>> {
  const known = new Set<number>();
  if (changes.size === 0) return known;
  const numbers = Map.groupBy(changes.keys(), (n) => contentDigestOf(changes.get(n) as ServiceChange, source));
  const ids = new Map<string, Set<string>>();
  for await (const record of recordsSince(tables, since)) {
    const { change } = ledgerPlaceOf(addressOfRecord(record));
    const id = String(record.stored.row.id ?? '');
    if (!numbers.has(change) || numberOf(runId, id) !== undefined) continue;
    ids.set(change, (ids.get(change) ?? new Set()).add(id));
  }
  for (const [contentDigest, { size }] of ids) {
    for (const n of numbers.get(contentDigest)?.slice(0, size) ?? []) known.add(n);
  }
  return known;
}

/** Returns the digest of a change, which does not depend on the id of the event. */
function contentDigestOf(change: ServiceChange, source: string): string {
  const event = topicEventOf(change, { id: 'any', source });
  return keyOf(parseEvent(writeEvent(event, 'EventGridSchema'))).contentDigest;
}
