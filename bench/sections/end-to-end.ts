import { recordLots, writeBareTransactions } from '../bare-transactions.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { type Measured, postAtFullRate } from '../post-load.js';
import { type Host, startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';

/** POSTs at the same time: enough to keep both processors busy without a queue. */
const IN_FLIGHT = { singles: 64, hundreds: 16 };
const AIMS = { timesThePlainWay: 3, shareOfBare: 0.8 };
type Cell = { postSize: 1 | 100; duplicates: number };

export async function benchEndToEnd(plan: Plan, report: Report): Promise<void> {
  await using azurite = await startAzurite();
  const storage = azurite.connectionString;
  await using noop = await startHost({ main: 'bench/apps/noop-main.js', storage });
  await using builtIn = await startHost({ main: 'src/main.js', storage });
  await using plain = await startHost({ main: 'bench/apps/plain-main.js', storage });
  const ways = [
    { name: 'no-op workflow', host: noop },
    { name: 'built-in workflows', host: builtIn },
    { name: 'plain way', host: plain },
  ];

  await Promise.all(ways.map(({ host }) => postHundreds(host, plan, plan.endToEnd.warmUpEvents)));
  await benchAims({ plan, report, storage, noop, plain });
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
async function benchAims(deps: { plan: Plan; report: Report; storage: string; noop: Host; plain: Host }) {
  const { plan, report, storage, noop, plain } = deps;
  const { repetitions, events } = plan.endToEnd;
  const rates = { noop: [] as number[], plain: [] as number[], bare: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    rates.noop.push(await postHundreds(noop, plan, events));
    rates.bare.push(await writeBareTransactions(storage, await recordLots({ run: newRun(), count: events })));
    rates.plain.push(await postHundreds(plain, plan, events));
  }
  const [ours, plains, bare] = [median(rates.noop), median(rates.plain), median(rates.bare)];
  const { timesThePlainWay, shareOfBare } = AIMS;
  report({ what: 'no-op workflow, POSTs of 100', eventsPerSecond: ours });
  report({ what: 'plain way: an insert and an update an event', eventsPerSecond: plains });
  report({ what: 'times the plain way', result: ours / plains, aim: { atLeast: timesThePlainWay } });
  report({ what: 'bare transactions of 100, same entities', eventsPerSecond: bare });
  report({ what: 'share of bare transactions', result: ours / bare, aim: { atLeast: shareOfBare } });
}

/** Returns events per second. */
async function postHundreds({ url }: Host, { maxInFlight }: Plan, events: number): Promise<number> {
  const inFlight = Math.min(IN_FLIGHT.hundreds, maxInFlight);
  const load = { url, events: createEvents({ run: newRun() }), postSize: 100, inFlight };
  return (await postAtFullRate({ ...load, until: { posts: events / 100 } })).eventsPerSecond;
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
