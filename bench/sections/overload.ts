import { sleep, systemClock } from '../../src/clock.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { postAtFullRate } from '../post-load.js';
import { type Host, startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';
import { CLINICAL, MEASURED_ENV } from './cpu.js';

/**
 * In POSTs of 100 at a time: the least load that reaches the best rate; five times as much; and 16,000 events at once, many of
 * whose jobs miss the deadline of their POST.
 */
const LOADS = { best: 8, overload: 40, beyond: 160 };
const POST_SIZE = 100;
const AIM = 0.9;
/** resource-index and patient-registry. */
const JOBS_PER_EVENT = 2;
const LOOK_EVERY_MS = 100;
const GIVE_UP_MS = 600_000;

/**
 * Patients created, with all built-in workflows, until each job has completed: a job that waits in storage for another
 * try is not done yet. Each measurement has its own storage and app.
 */
export async function benchOverload({ overload, maxInFlight }: Plan, report: Report): Promise<void> {
  const rates = { best: [] as number[], overload: [] as number[], beyond: [] as number[] };
  for (let repetition = 0; repetition < overload.repetitions; repetition += 1) {
    for (const load of ['best', 'overload', 'beyond'] as const) {
      await using azurite = await startAzurite();
      await using host = await startHost({ main: CLINICAL, storage: azurite.connectionString, env: MEASURED_ENV });
      await completedPerSecond(host, { inFlight: Math.min(LOADS.best, maxInFlight), events: overload.warmUpEvents });
      const inFlight = Math.min(LOADS[load], (LOADS[load] / LOADS.best) * maxInFlight);
      const events = load === 'beyond' ? 4 * overload.events : overload.events;
      rates[load].push(await completedPerSecond(host, { inFlight, events }));
    }
  }
  const best = median(rates.best);
  report({ what: `Patients created, ${LOADS.best} POSTs of 100 at a time`, eventsPerSecond: best });
  for (const load of ['overload', 'beyond'] as const) {
    const eventsPerSecond = median(rates[load]);
    report({
      what: `Patients created, ${LOADS[load]} at a time`,
      eventsPerSecond,
    });
    report({ what: '  compared with the first', result: eventsPerSecond / best, aim: { atLeast: AIM } });
  }
}

/** Returns events per second, to the end of the last job. */
async function completedPerSecond(host: Host, { inFlight, events }: { inFlight: number; events: number }) {
  const source = createEvents({ run: newRun(), resourceType: 'Patient' });
  const before = await settledIn(host);
  const startedAtMs = systemClock.monotonic();
  await postAtFullRate({
    url: host.url,
    events: source,
    postSize: POST_SIZE,
    inFlight,
    until: { posts: events / POST_SIZE },
  });
  while ((await settledIn(host)) - before < events * JOBS_PER_EVENT) {
    if (systemClock.monotonic() > startedAtMs + GIVE_UP_MS) throw new Error('Not all jobs have completed.');
    await sleep(systemClock, LOOK_EVERY_MS);
  }
  return (events * 1000) / (systemClock.monotonic() - startedAtMs);
}

/** A job that comes after that of a newer version is superseded. */
async function settledIn({ url }: Host): Promise<number> {
  const { counters } = ((await (await fetch(new URL('/api/stats', url))).json()) as Stats).thisInstance;
  return (counters.jobsCompleted ?? 0) + (counters.jobsSuperseded ?? 0);
}

type Stats = { readonly thisInstance: { readonly counters: Readonly<Record<string, number>> } };
