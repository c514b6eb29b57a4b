import { systemClock } from '../../src/clock.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import { createMemoryApp } from '../memory-app.js';
import type { Plan } from '../plan.js';
import { createPowertools } from '../powertools.js';
import { median } from '../statistics.js';

const BATCH = 100;
const IN_FLIGHT = 8;

type Deliver = (events: readonly unknown[]) => Promise<void>;

/** The pipeline and its peer take turns, so that other load on the machine slows both. The first turn is a warm-up. */
export async function benchInMemory({ inMemory }: Plan, report: Report): Promise<void> {
  const rates = { ours: [] as number[], peers: [] as number[] };
  for (let repetition = 0; repetition <= inMemory.repetitions; repetition += 1) {
    const batches = createBatches(repetition === 0 ? inMemory.warmUpEvents : inMemory.events);
    const ours = await measure(createMemoryApp().pipeline.deliver, batches);
    const peers = await measure(createPowertools(createMemoryTableStore({ clock: systemClock })).deliver, batches);
    if (repetition === 0) continue;
    rates.ours.push(ours);
    rates.peers.push(peers);
  }
  const [ours, peers] = [median(rates.ours), median(rates.peers)];
  report({ what: 'this pipeline', eventsPerSecond: ours });
  report({ what: '@aws-lambda-powertools/idempotency', eventsPerSecond: peers });
  report({ what: 'times the peer', result: ours / peers });
}

function createBatches(count: number): unknown[][] {
  const events = createEvents({ run: newRun() });
  return Array.from({ length: count / BATCH }, () => Array.from({ length: BATCH }, () => JSON.parse(events.next())));
}

/** Returns events per second. */
async function measure(deliver: Deliver, batches: readonly unknown[][]): Promise<number> {
  const startedAtMs = systemClock.monotonic();
  const left = batches.values();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (const batch of left) await deliver(batch);
    }),
  );
  return (batches.length * BATCH * 1000) / (systemClock.monotonic() - startedAtMs);
}
