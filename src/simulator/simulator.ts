import type { Clock, Random } from '../clock.js';
import type { Desk } from '../dead-letters/letter.js';
import { EVENT_TYPES } from '../events/kinds.js';
import type { TableStore } from '../storage/table-store.js';
import type { Workflow } from '../workflow.js';
import type { Publish, ServiceChange } from './changes.js';
import { CHAOS_LEVELS, type Chaos } from './chaos/chaos.js';
import { createInterference } from './chaos/interference.js';
import { DEFAULT_SUBSCRIPTIONS } from './default-subscriptions.js';
import { createDicomService } from './dicom/dicom-service.js';
import { createEventGrid, type EventGrid } from './event-grid/event-grid.js';
import type { Interference } from './event-grid/interference.js';
import type { Post } from './event-grid/post.js';
import { scaledClock } from './event-grid/scaled-clock.js';
import { type TopicEvent, topicEventOf } from './event-grid/topic-event.js';
import { createFhirService } from './fhir/fhir-service.js';
import { createRecentEvents, type RecentEvents } from './recent-events.js';
import { RUN_PREFIX } from './runs/event-name.js';
import type { RunStorage } from './runs/find-sent.js';
import type { MeasureMachine } from './runs/machine-load.js';
import { createRuns, type Runs } from './runs/runs.js';
import { uuidOf } from './seeded.js';
import type { Services } from './world.js';

/** The services, the topic and the runs: all in the memory of one process. */
export type Simulator = {
  /** Made when it is first asked for; undefined where there are too many. */
  services(name: string): Services | undefined;
  readonly serviceNames: () => readonly string[];
  readonly eventGrid: EventGrid;
  /** Those of runs are not among them. */
  readonly recent: RecentEvents;
  readonly runs: Runs;
  /** For who asks about a request: a new UUID. */
  readonly requestId: () => string;
  readonly settings: () => SimulatorSettings;
  change(settings: Partial<SimulatorSettings>): void;
  /** Where this app is reached, as somebody has just reached it. */
  reachedAt(origin: string): void;
  /** Forgets everything that was stored, sent and set. */
  clear(): Promise<void>;
  stop(): void;
};

export type SimulatorSettings = {
  /** How many times as fast as real time Event Grid's schedule runs. */
  readonly timeScale: number;
  /** For events that are not of a run. */
  readonly chaos: Chaos;
  readonly seed: number;
};

export type SimulatorDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly workflows: readonly Workflow[];
  readonly storage: RunStorage & { readonly workflowTables: TableStore };
  readonly desk: Desk;
  readonly post: Post;
  readonly measureMachine: MeasureMachine;
  /** The workspace that events come from. */
  readonly source: string;
  /** Whether the app takes events of listed workspaces only. */
  readonly isListing: boolean;
  readonly origin: string;
};

export const DEFAULT_SERVICE = 'main';
const MAX_SERVICES = 20;
const DEFAULT_SETTINGS: SimulatorSettings = { timeScale: 1, chaos: CHAOS_LEVELS.none, seed: 0 };

export async function createSimulator(deps: SimulatorDeps): Promise<Simulator> {
  const { clock, random } = deps;
  const schedule = scaledClock(clock, 1);
  const services = new Map<string, Services>();
  const recent = createRecentEvents();
  let origin = deps.origin;
  let settings = DEFAULT_SETTINGS;
  let chaotic = makeInterference();

  const functionUrl = (name: string) => `${origin}/runtime/webhooks/EventGrid?functionName=${name}`;
  const eventGrid = createEventGrid({
    schedule,
    clock,
    random,
    post: deps.post,
    writeDeadLetter: async (_container, name, content) => void (await deps.storage.undelivered.create(name, content)),
    functionUrl,
    eventTypes: EVENT_TYPES,
    validationUrl: (code) => `${origin}/api/simulator/subscriptions?validationCode=${code}`,
    interference: {
      copiesOf: (event, subscription) => interferenceFor([event]).copiesOf(event, subscription),
      treatmentOf: (event, subscription, attempt) => interferenceFor([event]).treatmentOf(event, subscription, attempt),
      isDown: (events) => interferenceFor(events).isDown(events),
    },
  });
  const runs = createRuns({
    run: {
      clock,
      workflows: deps.workflows,
      storage: deps.storage,
      eventGrid,
      makeServices,
      source: deps.source,
      isListing: deps.isListing,
      desk: deps.desk,
      measureMachine: deps.measureMachine,
    },
    makeId: () => uuidOf(random).slice(0, 8),
    onStart: ({ timeScale }) => {
      for (const name of services.keys()) if (name.startsWith(RUN_PREFIX)) services.delete(name);
      schedule.setScale(timeScale);
    },
    onEnd: () => schedule.setScale(settings.timeScale),
  });
  await putDefaults();

  return {
    services(name) {
      return services.get(name) ?? (services.size < MAX_SERVICES ? makeServices(name, random, publish) : undefined);
    },
    serviceNames: () => [...services.keys()],
    eventGrid,
    recent,
    runs,
    requestId: () => uuidOf(random),
    settings: () => settings,
    change(changed) {
      settings = { ...settings, ...changed };
      chaotic = makeInterference();
      if (!runs.current()) schedule.setScale(settings.timeScale);
    },
    reachedAt(url) {
      origin = url;
    },
    async clear() {
      runs.clear();
      for (const { fhir, dicom } of services.values()) {
        fhir.clear();
        dicom.clear(); // its sequence numbers go on: the app would take smaller ones for older changes
      }
      recent.clear();
      settings = DEFAULT_SETTINGS;
      chaotic = makeInterference();
      schedule.setScale(settings.timeScale);
      eventGrid.clear();
      await putDefaults();
    },
    stop() {
      runs.clear();
      eventGrid.stop();
    },
  };

  /** A run has a chaos of its own, for its own events. */
  function interferenceFor(events: readonly TopicEvent[]): Interference {
    const run = runs.current();
    return run && events.some(({ id }) => run.isOwn(id)) ? run.interference : chaotic;
  }

  function makeInterference() {
    return createInterference({ chaos: settings.chaos, seed: settings.seed, clock, nameOf: (id) => id });
  }

  function makeServices(name: string, itsRandom: Random, publishTo: Publish): Services {
    const made: Services = {
      fhir: createFhirService({
        host: `simulator-${name}.fhir.azurehealthcareapis.com`,
        clock,
        random: itsRandom,
        publish: publishTo,
      }),
      dicom: createDicomService({
        host: `simulator-${name}.dicom.azurehealthcareapis.com`,
        clock,
        random: itsRandom,
        publish: publishTo,
      }),
    };
    services.set(name, made);
    return made;
  }

  function publish(changes: readonly ServiceChange[]): void {
    const events = changes.map((change) => topicEventOf(change, { id: uuidOf(random), source: deps.source }));
    recent.add(events);
    eventGrid.publish(events);
  }

  async function putDefaults(): Promise<void> {
    for (const [name, body] of Object.entries(DEFAULT_SUBSCRIPTIONS)) await eventGrid.put(name, body);
  }
}
