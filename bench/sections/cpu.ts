import { startCountingProxy } from '../counting-proxy.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { postAtFullRate } from '../post-load.js';
import { type Host, startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';

const IN_FLIGHT = 4;
const POST_SIZE = 100;
/** Reads are answered in the process of `apps/clinical-main.ts`. */
export const MEASURED_ENV = { SIMULATOR: 'on', LOOKUP_KEY: Buffer.alloc(32, 7).toString('base64') };
const NOOP = 'bench/apps/noop-measured-main.js';
export const CLINICAL = 'bench/apps/clinical-main.js';

type Case = { what: string; main: string; resourceType: string; aims: { cpuMs: number; entities?: number } };

const CASES: readonly Case[] = [
  { what: 'no-op workflow', main: NOOP, resourceType: 'Encounter', aims: { cpuMs: 0.15 } },
  { what: 'Encounter created', main: CLINICAL, resourceType: 'Encounter', aims: { cpuMs: 0.2 } },
  {
    what: 'Observation created, no rule',
    main: CLINICAL,
    resourceType: 'Observation',
    aims: { cpuMs: 0.4, entities: 6 },
  },
  { what: 'Patient created', main: CLINICAL, resourceType: 'Patient', aims: { cpuMs: 1.3, entities: 11 } },
];

/**
 * Measures the CPU time of the app's process for an event, with all built-in workflows. A separate run through a proxy
 * counts requests and entities.
 */
export async function benchCpu(plan: Plan, report: Report): Promise<void> {
  await using azurite = await startAzurite();
  const storage = azurite.connectionString;
  for (const { what, main, resourceType, aims } of CASES.slice(-plan.cpu.cases)) {
    const cpuMs = await cpuMsOf({ main, storage, resourceType }, plan);
    const counts = await countsOf({ main, storage, resourceType }, plan);
    report({ what, cpuMs, ...counts });
    report({ what: '  CPU ms an event', result: cpuMs, aim: { atMost: aims.cpuMs } });
    if (aims.entities === undefined) continue;
    report({
      what: '  entities an event, all workflows',
      result: counts.entitiesPerEvent,
      aim: { atMost: aims.entities },
    });
  }
}

type Target = { readonly main: string; readonly storage: string; readonly resourceType: string };

/** Returns the median of several runs, after one that warms up. */
async function cpuMsOf({ main, storage, resourceType }: Target, plan: Plan): Promise<number> {
  const { warmUpEvents, events, repetitions } = plan.cpu;
  await using host = await startHost({ main, storage, env: MEASURED_ENV });
  const times: number[] = [];
  await post(host, { resourceType, events: warmUpEvents }, plan);
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const before = await host.cpuMs();
    await post(host, { resourceType, events }, plan);
    times.push(((await host.cpuMs()) - before) / events);
  }
  return median(times);
}

/** Sends one POST at a time, after a POST that makes the tables. */
async function countsOf({ main, storage, resourceType }: Target, plan: Plan) {
  const { events } = plan.cpu;
  await using proxy = await startCountingProxy(storage);
  await using host = await startHost({ main, storage: proxy.connectionString, env: MEASURED_ENV });
  const load = {
    url: host.url,
    events: createEvents({ run: newRun(), resourceType }),
    postSize: POST_SIZE,
    inFlight: 1,
  };
  await postAtFullRate({ ...load, until: { posts: 1 } });
  const before = proxy.counts();
  const { posts } = await postAtFullRate({ ...load, until: { posts: events / POST_SIZE } });
  const after = proxy.counts();
  const each = (name: 'requests' | 'entities') => (after[name] - before[name]) / (posts * POST_SIZE);
  return { requestsPerEvent: each('requests'), entitiesPerEvent: each('entities') };
}

/** Few events at a time, so that no job misses its deadline. */
async function post(
  { url }: Host,
  { resourceType, events }: { resourceType: string; events: number },
  { maxInFlight }: Plan,
): Promise<void> {
  const inFlight = Math.min(IN_FLIGHT, maxInFlight);
  const load = { url, events: createEvents({ run: newRun(), resourceType }), postSize: POST_SIZE, inFlight };
  await postAtFullRate({ ...load, until: { posts: events / POST_SIZE } });
}
