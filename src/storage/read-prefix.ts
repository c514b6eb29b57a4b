import { pagesOf } from './pages.js';
import type { Stored, TableStore } from './table-store.js';

const PAGE = 1000;

/** Returns all rows whose key begins with `prefix`, which ends in a dot, and storage's time of the last answer. */
export async function readPrefix(
  tables: TableStore,
  [table, partition]: readonly [table: string, partition: string],
  prefix: string,
): Promise<{ rows: Stored[]; now: Date }> {
  const query = { partition, from: prefix, to: `${prefix.slice(0, -1)}/`, limit: PAGE }; // `/` follows the dot
  const rows: Stored[] = [];
  let now = new Date(0);
  for await (const page of pagesOf((from) => tables.query(table, { ...query, ...from }))) {
    rows.push(...page.rows);
    now = page.now;
  }
  return { rows, now };
}
