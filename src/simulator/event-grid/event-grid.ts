import { sleep } from '../../clock.js';
import type { Problem } from '../problems.js';
import { uuidOf } from '../seeded.js';
import { Delivery, type DeliveryDeps } from './delivery.js';
import type { Published } from './entry.js';
import { noticeRequest, shakeHands } from './handshake.js';
import { send } from './send.js';
import { readSubscription, resourceIdOf, type Subscription } from './subscription.js';
import type { TopicEvent } from './topic-event.js';

const MANUAL_MS = 10 * 60_000;

export type EventGridDeps = DeliveryDeps & {
  /** The URL at which a person confirms a webhook that cannot answer with the code: a GET must call `confirm(code)`. */
  validationUrl: (code: string) => string;
  /** If present, a filter that includes another event type is refused. */
  eventTypes?: readonly string[];
};

type PutOutcome =
  | { kind: 'created' | 'updated'; subscription: Subscription }
  | { kind: 'wrong'; problems: Problem[] }
  /** The subscription has not changed. */
  | { kind: 'handshake-failed'; message: string };

/**
 * A subscription by its name. Without a delivery the subscription gets no events: its first handshake is not complete.
 */
type Registered = {
  shown: Subscription;
  delivery?: Delivery;
  awaiting?: { code: string; stop: AbortController };
};

/** The push delivery of an Event Grid topic. Names of subscriptions are compared without regard to case. */
export class EventGrid {
  readonly #deps: EventGridDeps;
  readonly #registered = new Map<string, Registered>();
  readonly #putting = new Map<string, Promise<unknown>>();
  /** Aborts at `clear`, and with it all requests until then. */
  #era = new AbortController();
  #isStopped = false;

  constructor(deps: EventGridDeps) {
    this.#deps = deps;
  }

