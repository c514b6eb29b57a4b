import { sleep } from '../../clock.js';
import { uuidOf } from '../seeded.js';
import { createDelivery, type Delivery, type DeliveryDeps } from './delivery.js';
import type { Published } from './entry.js';
import { noticeRequest, shakeHands } from './handshake.js';
import { type Interference, noInterference } from './interference.js';
import type { Problem } from './reader.js';
import { send } from './send.js';
import type { SubscriptionStats } from './stats.js';
import { readSubscription, resourceIdOf, type Subscription } from './subscription.js';
import { type TopicEvent, timeText } from './topic-event.js';

export { createFetchPost, type Post, type PostAnswer, type PostRequest } from './post.js';
export { type ScaledClock, scaledClock } from './scaled-clock.js';

const MANUAL_MS = 10 * 60_000;

export type EventGridDeps = Omit<DeliveryDeps, 'interference'> & {
  interference?: Interference;
  /** Where a webhook that cannot answer with the code itself is confirmed: a GET of it is to call `confirm(code)`. */
  validationUrl?: (code: string) => string;
  /** Where given, a filter that includes another type of event is refused. */
  eventTypes?: readonly string[];
  /** The Azure resource id of the system topic. */
  topic?: string;
};

export type PutOutcome =
  | { kind: 'created' | 'updated'; subscription: Subscription }
  | { kind: 'wrong'; problems: Problem[] }
  /** Nothing was changed. */
  | { kind: 'handshake-failed'; message: string };

/** The push delivery of an Event Grid topic. Names of subscriptions are compared without regard to case. */
export type EventGrid = {
  /** Never throws, and never waits. `group` is a name to ask `pendingAt` by. */
  publish(events: readonly TopicEvent[], group?: string): void;
  /** Validates, shakes hands, then replaces; what is pending stays. */
  put(name: string, body: unknown): Promise<PutOutcome>;
  /** Completes a handshake that awaits it, within 10 minutes; false where none does. */
  confirm(code: string): boolean;
  get(name: string): Subscription | undefined;
  list(): Subscription[];
  /** Nothing more is sent for it; false where there is none. */
  remove(name: string): boolean;
  /** By the name of the subscription. */
  readonly stats: Readonly<Record<string, SubscriptionStats>>;
  /** Of all subscriptions together: events neither delivered, nor dead-lettered, nor dropped yet. */
  pending(): number;
  /** As `pending`, of the events of a group, and of the subscriptions that deliver to these functions. */
  pendingAt(functionNames: readonly string[], group: string): number;
  /** Resolves when nothing is pending (delivered, dead-lettered or dropped), or as soon as `signal` aborts. */
  whenIdle(signal?: AbortSignal): Promise<void>;
  /** Forgets everything pending and all subscriptions. Requests under way are aborted; nothing of before is sent after. */
  clear(): void;
  /** `clear`, for good. */
  stop(): void;
};

/** What is known of a name. Without a delivery it gets no events: its first handshake is not complete. */
type Registered = {
  shown: Subscription;
  delivery?: Delivery;
  awaiting?: { code: string; stop: AbortController };
};

