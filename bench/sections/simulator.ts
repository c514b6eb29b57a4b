import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock as clock } from '../../src/clock.js';
import { systemRandom as random } from '../../src/functions/random.js';
import { CHAOS_LEVELS } from '../../src/simulator/chaos/chaos.js';
import { createInterference } from '../../src/simulator/chaos/interference.js';
import { defaultSubscriptions } from '../../src/simulator/default-subscriptions.js';
import { DicomService } from '../../src/simulator/dicom/dicom-service.js';
import { EventGrid } from '../../src/simulator/event-grid/event-grid.js';
import { topicEventOf } from '../../src/simulator/event-grid/topic-event.js';
import { FhirService } from '../../src/simulator/fhir/fhir-service.js';
import { makePatient } from '../../src/simulator/scenarios/people.js';
import { uuidOf } from '../../src/simulator/seeded.js';
import type { SwitchableServices } from '../../src/simulator/services.js';
import { createWorld } from '../../src/simulator/world.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';

/** A ratio above this is growth, not noise. */
const AIM = 1.1;
const AT_ONCE = 500;
const MB = 1024 * 1024;

/**
 * Measures the memory of the simulator with a receiver that accepts every event: creates the resources, then updates
 * them. At the first comparison, old versions already fill their limit.
 */
export async function benchSimulator({ simulator }: Plan, report: Report): Promise<void> {
  const { resources, deliveries, historyMb } = simulator;
  const { eventGrid, requests } = await createEventGrid();
  const world = createWorld({ services: createServices(eventGrid, historyMb), random, clock, left: () => 0 });
  const startedAtMs = clock.monotonic();
  let made = 0;
  const madeUntil = async (many: number): Promise<number> => {
    while (made < many) {
      for (let n = 0; n < AT_ONCE && made < many; n += 1, made += 1) {
        world.update({ ...makePatient(random), id: `p${made % resources}` });
      }
      while (eventGrid.pending() > 0) await new Promise<void>((resolve) => clock.endOfTurn(resolve));
    }
    return usedHeap();
  };

  const withResources = await madeUntil(resources);
  const early = await madeUntil(Math.round(deliveries * 0.5));
  const late = await madeUntil(deliveries);
  report({
    what: `${deliveries.toLocaleString('en')} events in ${requests().toLocaleString('en')} requests`,
    eventsPerSecond: (deliveries * 1000) / (clock.monotonic() - startedAtMs),
  });
  report({ what: `${resources.toLocaleString('en')} resources, KB each`, result: withResources / resources / 1024 });
  report({ what: 'heap at the end, times that at half of them', result: late / early, aim: { atMost: AIM } });
  eventGrid.stop();
}

/** Returns an Event Grid with the default subscriptions, and a function that counts its requests. */
async function createEventGrid() {
  let requests = 0;
  const eventGrid = new EventGrid({
    schedule: clock,
    clock,
    random,
    post: async () => {
      requests += 1;
      return { status: 202, headers: new Headers(), body: '' };
    },
    writeDeadLetter: async () => {},
    functionUrl: (name) => `http://127.0.0.1/${name}`,
    validationUrl: (code) => code,
    interference: createInterference({ chaos: CHAOS_LEVELS.none, seed: 0, clock, nameOf: () => undefined }),
  });
  for (const [name, body] of Object.entries(defaultSubscriptions(false))) await eventGrid.put(name, body);
  return { eventGrid, requests: () => requests };
}

/** Returns services whose FHIR service publishes to `eventGrid`, with its own limit for old versions. */
function createServices(eventGrid: EventGrid, historyMb: number): SwitchableServices {
  const fhir = new FhirService({
    host: 'bench.fhir.azurehealthcareapis.com',
    clock,
    random,
    historyBytes: historyMb * MB,
    publish: (changes) =>
      eventGrid.publish(changes.map((change) => topicEventOf(change, { id: uuidOf(random), source: '/workspaces/w' }))),
  });
  const dicom = new DicomService({ host: 'bench.dicom.azurehealthcareapis.com', clock, random, publish: () => {} });
  return { fhir, dicom, makesEvents: { fhir: true, dicom: true } };
}

function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
