import { printable } from '../printable.js';

const BETWEEN = '  ';

/**
 * Rows of cells as lines with aligned columns; the first row is the header. A column without a cell below the header is
 * left out. An empty cell is `-`, so that columns can be counted.
 */
export function linesOfTable(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(printable));
  const columns = (cells[0] ?? []).flatMap((_, column) =>
    cells.slice(1).some((row) => row[column] !== '')
      ? [{ column, width: Math.max(...cells.map((row) => row[column]?.length ?? 0)) }]
      : [],
  );
  return cells.map((row) =>
    columns
      .map(({ column, width }) => (row[column] || '-').padEnd(width))
      .join(BETWEEN)
      .trimEnd(),
  );
}
