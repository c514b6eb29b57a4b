import { type Clock, type Random, sleep } from '../../clock.js';
import type { Desk } from '../../dead-letters/letter.js';
import type { TableStore } from '../../storage/table-store.js';
import type { Workflow } from '../../workflow.js';
import type { Publish } from '../changes.js';
import { createInterference } from '../chaos/interference.js';
import type { EventGrid } from '../event-grid/event-grid.js';
import type { Interference } from '../event-grid/interference.js';
import { seededRandom } from '../seeded.js';
import { createWorld, type Services } from '../world.js';
import { verdictAtRest } from './at-rest.js';
import { countDeliveries, type Deliveries } from './deliveries.js';
import { eventIdOf, numberOf, RUN_PREFIX } from './event-name.js';
import type { RunStorage } from './find-sent.js';
import type { MachineLoad, MeasureMachine } from './machine-load.js';
import { play } from './play.js';
import { createPublisher } from './publisher.js';
import { redriveUndelivered } from './redrive.js';
import type { RunRequest } from './run-request.js';
import { MAX_WORKFLOWS } from './sent.js';
import { findVerdict, type Verdict } from './verdict.js';

/**
 *   phase        what goes on                                            what ends it
 *   making       the scenario changes its services; events are published enough events
 *   delivering   Event Grid delivers, tries again, gives up              it has none left for this app
 *   redriving    what it gave up on is taken up out of its dead letters  all of it once (receiver `down` only)
 *   checking     storage is looked at until no job is open               the verdict
 */
export type Phase = 'making' | 'delivering' | 'redriving' | 'checking' | 'done' | 'stopped' | 'failed';

export type RunStatus = {
  readonly id: string;
  readonly phase: Phase;
  readonly scenario: string;
  readonly seed: number;
  readonly events: number;
  readonly rate: number;
  readonly timeScale: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Made so far, the malformed ones among them. */
  readonly made: number;
  /** What Event Grid has done since the run began, for whomever. */
  readonly deliveries: Deliveries;
  /** Events of the run that Event Grid has for this app. */
  readonly pending: number;
  readonly redriven: number;
  readonly verdict: Verdict | null;
  /** How busy the machine was until everything was delivered; null as long as that lasts. */
  readonly machine: MachineLoad | null;
  readonly error: string | null;
};

export type Run = {
  readonly id: string;
  status(): RunStatus;
  /** Makes no more events, and gives no verdict. What is made is still delivered. */
  stop(): void;
  /** For requests with events of the run among theirs. */
  readonly interference: Interference;
  /** Whether an event of this id is the run's. */
  isOwn(eventId: string): boolean;
  readonly ended: Promise<void>;
};

export type RunDeps = {
  readonly clock: Clock;
  readonly workflows: readonly Workflow[];
  readonly storage: RunStorage & { readonly workflowTables: TableStore };
  readonly eventGrid: Pick<EventGrid, 'publish' | 'pending' | 'pendingAt' | 'stats'>;
  /** Services of the run's own, whose changes go to `publish`. */
  readonly makeServices: (name: string, random: Random, publish: Publish) => Services;
  readonly source: string;
  /** Whether the app takes events of listed workspaces only. */
  readonly isListing: boolean;
  /** What takes up Event Grid's dead letters. */
  readonly desk: Desk;
  readonly measureMachine: MeasureMachine;
};

/** More than these in Event Grid, and the run waits: memory has an end. */
const MAX_PENDING = 200_000;
/** What becomes of events elsewhere is no business of a run's. */
const FUNCTIONS = ['fhirEvents', 'dicomEvents'];
const POLL_MS = 100;
/** Storage says when a blob was made, by a clock of its own. */
const MAX_CLOCK_DIFFERENCE_MS = 10 * 60_000;

