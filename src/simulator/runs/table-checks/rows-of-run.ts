import { pagesOf } from '../../../storage/pages.js';
import type { Query, Row } from '../../../storage/table-store.js';
import type { CheckedRun } from './table-check.js';

/** The rows of a table that were written since the run began, without the marks of removed rows. */
export async function* rowsOfRun(
  { tables, since }: Pick<CheckedRun, 'tables' | 'since'>,
  { table, partitions }: { table: string; partitions: number },
): AsyncGenerator<Row> {
  for (let partition = 0; partition < partitions; partition += 1) {
    const query: Query = {
      partition: String(partition),
      anyOf: [{ property: 'timestamp', is: 'ge', value: since }],
      limit: 1000,
    };
    for await (const { rows } of pagesOf((from) => tables.query(table, { ...query, ...from }))) {
      for (const { row } of rows) if (row._removed !== true) yield row;
    }
  }
}
