import { type Clock, sleep } from '../../clock.js';
import type { DeadLetterStores } from '../../dead-letters/stores.js';
import type { QueueStore } from '../../storage/queue-store.js';
import type { TableStore } from '../../storage/table-store.js';
import type { Workflow } from '../../workflow.js';
import { createInterference } from '../chaos/interference.js';
import { EVENT_QUEUE } from '../default-subscriptions.js';
import type { EventGrid } from '../event-grid/event-grid.js';
import type { Interference } from '../event-grid/interference.js';
import type { World } from '../scenarios/scenario.js';
import { seededRandom } from '../seeded.js';
import type { ServicesDeps, SwitchableServices } from '../services.js';
import { createWorld } from '../world.js';
import { verdictAtRest } from './at-rest.js';
import { countDeliveries, type Deliveries } from './deliveries.js';
import { eventIdOf, numberOf, RUN_PREFIX } from './event-name.js';
import type { RunStorage } from './find-sent.js';
import type { MachineLoad, MeasureMachine } from './machine-load.js';
import { play } from './play.js';
import { createPublisher, type Publisher } from './publisher.js';
import type { ReconcileRun } from './reconcile-run.js';
import { importUndeliveredOf } from './redrive.js';
import type { RunRequest } from './run-request.js';
import { MAX_WORKFLOWS } from './sent.js';
import { findVerdict, type Verdict } from './verdict.js';

/**
 *   phase        what happens                                               what ends the phase
 *   making       the scenario changes its services; events are published    enough events
 *   delivering   Event Grid delivers, retries and gives up                  no event for this app is pending, or in its queue
 *   redriving    Event Grid's dead letters are imported                     all are imported (receiver down only)
 *   reconciling  the app compares the services, and runs for what it missed  no row waits (changes without event only)
 *   checking     the run reads storage until no job is open                 the verdict
 */
type Phase = 'making' | 'delivering' | 'redriving' | 'reconciling' | 'checking' | 'done' | 'stopped' | 'failed';

export type RunStatus = ReturnType<Run['status']>;

export type RunDeps = {
  readonly clock: Clock;
  readonly workflows: readonly Workflow[];
  readonly storage: RunStorage & { readonly workflowTables: TableStore };
  readonly eventGrid: Pick<EventGrid, 'publish' | 'pending' | 'pendingAt' | 'stats'>;
  /** Makes the run's own services. */
  readonly makeServices: (deps: Omit<ServicesDeps, 'clock'>) => SwitchableServices;
  readonly source: string;
  /** True if the app takes only events of listed workspaces. */
  readonly isListing: boolean;
  /** The stores for the import of Event Grid's dead letters. */
  readonly deadLetterStores: DeadLetterStores;
  readonly measureMachine: MeasureMachine;
  /** The queue from which the app takes events; undefined if it takes them by its webhook. */
  readonly eventQueue?: Pick<QueueStore, 'length'> | undefined;
  /** If absent, the app does not learn of changes without an event. */
  readonly reconcile?: ReconcileRun | undefined;
};

/** The run waits while Event Grid has more pending events, because memory is limited. */
const MAX_PENDING = 200_000;
/** A run counts only the deliveries to these functions, or this queue. */
const TARGETS = ['fhirEvents', 'dicomEvents', EVENT_QUEUE];
const POLL_MS = 100;
/** Storage dates blobs by its own clock, which may differ this much. */
const MAX_CLOCK_DIFFERENCE_MS = 10 * 60_000;

