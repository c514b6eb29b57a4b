import type * as z from 'zod';
import type { Random } from '../clock.js';
import { EVENT_TYPES } from '../events/kinds.js';
import type { QueueStore } from '../storage/queue-store.js';
import { StorageError } from '../storage/table-store.js';
import type { ServiceChange } from './changes.js';
import { CHAOS_LEVELS } from './chaos/chaos.js';
import { createInterference } from './chaos/interference.js';
import { defaultSubscriptions, EVENT_QUEUE } from './default-subscriptions.js';
import { EventGrid } from './event-grid/event-grid.js';
import type { Interference } from './event-grid/interference.js';
import { type ScaledClock, scaledClock } from './event-grid/scaled-clock.js';
import type { Post } from './event-grid/send.js';
import { type TopicEvent, topicEventOf } from './event-grid/topic-event.js';
import { RecentEvents } from './recent-events.js';
import { RUN_PREFIX } from './runs/event-name.js';
import type { RunDeps } from './runs/run.js';
import type { settingsSchema } from './runs/run-request.js';
import { Runs } from './runs/runs.js';
import { uuidOf } from './seeded.js';
import { createServices, type MakesEvents, type ServicesDeps, type SwitchableServices } from './services.js';

/** The settings outside of runs. Each run has its own. */
export type SimulatorSettings = Readonly<z.output<typeof settingsSchema>>;

export type SimulatorDeps = Omit<RunDeps, 'eventGrid' | 'makeServices'> & {
  readonly random: Random;
  readonly post: Post;
  readonly eventQueue?: QueueStore | undefined;
  readonly origin: string;
};

/** The name of the FHIR and DICOM services of requests that name no service. */
export const DEFAULT_SERVICE = 'main';
const MAX_SERVICES = 20;
const DEFAULT_SETTINGS: SimulatorSettings = { timeScale: 1, chaos: CHAOS_LEVELS.none, seed: 0 };

/** Returns a simulator that already has the default subscriptions. */
export async function createSimulator(deps: SimulatorDeps): Promise<Simulator> {
  const simulator = new Simulator(deps);
  await simulator.putDefaultSubscriptions();
  return simulator;
}

/** The simulated services, Event Grid and the runs, in the memory of one process. */
export class Simulator {
  readonly eventGrid: EventGrid;
  /** The last events, without the events of runs. */
  readonly recent = new RecentEvents();
  readonly runs: Runs;
  readonly #deps: SimulatorDeps;
  readonly #schedule: ScaledClock;
  readonly #services = new Map<string, SwitchableServices>();
  #origin: string;
  #settings = DEFAULT_SETTINGS;
  #chaotic: Interference;

