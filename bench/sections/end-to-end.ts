import { recordLots, writeBareTransactions } from '../bare-transactions.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { type Measured, postAtFullRate } from '../post-load.js';
import { type Host, startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';

/** POSTs at the same time: enough to keep both processors busy without a queue. */
const IN_FLIGHT = { singles: 64, hundreds: 16 };
const AIMS = { hundreds: 9, singles: 2, shareOfBare: 0.8, index: 0.6 };
type BenchAims = {
  readonly plan: Plan;
  readonly report: Report;
  readonly storage: string;
} & Readonly<Record<'noop' | 'plain' | 'index', Host>>;
type Cell = { postSize: 1 | 100; duplicates: number };

export async function benchEndToEnd(plan: Plan, report: Report): Promise<void> {
  await using azurite = await startAzurite();
  const storage = azurite.connectionString;
  await using noop = await startHost({ main: 'bench/apps/noop-main.js', storage });
  await using builtIn = await startHost({ main: 'src/main.js', storage });
  await using plain = await startHost({ main: 'bench/apps/plain-main.js', storage });
  await using index = await startHost({ main: 'bench/apps/resource-index-main.js', storage });
  const ways = [
    { name: 'no-op workflow', host: noop },
    { name: 'built-in workflows', host: builtIn },
    { name: 'plain way', host: plain },
  ];

  const { warmUpEvents } = plan.endToEnd;
  await Promise.all(
    [noop, builtIn, plain, index].map((host) => post(host, plan, { postSize: 100, events: warmUpEvents })),
  );
  await benchAims({ plan, report, storage, noop, plain, index });
  for (const postSize of [1, 100] as const) {
    for (const duplicates of plan.endToEnd.duplicates) {
      for (const { name, host } of ways) {
        const measured = await measure(host, { postSize, duplicates }, plan);
        const what = `${name}, POSTs of ${postSize}, ${duplicates * 100} % duplicates`;
        report({ what, ...measured });
      }
    }
  }
}

/**
 * Measures in turns and more than once: only the ratios count, and other programs also use the machine. Each turn fills
 * an empty table with the same number of events, because the emulator gets slower as a table fills.
 */
async function benchAims(deps: BenchAims): Promise<void> {
  const { plan, report, storage, noop, plain, index } = deps;
  const { repetitions, events, singles } = plan.endToEnd;
  const hundreds = { postSize: 100, events } as const;
  const ones = { postSize: 1, events: singles } as const;
  const rates = { noop: [], index: [], plain: [], bare: [], noopOnes: [], plainOnes: [] } as Record<string, number[]>;
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    rates.noop?.push(await post(noop, plan, hundreds));
    rates.index?.push(await post(index, plan, hundreds));
    rates.bare?.push(await writeBareTransactions(storage, await recordLots({ run: newRun(), count: events })));
    rates.plain?.push(await post(plain, plan, hundreds));
    rates.noopOnes?.push(await post(noop, plan, ones));
    rates.plainOnes?.push(await post(plain, plan, ones));
  }
  const rateOf = (way: string) => median(rates[way] ?? []);
  const compare = (what: string, [one, other]: readonly [string, string], atLeast: number) =>
    report({ what, result: rateOf(one) / rateOf(other), aim: { atLeast } });
  report({ what: 'no-op workflow, POSTs of 100', eventsPerSecond: rateOf('noop') });
  report({ what: 'plain way: an insert and an update an event', eventsPerSecond: rateOf('plain') });
  compare('  times the plain way', ['noop', 'plain'], AIMS.hundreds);
  report({ what: 'bare transactions of 100, same entities', eventsPerSecond: rateOf('bare') });
  compare('  share of bare transactions', ['noop', 'bare'], AIMS.shareOfBare);
  report({ what: 'resource-index, POSTs of 100', eventsPerSecond: rateOf('index') });
  compare('  compared with the no-op workflow', ['index', 'noop'], AIMS.index);
  report({ what: 'no-op workflow, POSTs of 1', eventsPerSecond: rateOf('noopOnes') });
  report({ what: 'plain way, POSTs of 1', eventsPerSecond: rateOf('plainOnes') });
  compare('  times the plain way', ['noopOnes', 'plainOnes'], AIMS.singles);
}

/** Returns events per second. */
async function post(
  { url }: Host,
  { maxInFlight }: Plan,
  { postSize, events }: { postSize: 1 | 100; events: number },
): Promise<number> {
  const inFlight = Math.min(postSize === 1 ? IN_FLIGHT.singles : IN_FLIGHT.hundreds, maxInFlight);
  const load = { url, events: createEvents({ run: newRun() }), postSize, inFlight };
  return (await postAtFullRate({ ...load, until: { posts: events / postSize } })).eventsPerSecond;
}

async function measure(
  { url }: Host,
  { postSize, duplicates }: Cell,
  { endToEnd, maxInFlight }: Plan,
): Promise<Measured> {
  const { warmUpMs, singlesMs, hundredsMs } = endToEnd;
  const [maxPosts, ms] = postSize === 1 ? [IN_FLIGHT.singles, singlesMs] : [IN_FLIGHT.hundreds, hundredsMs];
  const inFlight = Math.min(maxPosts, maxInFlight);
  const load = { url, events: createEvents({ run: newRun(), duplicates }), postSize, inFlight };
  await postAtFullRate({ ...load, until: { ms: warmUpMs } });
  return postAtFullRate({ ...load, until: { ms } });
}
