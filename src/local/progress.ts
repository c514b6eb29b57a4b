import { systemClock } from '../clock.js';
import { printable } from '../printable.js';

const WIDTH = 30;
const LINE_EVERY_MS = 10_000;
/** The width of a terminal that does not report one. */
const USUAL_COLUMNS = 80;
const CLEAR_LINE = '\r\x1b[K';

type ProgressOut = { isTTY?: boolean; columns?: number; write(text: string): unknown };

/**
 * Returns a display of progress for standard error, because standard output is for results. A terminal has one line,
 * drawn again at each `show`. A file or pipe gets a line every 10 s; the first line at once if `isFirstShown`.
 */
export function createProgress<Status>(
  out: ProgressOut,
  options: { describe: (status: Status) => string; isFirstShown?: boolean; now?: () => number },
) {
  const { describe, isFirstShown, now = systemClock.monotonic } = options;
  let shownAtMs = isFirstShown ? Number.NEGATIVE_INFINITY : now();
  return {
    show(status: Status): void {
      if (out.isTTY) return void out.write(CLEAR_LINE + cut(printable(describe(status)), out.columns));
      if (now() - shownAtMs < LINE_EVERY_MS) return;
      shownAtMs = now();
      out.write(`${printable(describe(status))}\n`);
    },
    /** Prints a line that stays. */
    note(text: string): void {
      out.write(`${out.isTTY ? CLEAR_LINE : ''}${printable(text)}\n`);
    },
    end(): void {
      if (out.isTTY) out.write(CLEAR_LINE);
    },
  };
}

/** Returns a bar that is filled to `share`; a share over 1 counts as 1. */
export function barOf(share: number): string {
  const full = Math.min(WIDTH, Math.round(share * WIDTH));
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}]`;
}

/** Cuts the line one short of the terminal's width: a full line would move the cursor to the next line. */
function cut(text: string, columns: number | undefined): string {
  return [...text].slice(0, Math.max(1, (columns || USUAL_COLUMNS) - 1)).join('');
}
