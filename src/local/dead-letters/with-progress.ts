import { systemClock as clock, sleep } from '../../clock.js';
import type { Counts } from '../../dead-letters/pace.js';
import { shortTextOf } from '../../dead-letters/report-text.js';
import type { Output } from '../output.js';
import { barOf, createProgress } from '../progress.js';

const SHOW_EVERY_MS = 1000;

/** `onCount` shows the counts in place of the last ones. `note` prints a line that stays. */
export type ShowProgress = { onCount(counts: Counts): void; note(text: string): void };

/** Runs `run` and shows its progress every second, also while nothing changes: a redrive may wait for minutes. */
export async function withProgress<T>(
  err: Output['err'],
  all: number | undefined,
  run: (progress: ShowProgress) => Promise<T>,
): Promise<T> {
  const progress = createProgress<Counts>(err, { describe: (counts) => describe(counts, all) });
  const over = new AbortController();
  let latest: Counts = {};
  void (async () => {
    while (!over.signal.aborted) {
      progress.show(latest);
      await sleep(clock, SHOW_EVERY_MS, over.signal);
    }
  })();
  const onCount = (counts: Counts) => {
    latest = counts;
    progress.show(counts);
  };
  try {
    return await run({ onCount, note: progress.note });
  } finally {
    over.abort();
    progress.end();
  }
}

function describe(counts: Counts, all: number | undefined): string {
  const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const text = shortTextOf(counts);
  const share = all === undefined ? `${done} done` : `${barOf(done / Math.max(1, all))} ${done} of ${all}`;
  return text === '' ? share : `${share}: ${text}`;
}
