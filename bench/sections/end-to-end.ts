import { recordLots, writeBareTransactions } from '../bare-transactions.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { type Measured, postAtFullRate } from '../post-load.js';
import { type Host, startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';

/** As many as keep both processors busy without a queue in front of them. */
const IN_FLIGHT = { singles: 64, hundreds: 16 };
const AIMS = { timesThePlainWay: 3, shareOfBare: 0.8 };
/** Written to the end, so this decides how long it takes: about as long as the other measurements. */
const BARE_EVENTS_PER_MS = 2;
/** Fewer make no full transactions in each of eight partitions. */
const LEAST_BARE_EVENTS = 3200;

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

/** In turns, and more than once: the ratios are what counts, and other programs use the machine too. */
async function benchAims(deps: { plan: Plan; report: Report; storage: string; noop: Host; plain: Host }) {
  const { plan, report, storage, noop, plain } = deps;
  const cell: Cell = { postSize: 100, duplicates: 0 };
  const rates = { noop: [] as number[], plain: [] as number[], bare: [] as number[] };
  for (let repetition = 0; repetition < plan.endToEnd.repetitions; repetition += 1) {
    rates.noop.push((await measure(noop, cell, plan)).eventsPerSecond);
    rates.plain.push((await measure(plain, cell, plan)).eventsPerSecond);
    rates.bare.push(await measureBare(storage, plan.endToEnd.hundredsMs));
  }
  const [ours, plains, bare] = [median(rates.noop), median(rates.plain), median(rates.bare)];
  report({ what: 'no-op workflow, POSTs of 100', eventsPerSecond: ours });
  report({
    what: 'plain way: an insert and an update an event',
    eventsPerSecond: plains,
  });
  report({
    what: 'times the plain way',
    result: ours / plains,
    aim: { atLeast: AIMS.timesThePlainWay },
  });
  report({ what: 'bare transactions of 100, same entities', eventsPerSecond: bare });
  report({
    what: 'share of bare transactions',
    result: ours / bare,
    aim: { atLeast: AIMS.shareOfBare },
  });
}

async function measureBare(storage: string, durationMs: number): Promise<number> {
  const count = Math.max(LEAST_BARE_EVENTS, durationMs * BARE_EVENTS_PER_MS);
  return writeBareTransactions(storage, await recordLots({ run: newRun(), count }));
}

async function measure(host: Host, { postSize, duplicates }: Cell, { endToEnd }: Plan): Promise<Measured> {
  const load = {
    url: host.url,
    events: createEvents({ run: newRun(), duplicates }),
    postSize,
    inFlight: postSize === 1 ? IN_FLIGHT.singles : IN_FLIGHT.hundreds,
  };
  await postAtFullRate({ ...load, durationMs: endToEnd.warmUpMs });
  return postAtFullRate({ ...load, durationMs: postSize === 1 ? endToEnd.singlesMs : endToEnd.hundredsMs });
}
