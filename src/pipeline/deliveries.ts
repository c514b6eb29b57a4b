import type { InvalidEvent } from '../dead-letters/store/invalid.js';
import { errorCodeOf } from '../errors.js';
import { acceptEvent } from '../events/accept.js';
import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { type EventKey, keyOf } from '../events/key.js';
import { toJson } from '../json-text.js';
import { addressOf } from '../storage/address.js';
import { wants } from '../workflow.js';
import { DeliveredJobs, type Delivery } from './delivered-jobs.js';
import type { WriteInvalid } from './invalid-events.js';
import { createPost } from './post.js';
import { createRecent } from './recent.js';
import type { Shared } from './shared.js';

/** Takes the events of one POST. Resolves when all of them are safe, else throws NotSafeError. */
export type Deliver = Deliveries['deliver'];

/** The number of ids that a process remembers, to see an id that comes again with other data. */
const REMEMBERED_IDS = 50_000;

/** The POSTs of Event Grid to this process. */
export class Deliveries {
  readonly #shared: Shared;
  readonly #writeInvalid: WriteInvalid;
  readonly #jobs: DeliveredJobs;
  readonly #contentOfId = createRecent<string, string>(REMEMBERED_IDS);

  constructor(shared: Shared, writeInvalid: WriteInvalid) {
    this.#shared = shared;
    this.#writeInvalid = writeInvalid;
    this.#jobs = new DeliveredJobs(shared);
  }

  /**
   * Takes a whole POST of Event Grid's, and resolves when every event in it is safe.
   * @throws NotSafeError when storage failed: nothing of the POST is acknowledged, all of it comes again.
   * @param traceParent of the invocation, W3C
   */
  async deliver(events: readonly unknown[], traceParent?: string): Promise<void> {
    const { clock, settings, telemetry } = this.#shared;
    telemetry.count('eventsReceived', events.length);
    const span = telemetry.trace('deliver', traceParent, { count: events.length });
    const { deadlineMs } = settings;
    const post = createPost({ clock, deadlineMs, onDeadline: () => this.#jobs.meetDeadline(delivery) });
    const delivery: Delivery = { post, span, runs: [] };
    const parsing = span?.child('parse');
    const invalid = new Map<string, InvalidEvent>();
    for (const raw of events) this.#accept(raw, delivery, invalid);
    parsing?.end();
    for (const written of this.#writeInvalid([...invalid.values()])) {
      post.open();
      written.then(post.safe, post.unsafe);
    }
    await this.#answer(delivery, events.length);
  }

  async #answer({ post, span }: Delivery, count: number): Promise<void> {
    const { telemetry } = this.#shared;
    try {
      await post.answer();
      span?.end();
    } catch (error) {
      const errorCode = errorCodeOf(error);
      telemetry.count('eventsNotSafe');
      telemetry.record('events', count, { outcome: 'not-safe', type: 'unknown' });
      telemetry.log('error', 'event-not-safe', { errorCode, count });
      span?.end({ errorCode });
      throw error;
    }
  }

  /** An invalid event goes into `invalid`, by its text: events of the same text have the same dead letter. */
  #accept(raw: unknown, delivery: Delivery, invalid: Map<string, InvalidEvent>): void {
    const { telemetry, settings } = this.#shared;
    const json = toJson(raw);
    const event = invalid.has(json) ? undefined : acceptEvent({ raw, json }, settings);
    if (!event) telemetry.record('events', 1, { outcome: 'invalid', type: 'unknown' });
    else if (event instanceof InvalidEventError) invalid.set(json, { raw, json, error: event });
    else this.#startJobs(event, json, delivery);
  }

  #startJobs(event: HealthEvent, json: string, delivery: Delivery): void {
    const { telemetry, workflows } = this.#shared;
    const wanted = [...workflows.values()].filter((workflow) => wants(workflow, event));
    const { type } = event;
    telemetry.record('events', 1, { outcome: wanted.length === 0 ? 'ignored' : 'taken', type });
    if (wanted.length === 0) return;
    const key = keyOf(event);
    this.#noteId(key);
    for (const workflow of wanted) {
      const address = addressOf(key, workflow.name);
      this.#jobs.start({ address, event, json, workflow, workflowName: workflow.name }, delivery);
    }
  }

  #noteId({ id, contentDigest }: EventKey): void {
    if ((this.#contentOfId.get(id) ?? contentDigest) !== contentDigest)
      this.#shared.telemetry.record('idsReused', 1, {});
    this.#contentOfId.set(id, contentDigest);
  }
}