  constructor(deps: SimulatorDeps) {
    this.#deps = deps;
    this.#schedule = scaledClock(deps.clock, 1);
    this.#origin = deps.origin;
    this.#chaotic = this.#makeInterference();
    this.eventGrid = this.#makeEventGrid();
    this.runs = new Runs({
      run: {
        ...deps,
        eventGrid: this.eventGrid,
        makeServices: (deps) => this.#makeServices(deps),
      },
      makeId: () => this.requestId().slice(0, 8),
      onStart: ({ timeScale }) => {
        for (const name of this.#services.keys()) if (name.startsWith(RUN_PREFIX)) this.#services.delete(name);
        this.#schedule.setScale(timeScale);
      },
      onEnd: () => this.#schedule.setScale(this.#settings.timeScale),
    });
  }

  /** Returns the services of this name, made at the first call; undefined if there are too many services. */
  services(name: string): SwitchableServices | undefined {
    const found = this.#services.get(name);
    if (found || this.#services.size >= MAX_SERVICES) return found;
    return this.#makeServices({ name, random: this.#deps.random, publish: (changes) => this.#publish(changes) });
  }

  /** Returns whether services of all these names exist, or can be made. */
  hasRoomFor(names: readonly string[]): boolean {
    return new Set([...this.#services.keys(), ...names]).size <= MAX_SERVICES;
  }

  serviceNames(): readonly string[] {
    return [...this.#services.keys()];
  }

  /** Returns a new UUID, to identify a request. */
  requestId(): string {
    return uuidOf(this.#deps.random);
  }

  settings(): SimulatorSettings {
    return this.#settings;
  }

  /** Turns the events of services on or off. Services that cannot be made are left out: see `hasRoomFor`. */
  switchEvents(name: string, changed: Partial<MakesEvents>): void {
    Object.assign(this.services(name)?.makesEvents ?? {}, changed);
  }

  /** Changes settings. A new time scale takes effect at the end of the current run. */
  change(changed: Partial<SimulatorSettings>): void {
    this.#settings = { ...this.#settings, ...changed };
    this.#chaotic = this.#makeInterference();
    if (!this.runs.current()) this.#schedule.setScale(this.#settings.timeScale);
  }

  /** Sets the origin at which the app is reached; URLs in requests use it. */
  reachedAt(origin: string): void {
    this.#origin = origin;
  }

  /** Removes stored resources, events, subscriptions and settings, turns all events on, and subscribes the app again. */
  async clear(): Promise<void> {
    this.runs.clear();
    for (const { fhir, dicom, makesEvents } of this.#services.values()) {
      fhir.clear();
      dicom.clear(); // its sequence numbers continue: the app takes smaller numbers for older changes
      Object.assign(makesEvents, { fhir: true, dicom: true });
    }
    this.recent.clear();
    this.change(DEFAULT_SETTINGS);
    this.eventGrid.clear();
    await this.putDefaultSubscriptions();
  }

  stop(): void {
    this.runs.clear();
    this.eventGrid.stop();
  }

  async putDefaultSubscriptions(): Promise<void> {
    const all = defaultSubscriptions(this.#deps.eventQueue !== undefined);
    for (const [name, body] of Object.entries(all)) await this.eventGrid.put(name, body);
  }

  #makeEventGrid(): EventGrid {
    const { storage, eventQueue } = this.#deps;
    const { undelivered } = storage;
    const interference: Interference = {
      copiesOf: (event, subscription) => this.#interferenceFor([event]).copiesOf(event, subscription),
      treatmentOf: (event, subscription, attempt) =>
        this.#interferenceFor([event]).treatmentOf(event, subscription, attempt),
      isDown: (events) => this.#interferenceFor(events).isDown(events),
    };
    return new EventGrid({
      ...this.#deps,
      schedule: this.#schedule,
      writeDeadLetter: async (_container, name, content) => void (await undelivered.create(name, content)),
      sendToQueue: async (name, text) => (name === EVENT_QUEUE && eventQueue ? statusOfSending(text, eventQueue) : 404),
      functionUrl: (name) => `${this.#origin}/runtime/webhooks/EventGrid?functionName=${name}`,
      eventTypes: EVENT_TYPES,
      validationUrl: (code) => `${this.#origin}/api/simulator/subscriptions?validationCode=${code}`,
      interference,
    });
  }

  /** The events of a run have the run's chaos. */
  #interferenceFor(events: readonly TopicEvent[]): Interference {
    const run = this.runs.current();
    return run && events.some(({ id }) => run.isOwn(id)) ? run.interference : this.#chaotic;
  }

  #makeInterference(): Interference {
    const { chaos, seed } = this.#settings;
    return createInterference({ chaos, seed, clock: this.#deps.clock, nameOf: (id) => id });
  }

  #makeServices(deps: Omit<ServicesDeps, 'clock'>): SwitchableServices {
    const made = createServices({ ...deps, clock: this.#deps.clock });
    this.#services.set(deps.name, made);
    return made;
  }

  #publish(changes: readonly ServiceChange[]): void {
    const { random, source } = this.#deps;
    const events = changes.map((change) => topicEventOf(change, { id: uuidOf(random), source }));
    this.recent.add(events);
    this.eventGrid.publish(events);
  }
}

async function statusOfSending(text: string, queue: QueueStore): Promise<number> {
  try {
    await queue.send(text);
    return 201;
  } catch (error) {
    if (error instanceof StorageError) return 503;
    throw error;
  }
}
