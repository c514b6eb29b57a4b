import type { Writable } from 'node:stream';
import type { Group } from '../../dead-letters/group.js';
import type { Letter, Word } from '../../dead-letters/letter.js';
import { printableLines } from '../../printable.js';
import { linesOfTable } from '../table.js';

/** Where a verb writes its result, and what is about the result: progress, notes. */
export type Output = { readonly out: Terminal; readonly err: Terminal };
type Terminal = Writable & { isTTY?: boolean; columns?: number };

const OF_SERVICE = 'Microsoft.HealthcareApis.';
/** Headers of the columns that have another name than the word. */
const HEADERS: Partial<Record<Word, string>> = { resourceType: 'RESOURCE TYPE' };

/** All that the commands print passes here: no character of it acts on the terminal. Resolves once it is written. */
export function writeTo(out: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(printableLines(text), (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * Dead letters as a table. On a terminal that is narrower than the table, the id, which is the longest, is in a line of
 * its own below the rest.
 */
export function tableOfLetters(letters: readonly Letter[], columns: number | undefined): string {
  const rows = letters.map(({ at, reason, workflow, error, type, resourceType, redrives, events, holdsState }) => [
    timeText(at),
    reason,
    workflow,
    error === reason ? '' : error,
    `${type.replaceAll(OF_SERVICE, '')} ${resourceType}`.trim(),
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

export function tableOfGroups(groups: readonly Group[], by: readonly Word[]): string {
  const rows = groups.map(({ by: cause, letters, events, oldestAt, example }) => [
    String(letters),
    events === letters ? '' : String(events),
    ...by.map((word) => (cause[word] ?? '').replaceAll(OF_SERVICE, '')),
    timeText(oldestAt),
    example,
  ]);
  const header = ['DEAD LETTERS', 'EVENTS', ...by.map((word) => HEADERS[word] ?? word.toUpperCase())];
  return `${linesOfTable([[...header, 'SINCE (UTC)', 'EXAMPLE'], ...rows]).join('\n')}\n`;
}

/** `3 of 10 dead letters`, or `1 dead letter` where that is all. */
export function countText(shown: number, all: number, kind = ''): string {
  const what = `${kind}${kind && ' '}${all === 1 ? 'dead letter' : 'dead letters'}`;
  return shown === all ? `${all} ${what}` : `${shown} of ${all} ${what}`;
}

function timeText(at: string): string {
  return at.slice(0, 19).replace('T', ' ');
}
