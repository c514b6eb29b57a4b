import type { InvalidEvent } from '../dead-letters/store/invalid.js';
import { errorCodeOf } from '../errors.js';
import { acceptEvent } from '../events/accept.js';
import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { type EventKey, keyOf } from '../events/key.js';
import { toJson } from '../json-text.js';
import { createRecent } from '../recent.js';
import type { AddressOf } from '../storage/ledger.js';
import type { Span } from '../telemetry/telemetry.js';
import { wants } from '../workflow.js';
import type { DeliveredJobs, Delivery } from './delivered-jobs.js';
import type { WriteInvalid } from './invalid-events.js';
import { NotSafeError } from './post.js';
import type { Shared } from './shared.js';

/** Takes the events of one POST. Resolves when all of them are safe, else throws NotSafeError. */
export type Deliver = Deliveries['deliver'];

/** A POST whose events are being read. `invalid`: its invalid events, by their JSON text. */
type Reading = { delivery: Delivery; addressOf: AddressOf; invalid: Map<string, InvalidEvent> };

/** The number of event ids that a process remembers, to count ids that come again with other data. */
const REMEMBERED_IDS = 50_000;

/** The POSTs of Event Grid to this process. */
export class Deliveries {
  readonly #shared: Shared;
  readonly #writeInvalid: WriteInvalid;
  readonly #jobs: DeliveredJobs;
  readonly #contentOfId = createRecent<string, string>(REMEMBERED_IDS);

  constructor(shared: Shared, { jobs, writeInvalid }: { jobs: DeliveredJobs; writeInvalid: WriteInvalid }) {
    this.#shared = shared;
    this.#jobs = jobs;
    this.#writeInvalid = writeInvalid;
  }

  /**
   * Takes a POST of Event Grid, and resolves when every event in it is safe.
   * @throws NotSafeError if storage failed. Then Event Grid sends the whole POST again.
   * @param traceParent the W3C trace context of the invocation
   */
  async deliver(events: readonly unknown[], traceParent?: string): Promise<void> {
    const { telemetry } = this.#shared;
    telemetry.count('eventsReceived', events.length);
    const span = telemetry.trace('deliver', traceParent, { count: events.length });
    try {
      await this.#take(events, span);
      span?.end();
    } catch (error) {
      const errorCode = errorCodeOf(error);
      telemetry.count('eventsNotSafe');
      telemetry.record('events', events.length, { outcome: 'not-safe', type: 'unknown' });
      telemetry.log('error', 'event-not-safe', { errorCode, count: events.length });
      span?.end({ errorCode });
      throw error;
    }
  }

  async #take(events: readonly unknown[], span: Span | undefined): Promise<void> {
    const delivery = this.#jobs.createDelivery({ span });
    const { post } = delivery;
    const addressOf = await this.#shared.stores.ledger.open().catch((error: unknown) => {
      throw new NotSafeError(events.length, error);
    });
    const parsing = span?.child('parse');
    const invalid = new Map<string, InvalidEvent>();
    for (const raw of events) this.#accept(raw, { delivery, addressOf, invalid });
    parsing?.end();
    for (const written of this.#writeInvalid([...invalid.values()])) {
      post.addOpen();
      written.then(
        () => post.safe(),
        (error: unknown) => post.unsafe(error),
      );
    }
    await post.answer();
  }

  /** Starts the jobs of an event, or adds it to `invalid`. Invalid events with the same text share a dead letter. */
  #accept(raw: unknown, reading: Reading): void {
    const { invalid } = reading;
    const { telemetry, settings } = this.#shared;
    const json = toJson(raw);
    const event = invalid.has(json) ? undefined : acceptEvent({ raw, json }, settings);
    // `writeInvalid` counts the first event of each invalid text.
    if (!event) telemetry.record('events', 1, { outcome: 'invalid', type: 'unknown' });
    else if (event instanceof InvalidEventError) invalid.set(json, { raw, json, error: event });
    else this.#startJobs(event, json, reading);
  }

  #startJobs(event: HealthEvent, json: string, { delivery, addressOf }: Reading): void {
    const { telemetry, workflows } = this.#shared;
    const wanted = [...workflows.values()].filter((workflow) => wants(workflow, event));
    const { type } = event;
    telemetry.record('events', 1, { outcome: wanted.length === 0 ? 'ignored' : 'taken', type });
    if (wanted.length === 0) return;
    const key = keyOf(event);
    this.#noteId(key);
    for (const workflow of wanted) {
      const address = addressOf(key, workflow.name);
      const job = { address, eventIdDigest: key.id, event, json, workflow, workflowName: workflow.name };
      this.#jobs.start(job, delivery);
    }
  }

  #noteId({ id, contentDigest }: EventKey): void {
    if ((this.#contentOfId.get(id) ?? contentDigest) !== contentDigest)
      this.#shared.telemetry.record('idsReused', 1, {});
    this.#contentOfId.set(id, contentDigest);
  }
}
