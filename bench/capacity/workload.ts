import type { Clock, Random } from '../../src/clock.js';
import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import type { ServiceChange } from '../../src/simulator/changes.js';
import { type TopicEvent, topicEventOf, writeEvent } from '../../src/simulator/event-grid/topic-event.js';
import type { Scenario } from '../../src/simulator/scenarios/scenario.js';
import { seededRandom, uuidOf } from '../../src/simulator/seeded.js';
import { createServices, type SwitchableServices } from '../../src/simulator/services.js';
import { createWorld } from '../../src/simulator/world.js';
import type { Operation } from '../../src/storage/table-store.js';
import { type Workflow, wants } from '../../src/workflow.js';

const SOURCE = '/subscriptions/1/resourceGroups/capacity/providers/Microsoft.HealthcareApis/workspaces/capacity';

type Open = { readonly madeAtMs: number; jobs: number };

/** Makes events, and follows each until all its jobs are settled in storage. */
export class Workload {
  readonly services: SwitchableServices;
  made = 0;
  deadLetters = 0;
  /** The events whose jobs are all settled, with the time from the event until then. */
  readonly applied: { readonly madeAtMs: number; readonly tookMs: number }[] = [];
  /** The other events, by the digest of the change. */
  readonly #open = new Map<string, Open>();
  readonly #steps: readonly Iterator<void>[];
  readonly #random: Random;
  readonly #deps: WorkloadDeps;

  constructor(deps: WorkloadDeps) {
    const { clock, seed, scenario, rate, publish } = deps;
    this.#deps = deps;
    this.#random = seededRandom(`${seed} workload`);
    this.services = createServices({
      name: 'main',
      clock,
      random: this.#random,
      publish: (changes) => publish(changes.map((change) => this.#eventOf(change))),
    });
    const left = () => Number.POSITIVE_INFINITY;
    const world = () => createWorld({ services: this.services, random: this.#random, clock, left });
    // Each play has the scenario's own rate, so a higher rate means more clinics, not busier patients.
    const plays = Math.max(1, Math.round(rate / scenario.defaults.rate));
    this.#steps = Array.from({ length: plays }, () => scenario.play(world()));
  }

  get open(): number {
    return this.#open.size;
  }

  /** Makes the next change. */
  step(): void {
    this.#steps[Math.floor(this.#random.number() * this.#steps.length)]?.next();
  }

  /** Returns the time until the next change. Changes come independently of each other. */
  gapMs(): number {
    return (-Math.log(1 - this.#random.number()) * 1000) / this.#deps.rate;
  }

  /** Looks for settled jobs in a transaction that storage has written. */
  note(table: string, operations: readonly Operation[]): void {
    if (!table.startsWith('ledger')) return;
    for (const operation of operations) {
      if (operation.kind !== 'merge' || operation.row.state !== 'settled') continue;
      if (operation.row.result === 'dead') this.deadLetters += 1;
      this.#settle(operation.key.slice(0, operation.key.indexOf('.')));
    }
  }

  #settle(change: string): void {
    const event = this.#open.get(change);
    if (!event) return;
    event.jobs -= 1;
    if (event.jobs > 0) return;
    this.#open.delete(change);
    this.applied.push({ madeAtMs: event.madeAtMs, tookMs: this.#deps.clock.monotonic() - event.madeAtMs });
  }

  #eventOf(change: ServiceChange): TopicEvent {
    const { clock, workflows } = this.#deps;
    const event = topicEventOf(change, { id: uuidOf(this.#random), source: SOURCE });
    const parsed = parseEvent(writeEvent(event, 'CloudEventSchemaV1_0'));
    const jobs = workflows.filter((workflow) => wants(workflow, parsed)).length;
    this.made += 1;
    if (jobs > 0) this.#open.set(keyOf(parsed).contentDigest, { madeAtMs: clock.monotonic(), jobs });
    return event;
  }
}

export type WorkloadDeps = {
  readonly clock: Clock;
  readonly seed: number;
  readonly scenario: Scenario;
  /** Events a second. */
  readonly rate: number;
  readonly workflows: readonly Workflow[];
  readonly publish: (events: readonly TopicEvent[]) => void;
};
