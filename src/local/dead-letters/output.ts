import type { Group } from '../../dead-letters/group.js';
import type { FilterField, ListedDeadLetter } from '../../dead-letters/listed.js';
import { shortType } from '../../events/kinds.js';
import { printable } from '../../printable.js';

/** Headers of columns that differ from the name of the field. */
const HEADERS: Partial<Record<FilterField, string>> = { resourceType: 'RESOURCE TYPE' };

/** Returns dead letters as a table. If the terminal is narrower than the table, each id is in its own line below. */
export function tableOfDeadLetters(letters: readonly ListedDeadLetter[], columns: number | undefined): string {
  const rows = letters.map(({ at, reason, workflow, error, type, resourceType, redrives, events, holdsState }) => [
    timeText(at),
    reason,
    workflow,
    error === reason ? '' : error,
    `${shortType(type)} ${resourceType}`.trim(),
    redrives > 0 ? String(redrives) : '',
    events === 1 ? '' : String(events),
    holdsState ? 'held' : '',
  ]);
  const header = ['WRITTEN (UTC)', 'REASON', 'WORKFLOW', 'ERROR', 'EVENT', 'REDRIVES', 'EVENTS', 'STATE'];
  const ids = letters.map(({ id }) => id);
  const wide = linesOfTable([[...header, 'ID'], ...rows.map((row, at) => [...row, ids[at] ?? ''])]);
  if (columns === undefined || wide.every((line) => line.length <= columns)) return `${wide.join('\n')}\n`;
  const [first = '', ...narrow] = linesOfTable([header, ...rows]);
  return `${[first, '  ID', ...narrow.flatMap((line, at) => [line, `  ${ids[at]}`])].join('\n')}\n`;
}

/** Returns a table with a line for each group. Columns without a value are left out. */
export function tableOfGroups(groups: readonly Group[], by: readonly FilterField[]): string {
  const rows = groups.map(({ by: cause, letters, events, oldestAt, example }) => [
    String(letters),
    events === letters ? '' : String(events),
    ...by.map((word) => shortType(cause[word] ?? '')),
    timeText(oldestAt),
    example,
  ]);
  const header = ['DEAD LETTERS', 'EVENTS', ...by.map((word) => HEADERS[word] ?? word.toUpperCase())];
  return `${linesOfTable([[...header, 'SINCE (UTC)', 'EXAMPLE'], ...rows]).join('\n')}\n`;
}

/** Returns `3 of 10 dead letters`, or `1 dead letter` if there is one in all. */
export function countText(shown: number, all: number, kind = ''): string {
  const what = `${kind}${kind && ' '}${all === 1 ? 'dead letter' : 'dead letters'}`;
  return shown === all ? `${all} ${what}` : `${shown} of ${all} ${what}`;
}

function timeText(at: string): string {
  return at.slice(0, 19).replace('T', ' ');
}

/**
 * Rows of cells as lines with aligned columns; the first row is the header. A column without a cell below the header is
 * left out. An empty cell is `-`, so that columns can be counted.
 */
function linesOfTable(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(printable));
  const columns = (cells[0] ?? []).flatMap((_, column) =>
    cells.slice(1).some((row) => row[column] !== '')
      ? [{ column, width: Math.max(...cells.map((row) => row[column]?.length ?? 0)) }]
      : [],
  );
  return cells.map((row) =>
    columns
      .map(({ column, width }) => (row[column] || '-').padEnd(width))
      .join('  ')
      .trimEnd(),
  );
}
