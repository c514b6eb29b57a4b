import { type Address, dayOfTable, tableOfDay } from '../../storage/address.js';
import { LEDGER_PREFIX } from '../../storage/app-tables.js';
import { queryPages } from '../../storage/pages.js';
import type { Stored, TableStore } from '../../storage/table-store.js';

/** A record of the ledger. `now` is the time of storage when the record was read. */
export type LedgerRecord = { readonly day: string; readonly stored: Stored; readonly now: Date };

const PAGE = 1000;

/** Yields the records that were written at `since` or later. An event can be of the day before. */
export async function* recordsSince(tables: TableStore, since: Date): AsyncGenerator<LedgerRecord> {
  const oldest = tableOfDay(dayBefore(since));
  for (const table of await tables.list(LEDGER_PREFIX)) {
    if (table < oldest) continue;
    const anyOf = [{ property: 'timestamp', is: 'ge', value: since }] as const;
    for await (const { rows, now } of queryPages(tables, table, { anyOf, limit: PAGE })) {
      for (const stored of rows) if (isRecord(stored)) yield { day: dayOfTable(table), stored, now };
    }
  }
}

/** Returns false for entries that lead to a record, and for events that have adopted a record. */
function isRecord({ key, row }: Stored): boolean {
  return !key.startsWith('!') && row.by === undefined && row.guard === undefined;
}

export function addressOfRecord({ day, stored }: LedgerRecord): Address {
  return `${day}.${stored.key}`;
}

function dayBefore(at: Date): string {
  return new Date(at.getTime() - 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
}
