import { FULL_RATE_TYPE } from '../apps/beside.js';
import { type Counts, startCountingProxy } from '../counting-proxy.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { postAtFullRate } from '../post-load.js';
import { startAzurite, startHost } from '../processes.js';

const AIMS = { requests: 0.2, entities: 3 };

type Case = { name: string; main: string; postSize: number; inFlight: number; hasAim?: boolean };

const CASES: readonly Case[] = [
  { name: 'no-op workflow', main: 'bench/apps/noop-main.js', postSize: 100, inFlight: 16, hasAim: true },
  { name: 'no-op workflow', main: 'bench/apps/noop-main.js', postSize: 100, inFlight: 1, hasAim: true },
  { name: 'no-op workflow', main: 'bench/apps/noop-main.js', postSize: 1, inFlight: 64 },
  { name: 'built-in workflows', main: 'src/main.js', postSize: 100, inFlight: 16 },
  { name: 'workflow that fails, up to its wait', main: 'bench/apps/failing-main.js', postSize: 100, inFlight: 16 },
];

/** Runs apart from the timed sections, because the proxy takes time. */
export async function benchStorageCalls({ calls, maxInFlight }: Plan, report: Report): Promise<void> {
  await using azurite = await startAzurite();
  for (const { name, main, postSize, hasAim, ...limits } of CASES) {
    const inFlight = Math.min(limits.inFlight, maxInFlight);
    await using proxy = await startCountingProxy(azurite.connectionString);
    await using host = await startHost({ main, storage: proxy.connectionString });
    const events = createEvents({ run: newRun(), resourceType: FULL_RATE_TYPE });
    // The first POST creates the table of the day, so its requests do not count.
    await postAtFullRate({ url: host.url, events, postSize, inFlight: 1, until: { posts: 1 } });
    const before = proxy.counts();
    const load = { url: host.url, events, postSize, inFlight };
    const { posts } = await postAtFullRate({ ...load, until: { ms: calls.durationMs } });
    const { requests, entities } = perEvent(before, proxy.counts(), posts * postSize);
    const what = `${name}, POSTs of ${postSize}, ${inFlight} at a time`;
    report({ what, requestsPerEvent: requests, entitiesPerEvent: entities });
    if (!hasAim) continue;
    report({ what: '  requests an event', result: requests, aim: { atMost: AIMS.requests } });
    report({ what: '  entities an event', result: entities, aim: { atMost: AIMS.entities } });
  }
}

function perEvent(before: Counts, after: Counts, events: number) {
  return {
    requests: (after.requests - before.requests) / events,
    entities: (after.entities - before.entities) / events,
  };
}