export function createEventGrid(deps: EventGridDeps): EventGrid {
  const { schedule, clock, random, post, validationUrl } = deps;
  const deliveryDeps = { ...deps, interference: deps.interference ?? noInterference };
  const registered = new Map<string, Registered>();
  const putting = new Map<string, Promise<unknown>>();
  const waiters = new Set<() => void>();
  let era = new AbortController();
  let isStopped = false;

  return {
    publish(events, group) {
      removeExpired();
      const now = { atMs: clock.now().getTime(), scheduleMs: schedule.monotonic(), realMs: clock.monotonic() };
      for (const event of events) {
        const published: Published = { event, ...now, group };
        for (const { delivery } of registered.values()) delivery?.offer(published);
      }
    },

    async put(name, body) {
      const read = readSubscription(name, body, { ...deps, now: clock.now() });
      if (read.kind === 'wrong') return read;
      if (isStopped) return { kind: 'handshake-failed', message: 'The event grid has been stopped.' };
      // One after the other: of two at once for a name, the later one stays.
      const { signal } = era;
      const outcome = (putting.get(keyOf(name)) ?? Promise.resolve()).then(() => register(read.subscription, signal));
      putting.set(keyOf(name), outcome);
      await outcome;
      if (putting.get(keyOf(name)) === outcome) putting.delete(keyOf(name));
      return outcome;
    },

    confirm(code) {
      for (const one of registered.values()) {
        if (one.awaiting?.code !== code) continue;
        activate(one);
        return true;
      }
      return false;
    },

    get(name) {
      removeExpired();
      return registered.get(keyOf(name))?.shown;
    },

    list() {
      removeExpired();
      return [...registered.values()].map(({ shown }) => shown);
    },

    remove(name) {
      const one = registered.get(keyOf(name));
      if (!one) return false;
      forget(one);
      void announceDeletion(one.shown);
      return true;
    },

    get stats() {
      const all = [...registered.values()].flatMap(({ shown, delivery }) =>
        delivery ? [[shown.name, delivery.stats()] as const] : [],
      );
      return Object.fromEntries(all);
    },

    pending,

    pendingAt(functionNames, group) {
      let sum = 0;
      for (const { shown, delivery } of registered.values()) {
        const { destination } = shown;
        if (destination.endpointType !== 'AzureFunction' || !functionNames.includes(destination.functionName)) continue;
        sum += delivery?.pendingOf(group) ?? 0;
      }
      return sum;
    },

    whenIdle(signal) {
      return new Promise((resolve) => {
        const end = () => {
          waiters.delete(end);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        if (pending() === 0 || signal?.aborted) return resolve();
        waiters.add(end);
        signal?.addEventListener('abort', end);
      });
    },

    clear,

    stop() {
      isStopped = true;
      clear();
    },
  };

  async function register(subscription: Subscription, signal: AbortSignal): Promise<PutOutcome> {
    const code = uuidOf(random);
    const shake = await shakeHands({
      subscription,
      id: uuidOf(random),
      code,
      validationUrl: validationUrl?.(code),
      post,
      clock,
      signal,
    });
    if (signal.aborted) return { kind: 'handshake-failed', message: 'Everything was cleared during the handshake.' };
    if (shake.kind === 'failed') return { kind: 'handshake-failed', message: shake.message };

    const before = registered.get(keyOf(subscription.name));
    const one = before ?? { shown: subscription };
    registered.set(keyOf(subscription.name), one);
    one.shown = subscription;
    if (shake.kind === 'agreed') activate(one);
    else void awaitConfirmation(one, code);
    return { kind: before ? 'updated' : 'created', subscription: one.shown };
  }

  function activate(one: Registered): void {
    one.awaiting?.stop.abort();
    delete one.awaiting;
    one.shown = { ...one.shown, provisioningState: 'Succeeded' };
    if (one.delivery) one.delivery.update(one.shown);
    else one.delivery = createDelivery(one.shown, deliveryDeps, reportIdle);
  }

  /** An update that is not confirmed leaves the deliveries as they were. */
  async function awaitConfirmation(one: Registered, code: string): Promise<void> {
    one.awaiting?.stop.abort();
    const awaiting = { code, stop: new AbortController() };
    one.awaiting = awaiting;
    one.shown = { ...one.shown, provisioningState: 'AwaitingManualAction' };
    await sleep(clock, MANUAL_MS, awaiting.stop.signal);
    if (awaiting.stop.signal.aborted) return;
    delete one.awaiting;
    one.shown = { ...one.shown, provisioningState: 'Failed' };
  }

  function forget(one: Registered): void {
    registered.delete(keyOf(one.shown.name));
    one.awaiting?.stop.abort();
    one.delivery?.end();
    reportIdle();
  }

  function removeExpired(): void {
    for (const one of registered.values()) {
      const { expirationTimeUtc } = one.shown;
      if (expirationTimeUtc && expirationTimeUtc <= clock.now()) forget(one);
    }
  }

  /** Once; what comes of it changes nothing. */
  async function announceDeletion(subscription: Subscription): Promise<void> {
    const { topic, destination, eventDeliverySchema } = subscription;
    if (destination.endpointType !== 'WebHook' || eventDeliverySchema !== 'EventGridSchema') return;
    const event = {
      id: uuidOf(random),
      topic,
      subject: '',
      data: { eventSubscriptionId: resourceIdOf(subscription) },
      eventType: 'Microsoft.EventGrid.SubscriptionDeletedEvent',
      eventTime: timeText(clock.now()),
      metadataVersion: '1',
      dataVersion: '1',
    };
    const request = noticeRequest('SubscriptionDeletion', event, subscription, destination.endpointUrl);
    await send({ post, clock, request, signal: era.signal });
  }

  function clear(): void {
    era.abort();
    era = new AbortController();
    for (const one of [...registered.values()]) forget(one);
  }

  function pending(): number {
    let sum = 0;
    for (const { delivery } of registered.values()) sum += delivery?.pending ?? 0;
    return sum;
  }

  function reportIdle(): void {
    if (waiters.size === 0 || pending() > 0) return;
    for (const end of [...waiters]) end();
  }
}

function keyOf(name: string): string {
  return name.toLowerCase();
}
