import { recordLots, writeBareTransactions } from '../bare-transactions.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { postAtFullRate } from '../post-load.js';
import { startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';

const POST_SIZE = 100;
const IN_FLIGHT = 16;
const LOT_EVENTS = 5000;
/** Constant speed, minus the noise of a shared machine. */
const AIM = 0.9;

/**
 * A day's table with many events and a table with few events take turns. Bare transactions go into the same tables.
 * Their slowdown is that of the emulator, which scans a table to update its indexes. The aim is for the remaining
 * slowdown.
 */
export async function benchStoredEvents({ stored }: Plan, report: Report): Promise<void> {
  const { few, many, repetitions, events } = stored;
  await using azurite = await startAzurite();
  const storage = azurite.connectionString;
  await using host = await startHost({ main: 'bench/apps/noop-main.js', storage });

  await measure({ run: newRun(), from: 0 }); // warms up
  const full = await fillDay(storage, many);
  const rates = { few: [] as number[], many: [] as number[], bareFew: [] as number[], bareMany: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const fresh = await fillDay(storage, few);
    rates.few.push(await measure(fresh));
    rates.many.push(await measure(full));
    rates.bareFew.push(await measureBare(fresh));
    rates.bareMany.push(await measureBare(full));
  }
  const [atFew, atMany] = [median(rates.few), median(rates.many)];
  const share = atMany / atFew;
  const bareShare = median(rates.bareMany) / median(rates.bareFew);
  report({ what: `no-op workflow, ${few.toLocaleString('en')} events stored`, eventsPerSecond: atFew });
  report({ what: `no-op workflow, ${many.toLocaleString('en')} events stored`, eventsPerSecond: atMany });
  report({ what: 'many to few', result: share });
  report({ what: 'many to few, bare transactions into the same tables', result: bareShare });
  const what = 'many to few, beside what bare transactions keep';
  report({ what, result: share / bareShare, aim: { atLeast: AIM } });

  async function measure(day: Day): Promise<number> {
    const load = { url: host.url, events: createEvents(day), postSize: POST_SIZE, inFlight: IN_FLIGHT };
    const { eventsPerSecond, posts } = await postAtFullRate({ ...load, until: { posts: events / POST_SIZE } });
    day.from += posts * POST_SIZE;
    return eventsPerSecond;
  }

  async function measureBare(day: Day): Promise<number> {
    const lots = await recordLots({ ...day, count: events });
    day.from += events;
    return writeBareTransactions(storage, lots);
  }
}

/** `from`: the number of the first event that the table of the day does not hold yet. */
type Day = { readonly run: number; from: number };

async function fillDay(storage: string, events: number): Promise<Day> {
  const day = { run: newRun(), from: 0 };
  while (day.from < events) {
    const count = Math.min(LOT_EVENTS, events - day.from);
    await writeBareTransactions(storage, await recordLots({ ...day, count }));
    day.from += count;
  }
  return day;
}
