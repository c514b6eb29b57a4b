import { systemClock as clock, sleep } from '../../clock.js';
import type { Counts } from '../../dead-letters/many.js';
import { shortTextOf } from '../../dead-letters/report-text.js';
import { barOf, createProgress } from '../progress.js';
import type { Output } from './output.js';

const SHOWN_EVERY_MS = 1000;

export type Shows = { onCount(counts: Counts): void; note(text: string): void };

/** Shows how far it is also while nothing changes: a redrive may wait for minutes. */
export async function withProgress<T>(
  err: Output['err'],
  all: number | undefined,
  run: (progress: Shows) => Promise<T>,
): Promise<T> {
  const progress = createProgress<Counts>(err, { now: clock.monotonic, describe: (counts) => describe(counts, all) });
  const over = new AbortController();
  let latest: Counts = {};
  void (async () => {
    while (!over.signal.aborted) {
      progress.show(latest);
      await sleep(clock, SHOWN_EVERY_MS, over.signal);
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