export function startRun(deps: RunDeps, id: string, request: RunRequest): Run {
  const { clock, eventGrid, workflows } = deps;
  const { scenario, seed, events, rate, chaos, timeScale } = request;
  const startedAt = clock.now();
  const since = new Date(startedAt.getTime() - MAX_CLOCK_DIFFERENCE_MS);
  const { publish, sent, newest, valid } = createPublisher({
    runId: id,
    seed,
    malformed: chaos.malformed,
    workflows,
    source: deps.source,
    isListing: deps.isListing,
    eventGrid,
  });
  const deliveries = countDeliveries(eventGrid);
  const stopping = new AbortController();
  const { signal } = stopping;
  const random = seededRandom(seed);
  const services = deps.makeServices(`${RUN_PREFIX}${id}`, random, publish);
  const world = createWorld({ services, random, clock, left: () => events - valid() });
  let phase: Phase = 'making';
  let endedAt: Date | undefined;
  let endedWith: { deliveries: Deliveries; pending: number } | undefined;
  let redriven = 0;
  let verdict: Verdict | undefined;
  let machine: MachineLoad | undefined;
  let error: string | undefined;
  let isDown = scenario.receiver === 'down';
  const endMeasuring = deps.measureMachine();

  const pending = () => eventGrid.pendingAt(FUNCTIONS, id);
  const nameOf = (eventId: string) => numberOf(id, eventId)?.toString();
  const chaotic = createInterference({ chaos, seed, clock, nameOf });
  const interference: Interference = {
    ...chaotic,
    isDown: (batch) => isDown || chaotic.isDown(batch),
  };

  return {
    id,
    interference,
    isOwn: (eventId) => numberOf(id, eventId) !== undefined,
    stop: () => stopping.abort(),
    status: () => ({
      id,
      phase,
      scenario: scenario.name,
      seed,
      events,
      rate,
      timeScale,
      startedAt: startedAt.toISOString(),
      endedAt: endedAt?.toISOString() ?? null,
      made: sent.count,
      deliveries: endedWith?.deliveries ?? deliveries(),
      pending: endedWith?.pending ?? pending(),
      redriven,
      verdict: verdict ?? null,
      machine: machine ?? null,
      error: error ?? null,
    }),
    // Not at once: the first event needs `interference`, which the caller has only when this has returned.
    ended: Promise.resolve()
      .then(go)
      .catch((cause: unknown) => {
        phase = 'failed';
        error = cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown';
      })
      .then(() => {
        if (signal.aborted) phase = 'stopped';
        machine ??= endMeasuring();
        endedWith = { deliveries: deliveries(), pending: pending() };
        endedAt = clock.now();
      }),
  };

  async function go(): Promise<void> {
    await play({
      ...request,
      world,
      burstMs: chaos.burstMs,
      isFull: () => eventGrid.pending() >= MAX_PENDING,
      clock,
      signal,
    });
    if (signal.aborted) return;
    phase = 'delivering';
    while (pending() > 0 && !signal.aborted) await sleep(clock, POLL_MS, signal);
    if (isDown && !signal.aborted) {
      phase = 'redriving';
      isDown = false;
      redriven = await redriveUndelivered({
        runId: id,
        since,
        desk: deps.desk,
        isLeftToOthers: !request.redrive,
        clock,
        signal,
      });
    }
    if (signal.aborted) return;
    machine = endMeasuring(); // what follows mostly waits
    phase = 'checking';
    const hints = [
      ...(sent.count > deliveries().matched
        ? ['Some events matched no subscription: GET /api/simulator/subscriptions shows those there are']
        : []),
      ...(workflows.length > MAX_WORKFLOWS
        ? [`Of ${workflows.length} workflows, only ${MAX_WORKFLOWS} are looked at`]
        : []),
    ];
    const search = {
      runId: id,
      sent,
      workflows: workflows.slice(0, MAX_WORKFLOWS).map(({ name }) => name),
      since,
      newest,
      services,
      eventIdOf: (n: number) => eventIdOf(id, n),
    };
    const found = await verdictAtRest({ findVerdict: () => findVerdict(deps.storage, search), clock, signal });
    if (signal.aborted) return; // what is missing may only not have been waited for
    verdict = { ...found, ok: found.ok && hints.length === 0, problems: [...hints, ...found.problems] };
    phase = 'done';
  }
}