/** A run. It plays after its caller has it: its first event needs the run's `interference`. */
export class Run {
  readonly id: string;
  /** The chaos for requests with events of the run. */
  readonly interference: Interference;
  readonly ended: Promise<void>;
  readonly #deps: RunDeps;
  readonly #request: RunRequest;
  readonly #startedAt: Date;
  readonly #since: Date;
  readonly #publisher: Publisher;
  readonly #services: SwitchableServices;
  readonly #world: World;
  readonly #deliveries: () => Deliveries;
  readonly #endMeasuring: () => MachineLoad;
  readonly #stopping = new AbortController();
  /** The part of the status that the run sets. The other part is counted at each call of `status`. */
  readonly #known = {
    phase: 'making' as Phase,
    endedAt: null as string | null,
    redriven: 0,
    verdict: null as Verdict | null,
    /** The load of the machine until everything was delivered; null before that. */
    machine: null as MachineLoad | null,
    error: null as string | null,
  };
  #isDown: boolean;

  constructor(deps: RunDeps, id: string, request: RunRequest) {
    const { clock, eventGrid } = deps;
    const { seed, chaos, events } = request;
    this.id = id;
    this.#deps = deps;
    this.#request = request;
    this.#startedAt = clock.now();
    this.#since = new Date(this.#startedAt.getTime() - MAX_CLOCK_DIFFERENCE_MS);
    this.#publisher = createPublisher({ ...deps, runId: id, seed, chaos });
    this.#deliveries = countDeliveries(eventGrid);
    const random = seededRandom(seed);
    const { publish, withhold } = this.#publisher;
    this.#services = deps.makeServices({ name: `${RUN_PREFIX}${id}`, random, publish, withhold });
    const left = () => events - this.#publisher.made.count;
    this.#world = createWorld({
      services: this.#services,
      random,
      clock,
      left,
      whenHardDeleted: (resource) => this.#publisher.made.forget(resource),
    });
    this.#isDown = request.scenario.isReceiverDown === true;
    this.#endMeasuring = deps.measureMachine();
    const nameOf = (eventId: string) => numberOf(id, eventId)?.toString();
    const chaotic = createInterference({ chaos, seed, clock, nameOf });
    this.interference = { ...chaotic, isDown: (batch) => this.#isDown || chaotic.isDown(batch) };
    this.ended = this.#play();
  }

  /** Returns whether an event with this id belongs to the run. */
  isOwn(eventId: string): boolean {
    return numberOf(this.id, eventId) !== undefined;
  }

  /** Makes no more events, and gives no verdict. Events that exist are still delivered. */
  stop(): void {
    this.#stopping.abort();
  }

  status() {
    const { scenario, seed, events, rate, timeScale } = this.#request;
    return {
      id: this.id,
      scenario: scenario.name,
      seed,
      events,
      rate,
      timeScale,
      startedAt: this.#startedAt.toISOString(),
      /** Events made so far, with malformed events, and changes that made no event. */
      made: this.#publisher.made.sent.count,
      /** Event Grid's deliveries since the run began, also for other subscriptions. */
      deliveries: this.#deliveries(),
      /** Events of the run that Event Grid still has for this app. */
      pending: this.#pending(),
      ...this.#known,
    };
  }

  async #play(): Promise<void> {
    await Promise.resolve(); // the caller must have the run before its first event
    const { signal } = this.#stopping;
    try {
      await this.#make(signal);
      if (!signal.aborted) await this.#deliver(signal);
      if (!signal.aborted) await this.#reconcile(signal);
      if (!signal.aborted) await this.#check(signal);
    } catch (cause) {
      this.#known.phase = 'failed';
      this.#known.error = cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown';
    }
    if (signal.aborted) this.#known.phase = 'stopped';
    this.#known.machine ??= this.#endMeasuring();
    this.#known.endedAt = this.#deps.clock.now().toISOString();
  }

  async #make(signal: AbortSignal): Promise<void> {
    const { clock, eventGrid } = this.#deps;
    const { chaos } = this.#request;
    const isFull = () => eventGrid.pending() >= MAX_PENDING;
    await play({ ...this.#request, world: this.#world, burstMs: chaos.burstMs, isFull, clock, signal });
  }

  async #deliver(signal: AbortSignal): Promise<void> {
    const { clock, deadLetterStores } = this.#deps;
    this.#known.phase = 'delivering';
    while ((this.#pending() > 0 || (await this.#isQueued())) && !signal.aborted) await sleep(clock, POLL_MS, signal);
    if (!this.#isDown || signal.aborted) return;
    this.#known.phase = 'redriving';
    this.#isDown = false;
    const isLeftToOthers = !this.#request.redrive;
    const run = { runId: this.id, since: this.#since };
    this.#known.redriven = await importUndeliveredOf({ ...run, deadLetterStores, isLeftToOthers, clock, signal });
  }

  /** A queue that cannot be read counts as one with messages. */
  async #isQueued(): Promise<boolean> {
    const length = (await this.#deps.eventQueue?.length().catch(() => 1)) ?? 0;
    return length > 0;
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    if (this.#publisher.made.neverDelivered.size === 0 || !this.#deps.reconcile) return;
    this.#known.machine = this.#endMeasuring(); // the lag is that of the events
    this.#known.phase = 'reconciling';
    const services = (['fhir', 'dicom'] as const).map((service) => ({ service, host: this.#services[service].host }));
    await this.#deps.reconcile({ services, since: this.#startedAt, signal });
  }

  async #check(signal: AbortSignal): Promise<void> {
    const { clock, workflows, storage, source } = this.#deps;
    const { sent, newest, neverDelivered } = this.#publisher.made;
    this.#known.machine ??= this.#endMeasuring(); // the checks mostly wait
    this.#known.phase = 'checking';
    const hints = this.#hints();
    const search = {
      runId: this.id,
      sent,
      workflows: workflows.slice(0, MAX_WORKFLOWS).map(({ name }) => name),
      since: this.#since,
      newest,
      neverDelivered,
      source,
      services: this.#services,
      eventIdOf: (n: number) => eventIdOf(this.id, n),
    };
    const found = await verdictAtRest({ findVerdict: () => findVerdict(storage, search), clock, signal });
    if (signal.aborted) return; // a missing job may only be late
    this.#known.verdict = { ...found, ok: found.ok && hints.length === 0, problems: [...hints, ...found.problems] };
    this.#known.phase = 'done';
  }

  /** Reasons for which the verdict cannot be ok, whatever storage holds. */
  #hints(): string[] {
    const hints: string[] = [];
    const { length } = this.#deps.workflows;
    const { sent, withheld } = this.#publisher.made;
    if (sent.count - withheld > this.#deliveries().matched) {
      hints.push('Some events matched no subscription: GET /api/simulator/subscriptions shows those there are');
    }
    if (length > MAX_WORKFLOWS) hints.push(`Of ${length} workflows, only ${MAX_WORKFLOWS} are looked at`);
    return hints;
  }

  #pending(): number {
    return this.#deps.eventGrid.pendingAt(TARGETS, this.id);
  }
}
