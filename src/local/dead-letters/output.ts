import type { Writable } from 'node:stream';
import type { Group } from '../../dead-letters/group.js';
import type { Letter } from '../../dead-letters/letter.js';
import type { Counts } from '../../dead-letters/many.js';

const WIDTH = 30;
const LINE_EVERY_MS = 5000;
const OF_SERVICE = 'Microsoft.HealthcareApis.';

/** Resolves when there is room for more: a list may be long, and its reader slow. */
export function writeTo(out: Writable, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (out.write(text)) resolve();
    else out.once('drain', resolve);
  });
}

export function lineOfLetter(letter: Letter): string {
  const { id, at, reason, workflow, error, type, resourceType, redrives, events, holdsState } = letter;
  const what = `${type.replaceAll(OF_SERVICE, '')} ${resourceType}`.trim();
  const more = [
    ...(redrives > 0 ? [`redriven ${redrives}`] : []),
    ...(events === 1 ? [] : [`${events} events`]),
    ...(holdsState ? ['holds the state'] : []),
  ];
  return `${[at.replace('.000Z', 'Z'), id, reason, workflow, error, what, ...more].filter((word) => word !== '').join('  ')}\n`;
}

export function lineOfGroup({ by, letters, events, oldestAt, example }: Group): string {
  const cause = Object.values(by)
    .map((value) => value.replaceAll(OF_SERVICE, '') || '-')
    .join('  ');
  const held = events === letters ? '' : ` (${events} events)`;
  return `${String(letters).padStart(8)}${held}  ${cause}  since ${oldestAt.replace('.000Z', 'Z')}, such as ${example}\n`;
}

export function lineOfCounts(counts: Counts): string {
  const words = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  return words.length === 0 ? 'none' : words.join(', ');
}

/** A bar that is drawn anew on a terminal, a line now and then elsewhere. Goes to standard error: output is the result. */
export function createProgress(
  out: { isTTY?: boolean; write(text: string): unknown },
  all: number | undefined,
  now: () => number,
): { show(counts: Counts): void; end(): void } {
  let shownAtMs = now();
  return {
    show(counts) {
      if (out.isTTY) return void out.write(`\r\x1b[K${describe(counts, all)}`);
      if (now() - shownAtMs < LINE_EVERY_MS) return;
      shownAtMs = now();
      out.write(`${describe(counts, all)}\n`);
    },
    end() {
      if (out.isTTY) out.write('\r\x1b[K');
    },
  };
}

function describe(counts: Counts, all: number | undefined): string {
  const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (all === undefined) return `${done}: ${lineOfCounts(counts)}`;
  const full = Math.min(WIDTH, Math.round((done / Math.max(1, all)) * WIDTH));
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${done}/${all} ${lineOfCounts(counts)}`;
}
