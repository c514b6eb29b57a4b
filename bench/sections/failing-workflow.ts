import { FULL_RATE_TYPE, OTHERS_TYPE } from '../apps/beside.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { type Measured, postAtFullRate, postEvery } from '../post-load.js';
import { startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';

const FULL_RATE = { postSize: 100, inFlight: 8 };
const OTHERS_EVERY_MS = 20;
const AIM = 2;

type Both = { fullRate: Measured; others: Measured };

/**
 * The first workflow gets events at full rate. The second workflow gets single events at intervals; the time of its
 * POSTs is its lag. The section compares the lag while the first workflow succeeds with the lag while the first
 * workflow fails. Both cases get the same rate of events: a failing workflow soon has an open circuit, so the app would
 * accept more events than the machine can handle for both workflows.
 */
export async function benchFailingWorkflow({ failing }: Plan, report: Report): Promise<void> {
  const healthy: Both[] = [];
  const failed: Both[] = [];
  for (let repetition = 0; repetition < failing.repetitions; repetition += 1) {
    healthy.push(await measure('bench/apps/healthy-main.js', failing.durationMs));
    const maxPerSecond = healthy.at(-1)?.fullRate.eventsPerSecond;
    failed.push(await measure('bench/apps/failing-main.js', failing.durationMs, maxPerSecond));
  }
  report({ what: 'beside one that succeeds', ...summaryOf(healthy) });
  report({ what: 'beside one that fails', ...summaryOf(failed) });
  const [before, after] = [summaryOf(healthy), summaryOf(failed)];
  report({
    what: 'events taken, to those of one that succeeds',
    result: after.eventsPerSecond / before.eventsPerSecond,
  });
  report({
    what: "the other's p99, to that beside one that succeeds",
    result: after.p99Ms / before.p99Ms,
    aim: { atMost: AIM },
  });
}

/** Starts a new storage and host each time, because jobs that failed before would run again. */
async function measure(main: string, durationMs: number, maxPerSecond?: number): Promise<Both> {
  await using azurite = await startAzurite();
  await using host = await startHost({ main, storage: azurite.connectionString });
  const { url } = host;
  const run = newRun();
  const fullRateEvents = createEvents({ run, resourceType: FULL_RATE_TYPE });
  const othersEvents = createEvents({ run, resourceType: OTHERS_TYPE, from: 1_000_000_000 });
  const [fullRate, others] = await Promise.all([
    postAtFullRate({
      url,
      events: fullRateEvents,
      ...FULL_RATE,
      ...(maxPerSecond !== undefined && { maxPerSecond }),
      until: { ms: durationMs },
    }),
    postEvery(OTHERS_EVERY_MS, { url, events: othersEvents, postSize: 1, durationMs }),
  ]);
  return { fullRate, others };
}

/** The rate of the workflow at full rate, and the times of the other workflow. */
function summaryOf(runs: readonly Both[]) {
  return {
    eventsPerSecond: median(runs.map(({ fullRate }) => fullRate.eventsPerSecond)),
    p50Ms: median(runs.map(({ others }) => others.p50Ms)),
    p99Ms: median(runs.map(({ others }) => others.p99Ms)),
    p9999Ms: median(runs.map(({ others }) => others.p9999Ms)),
  };
}
