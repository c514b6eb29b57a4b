import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { postAtFullRate } from '../post-load.js';
import { type FhirService, type Host, startAzurite, startFhirService, startHost } from '../processes.js';
import { median } from '../statistics.js';

const IN_FLIGHT = 16;
const AIMS = { requests: 0.1 };

type Way = { readonly name: string; readonly host: Host; readonly requests: number[]; readonly cpuMs: number[] };

/** Compares reads in batches with single reads, in turns: the built-in workflows get Observations that match no rule. */
export async function benchFhirReads(plan: Plan, report: Report): Promise<void> {
  await using azurite = await startAzurite();
  await using fhir = await startFhirService();
  const start = (batches: string) =>
    startHost({
      main: 'src/main.js',
      storage: azurite.connectionString,
      env: { FHIR_HOSTS: `bench-fhir.fhir.azurehealthcareapis.com ${fhir.url}`, FHIR_BATCH_READS: batches },
    });
  await using inBatches = await start('on');
  await using oneByOne = await start('off');
  const ways: Way[] = [
    { name: 'reads in batches', host: inBatches, requests: [], cpuMs: [] },
    { name: 'reads one by one', host: oneByOne, requests: [], cpuMs: [] },
  ];
  for (const { host } of ways) await load(host, plan, plan.fhirReads.warmUpEvents);
  for (let repetition = 0; repetition < plan.fhirReads.repetitions; repetition += 1) {
    for (const way of ways) await measure(way, fhir, plan);
  }
  const [batched, single] = ways.map(({ name, requests, cpuMs }) => {
    const [requestsEach, cpuMsEach] = [median(requests), median(cpuMs)];
    const aim = name === 'reads in batches' ? { aim: { atMost: AIMS.requests } } : {};
    report({ what: `${name}, POSTs of 100: FHIR requests an event`, result: requestsEach, ...aim });
    report({ what: '  CPU of the app, ms an event', result: cpuMsEach });
    return cpuMsEach;
  });
  report({ what: 'CPU of reads in batches compared with one by one', result: (batched ?? 0) / (single ?? 1) });
}

async function measure({ host, requests, cpuMs }: Way, fhir: FhirService, plan: Plan): Promise<void> {
  const { events } = plan.fhirReads;
  const before = { requests: await fhir.requests(), cpuMs: await host.cpuMs() };
  await load(host, plan, events);
  requests.push(((await fhir.requests()) - before.requests) / events);
  cpuMs.push(((await host.cpuMs()) - before.cpuMs) / events);
}

async function load({ url }: Host, { maxInFlight }: Plan, events: number): Promise<void> {
  const posts = { url, events: createEvents({ run: newRun() }), postSize: 100 };
  await postAtFullRate({ ...posts, inFlight: Math.min(IN_FLIGHT, maxInFlight), until: { posts: events / 100 } });
}
