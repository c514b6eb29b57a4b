import { queryPages } from './pages.js';
import type { Read, Stored, TableStore } from './table-store.js';

const PAGE = 1000;

/** Returns a row that may be absent. Queries for it, because the read of an absent row counts as a failed request. */
export async function findRow(
  tables: Pick<TableStore, 'query'>,
  [table, partition]: readonly [table: string, partition: string],
  key: string,
): Promise<Read> {
  const { rows, now } = await tables.query(table, { partition, from: key, to: `${key}~`, limit: 1 });
  return { stored: rows.find((stored) => stored.key === key), now };
}

/** Returns all rows whose key begins with `prefix`, which ends in a dot, and storage's time of the last answer. */
export async function readPrefix(
  tables: TableStore,
  [table, partition]: readonly [table: string, partition: string],
  prefix: string,
): Promise<{ rows: Stored[]; now: Date }> {
  const query = { partition, from: prefix, to: `${prefix.slice(0, -1)}/`, limit: PAGE }; // `/` follows the dot
  const rows: Stored[] = [];
  let now = new Date(0);
  for await (const page of queryPages(tables, table, query)) {
    rows.push(...page.rows);
    now = page.now;
  }
  return { rows, now };
}