  /** Never throws, and never waits. `pendingAt` counts by `group`. */
  publish(events: readonly TopicEvent[], group?: string): void {
    const { clock, schedule } = this.#deps;
    this.#removeExpired();
    const now = { atMs: clock.now().getTime(), scheduleMs: schedule.monotonic() };
    for (const event of events) {
      const published: Published = { event, ...now, group };
      for (const { delivery } of this.#registered.values()) delivery?.offer(published);
    }
  }

  /** Validates the body, does the handshake, then replaces the subscription. Pending events stay. */
  async put(name: string, body: unknown): Promise<PutOutcome> {
    const read = readSubscription(name, body, { ...this.#deps, now: this.#deps.clock.now() });
    if (read.kind === 'wrong') return read;
    if (this.#isStopped) return { kind: 'handshake-failed', message: 'The event grid has been stopped.' };
    // Puts of one name run one after the other, so that the later one stays.
    const { signal } = this.#era;
    const key = keyOf(name);
    const before = this.#putting.get(key) ?? Promise.resolve();
    const outcome = before.then(() => this.#register(read.subscription, signal));
    this.#putting.set(key, outcome);
    await outcome;
    if (this.#putting.get(key) === outcome) this.#putting.delete(key);
    return outcome;
  }

  /** Completes the handshake that waits for `code`, within 10 minutes; false if no handshake does. */
  confirm(code: string): boolean {
    const one = [...this.#registered.values()].find(({ awaiting }) => awaiting?.code === code);
    if (one) this.#activate(one);
    return one !== undefined;
  }

  get(name: string): Subscription | undefined {
    this.#removeExpired();
    return this.#registered.get(keyOf(name))?.shown;
  }

  list(): Subscription[] {
    this.#removeExpired();
    return [...this.#registered.values()].map(({ shown }) => shown);
  }

  /** Removes a subscription and its pending events; false if there is no such subscription. */
  remove(name: string): boolean {
    const one = this.#registered.get(keyOf(name));
    if (!one) return false;
    this.#forget(one);
    void this.#announceDeletion(one.shown);
    return true;
  }

  /** The statistics by name of the subscription. */
  get stats() {
    const stats: Record<string, ReturnType<Delivery['stats']>> = {};
    for (const { shown, delivery } of this.#registered.values()) if (delivery) stats[shown.name] = delivery.stats();
    return stats;
  }

  /** Returns the number of events that are neither delivered, nor dead-lettered, nor dropped. */
  pending(): number {
    let sum = 0;
    for (const { delivery } of this.#registered.values()) sum += delivery?.pending ?? 0;
    return sum;
  }

  /** Counts as `pending`, for the events of a group and the subscriptions of these functions or queues. */
  pendingAt(targets: readonly string[], group: string): number {
    let sum = 0;
    for (const { shown, delivery } of this.#registered.values()) {
      const { functionName, queueName } = { functionName: '', queueName: '', ...shown.destination };
      if (targets.includes(functionName || queueName)) sum += delivery?.pendingOf(group) ?? 0;
    }
    return sum;
  }

  /** Removes all subscriptions and pending events, and aborts requests. Nothing from before is sent afterwards. */
  clear(): void {
    this.#era.abort();
    this.#era = new AbortController();
    for (const one of [...this.#registered.values()]) this.#forget(one);
  }

  /** Clears everything as `clear` does, and refuses every later `put`. */
  stop(): void {
    this.#isStopped = true;
    this.clear();
  }

  async #register(subscription: Subscription, signal: AbortSignal): Promise<PutOutcome> {
    const { random, validationUrl } = this.#deps;
    const code = uuidOf(random);
    const id = uuidOf(random);
    const shake = await shakeHands({
      ...this.#deps,
      subscription,
      id,
      code,
      validationUrl: validationUrl(code),
      signal,
    });
    if (signal.aborted) return { kind: 'handshake-failed', message: 'Everything was cleared during the handshake.' };
    if (shake.kind === 'failed') return { kind: 'handshake-failed', message: shake.message };

    const before = this.#registered.get(keyOf(subscription.name));
    const one = before ?? { shown: subscription };
    this.#registered.set(keyOf(subscription.name), one);
    one.shown = subscription;
    if (shake.kind === 'agreed') this.#activate(one);
    else void this.#awaitConfirmation(one, code);
    return { kind: before ? 'updated' : 'created', subscription: one.shown };
  }

  #activate(one: Registered): void {
    one.awaiting?.stop.abort();
    delete one.awaiting;
    one.shown = { ...one.shown, provisioningState: 'Succeeded' };
    if (one.delivery) one.delivery.update(one.shown);
    else one.delivery = new Delivery(one.shown, this.#deps);
  }

  /** An update that nobody confirms leaves the deliveries as they were. */
  async #awaitConfirmation(one: Registered, code: string): Promise<void> {
    one.awaiting?.stop.abort();
    const awaiting = { code, stop: new AbortController() };
    one.awaiting = awaiting;
    one.shown = { ...one.shown, provisioningState: 'AwaitingManualAction' };
    await sleep(this.#deps.clock, MANUAL_MS, awaiting.stop.signal);
    if (awaiting.stop.signal.aborted) return;
    delete one.awaiting;
    one.shown = { ...one.shown, provisioningState: 'Failed' };
  }

  #forget(one: Registered): void {
    this.#registered.delete(keyOf(one.shown.name));
    one.awaiting?.stop.abort();
    one.delivery?.end();
  }

  #removeExpired(): void {
    for (const one of this.#registered.values()) {
      const { expirationTimeUtc } = one.shown;
      if (expirationTimeUtc && expirationTimeUtc <= this.#deps.clock.now()) this.#forget(one);
    }
  }

  /** Sends one request; its result changes nothing. */
  async #announceDeletion(subscription: Subscription): Promise<void> {
    const { random, clock, post } = this.#deps;
    const { destination, eventDeliverySchema } = subscription;
    if (destination.endpointType !== 'WebHook' || eventDeliverySchema !== 'EventGridSchema') return;
    const request = noticeRequest({
      notice: 'SubscriptionDeletion',
      data: { eventSubscriptionId: resourceIdOf(subscription) },
      subscription,
      url: destination.endpointUrl,
      id: uuidOf(random),
      at: clock.now(),
    });
    await send({ post, clock, request, signal: this.#era.signal });
  }
}

function keyOf(name: string): string {
  return name.toLowerCase();
}
