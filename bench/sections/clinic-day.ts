import { type ClinicDay, startClinicDay } from '../clinic-day.js';
import { type CountingProxy, type Counts, startCountingProxy } from '../counting-proxy.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { type Load, postAtFullRate } from '../post-load.js';
import { type Host, startAzurite, startHost } from '../processes.js';

const POST_SIZE = 100;
const AIM = 0.3;
/** Rarer requests are left out of the table. */
const MIN_SHOWN = 0.02;
/** The order of sending: a resource is created before it is changed. */
const ORDER = ['Created', 'Updated', 'Deleted'];

type App = { readonly day: ClinicDay; readonly proxy: CountingProxy; readonly host: Host };

/**
 * Counts the requests to storage of clinic-day with all built-in workflows: by table, then by kind of event, in POSTs
 * that have one kind each.
 */
export async function benchClinicDay(plan: Plan, report: Report): Promise<void> {
  await using azurite = await startAzurite();
  for (const inFlight of plan.clinicDay.inFlight) {
    await using day = await startClinicDay(inFlight);
    await using proxy = await startCountingProxy(azurite.connectionString);
    await using host = await startHost({ main: 'src/main.js', storage: proxy.connectionString, env: day.env });
    const app = { day, proxy, host };
    await post(app, { inFlight: 4, events: plan.clinicDay.warmUpEvents });
    await reportMix(app, { inFlight, events: plan.clinicDay.events }, report);
    if (inFlight === 1) await reportKinds(app, plan.clinicDay.events, report);
  }
}

async function reportMix(app: App, load: { inFlight: number; events: number }, report: Report): Promise<void> {
  const { cpuMs, counts } = await measure(app, load.events, () => post(app, load));
  report({ what: `POSTs of ${POST_SIZE}, ${load.inFlight} at a time`, cpuMs, ...perEvent(counts) });
  report({ what: '  requests an event', result: counts.requests, aim: { atMost: AIM } });
  const shown = [...counts.by].filter(([, each]) => each >= MIN_SHOWN).sort(([, a], [, b]) => b - a);
  for (const [name, requestsPerEvent] of shown) report({ what: `  ${name}`, requestsPerEvent });
}

async function reportKinds(app: App, events: number, report: Report): Promise<void> {
  const texts = Array.from({ length: events }, app.day.events.next);
  const kinds = [...Map.groupBy(texts, kindOf)].sort(([a], [b]) => rankOf(a) - rankOf(b));
  for (const [kind, ofKind] of kinds) {
    const { cpuMs, counts } = await measure(app, ofKind.length, async () => {
      for (let at = 0; at < ofKind.length; at += POST_SIZE) {
        const batch = ofKind.slice(at, at + POST_SIZE);
        const next = () => batch.shift() as string;
        const postSize = batch.length;
        await postAtFullRate({ url: app.host.url, events: { next }, postSize, inFlight: 1, until: { posts: 1 } });
      }
    });
    const reads = [...counts.by].filter(([name]) => !name.startsWith('write'));
    const readsEach = reads.reduce((sum, [, each]) => sum + each, 0);
    report({ what: `${kind}, alone in its POSTs`, cpuMs, ...perEvent(counts) });
    report({ what: '  of these, reads', requestsPerEvent: readsEach });
  }
}

/** Returns the CPU time and the counts of `run`, divided by its number of events. */
async function measure({ host, proxy }: App, events: number, run: () => Promise<unknown>) {
  const before = { cpuMs: await host.cpuMs(), counts: proxy.counts() };
  await run();
  const counts = proxy.counts();
  const each = (name: 'requests' | 'entities') => (counts[name] - before.counts[name]) / events;
  const by = [...counts.by].map(([name, n]) => [name, (n - (before.counts.by.get(name) ?? 0)) / events] as const);
  return {
    cpuMs: ((await host.cpuMs()) - before.cpuMs) / events,
    counts: { requests: each('requests'), entities: each('entities'), by: new Map(by) },
  };
}

function post({ day, host }: App, { inFlight, events }: { inFlight: number; events: number }) {
  const load: Load = {
    url: host.url,
    events: day.events,
    postSize: POST_SIZE,
    inFlight,
    until: { posts: events / POST_SIZE },
  };
  return postAtFullRate(load);
}

function perEvent({ requests, entities }: Counts) {
  return { requestsPerEvent: requests, entitiesPerEvent: entities };
}

function kindOf(text: string): string {
  const { data, eventType } = JSON.parse(text) as { data: { resourceType?: string }; eventType: string };
  return `${data.resourceType ?? 'Image'} ${ORDER.find((change) => eventType.endsWith(change))?.toLowerCase()}`;
}

function rankOf(kind: string): number {
  return ORDER.findIndex((change) => kind.endsWith(change.toLowerCase()));
}
