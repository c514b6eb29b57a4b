import { digest } from '../../digest.js';
import { resourceOf } from '../../events/order.js';
import { parseEvent } from '../../events/parse.js';
import { type HealthEvent, type Workflow, wants } from '../../workflow.js';
import type { ServiceChange } from '../changes.js';
import { type TopicEvent, writeEvent } from '../event-grid/topic-event.js';
import type { ResourceName } from '../world.js';
import { MAX_WORKFLOWS, type Missed, Sent } from './sent.js';
import type { NewestChange } from './table-checks/table-check.js';

/** The changes and events that a run has made. */
export class RunChanges {
  readonly sent = new Sent();
  readonly newest = new Map<string, NewestChange>();
  /**
   * The changes whose events chaos loses, and those without an event, by their numbers. The map leaves out changes of
   * hard-deleted resources, which nobody can find.
   */
  readonly neverDelivered = new Map<number, ServiceChange>();
  /** The number of changes, including those without an event. Malformed events do not count. */
  count = 0;
  /** The number of changes that make no event. */
  withheld = 0;
  /** The changes of each resource that are never delivered, by the resource's digest. */
  readonly #missedOf = new Map<string, number[]>();
  readonly #workflows: readonly Workflow[];

  constructor(workflows: readonly Workflow[]) {
    this.#workflows = workflows.slice(0, MAX_WORKFLOWS);
  }

  /** Records a change. The caller publishes the event afterwards, so that no verdict misses the event. */
  add(change: ServiceChange, event: TopicEvent, missed: Missed | undefined): void {
    const parsed = parseEvent(writeEvent(event, 'EventGridSchema'));
    const wanted = this.#bitsOf(parsed);
    const n = this.sent.add({ wanted, atMs: change.at.getTime(), isMalformed: false, missed });
    const resource = digest(resourceOf(parsed));
    if (missed) {
      this.neverDelivered.set(n, change);
      this.#missedOf.set(resource, [...(this.#missedOf.get(resource) ?? []), n]);
    }
    const { version } = parsed;
    this.newest.set(resource, { version, change: change.change, n: this.#missedOf.get(resource)?.[0] ?? n });
    this.count += 1;
    if (missed === 'off') this.withheld += 1;
  }

  /** Forgets the expected state of a resource, because a hard delete makes no event. */
  forget(name: ResourceName): void {
    const resource = digest(resourceOf({ service: 'fhir', ...name } as HealthEvent));
    this.newest.delete(resource);
    for (const n of this.#missedOf.get(resource) ?? []) this.neverDelivered.delete(n);
  }

  /** Returns the workflows that want the event: bit n stands for workflow n. */
  #bitsOf(event: HealthEvent): number {
    let bits = 0;
    for (const [n, workflow] of this.#workflows.entries()) if (wants(workflow, event)) bits |= 1 << n;
    return bits >>> 0;
  }
}
