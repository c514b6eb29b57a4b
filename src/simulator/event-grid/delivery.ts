import type { Clock, Random } from '../../clock.js';
import { type AttemptDeps, attempt } from './attempt.js';
import { type Batch, takeBatch } from './batch.js';
import {
  createDeadLetters,
  type DeadLetter,
  type DeadLetters,
  type Reason,
  type WriteOutcome,
} from './dead-letters.js';
import { DueQueue } from './due-queue.js';
import { type Entry, type Published, type Stage, Stages } from './entry.js';
import { matches } from './filter.js';
import { Probation } from './probation.js';
import { Ready } from './ready.js';
import { type Failure, failureOf, isFinal, waitMsAfter } from './retry.js';
import type { SendResult } from './send.js';
import { countOne, createCounts } from './stats.js';
import type { Subscription } from './subscription.js';

const MAX_REQUESTS = 32;
const MINUTE_MS = 60_000;

export type DeliveryDeps = AttemptDeps & {
  /** The clock for retries, probation, time to live and dead letters. It may run faster than real time. */
  schedule: Clock;
  random: Random;
  /** Writes a dead-letter blob; a rejection is retried for up to 4 hours of the schedule. */
  writeDeadLetter: (container: string, name: string, content: string) => Promise<void>;
  /** The maximum requests of a subscription at once; the documentation names no number. Default: 32. */
  maxRequests?: number;
};

/** Delivers the events of one subscription, from their publication to their end. */
export class Delivery {
  readonly #deps: DeliveryDeps;
  #subscription: Subscription;
  #requests = 0;
  #willPump = false;
  readonly #ended = new AbortController();
  readonly #counts = createCounts();
  readonly #stages = new Stages();
  readonly #ready: Ready;
  readonly #held: DueQueue<Entry>;
  readonly #retries: DueQueue<Entry>;
  readonly #probation: Probation;
  readonly #deadLetters: DeadLetters;

  constructor(first: Subscription, deps: DeliveryDeps) {
    const { schedule, clock, interference, maxRequests: max = MAX_REQUESTS } = deps;
    this.#deps = deps;
    this.#subscription = first;
    this.#ready = new Ready(({ published, attempts }) =>
      interference.treatmentOf(published.event, this.#subscription.name, attempts),
    );
    this.#held = new DueQueue(clock, (entries) => this.#makeReady(entries, 'held'));
    this.#retries = new DueQueue(schedule, (entries) => this.#makeReady(entries, 'waiting'));
    this.#probation = new Probation({ schedule, max, whenOver: () => this.#pump() });
    this.#deadLetters = createDeadLetters({
      ...deps,
      subscription: () => this.#subscription,
      whenOver: (deadLetters, outcome) => this.#finishDeadLetters(deadLetters, outcome),
    });
  }

  get pending(): number {
    return this.#ended.signal.aborted ? 0 : this.#stages.pending;
  }

  pendingOf(group: string): number {
    return this.#ended.signal.aborted ? 0 : this.#stages.pendingOf(group);
  }

  /** Takes the event if the subscription's filter matches. */
  offer(published: Published): void {
    const { clock, interference } = this.#deps;
    const { filter, name } = this.#subscription;
    if (!matches(filter, published.event)) return;
    this.#counts.matched += 1;
    const copies = interference.copiesOf(published.event, name);
    if (copies.length === 0) this.#counts.withheld += 1;
    else this.#counts.copies += copies.length - 1;
    for (const delayMs of copies) {
      if (delayMs > 0) this.#held.add(clock.monotonic() + delayMs, this.#stages.enter(published, 'held'));
      else this.#ready.add(this.#stages.enter(published, 'ready'));
    }
    this.#pumpSoon();
  }

  /** Changes the subscription. Pending events stay, and follow the new settings. */
  update(next: Subscription): void {
    this.#subscription = next;
    this.#pumpSoon();
  }

  /** Returns the counts since the subscription was made, and its state now. */
  stats() {
    const { over: _, ...places } = this.#stages.counts;
    return {
      ...structuredClone(this.#counts),
      /** Events that are neither delivered, nor dead-lettered, nor dropped yet. */
      pending: this.#stages.pending,
      /** Pending events by stage; `letters` are dead letters that are not written yet. */
      places,
      /** The end of the probation, by the wall clock of the schedule. */
      inProbationUntil: this.#probation.until?.toISOString(),
    };
  }

  /** Forgets everything; nothing is sent or written any more. */
  end(): void {
    this.#ended.abort();
    this.#held.clear();
    this.#retries.clear();
    this.#deadLetters.end();
    this.#probation.end();
  }

  /** Sends at the end of the turn, because events that are published in one turn may share a request. */
  #pumpSoon(): void {
    if (this.#willPump) return;
    this.#willPump = true;
    this.#deps.clock.endOfTurn(() => {
      this.#willPump = false;
      this.#pump();
    });
  }

  #pump(): void {
    const onEntry = {
      isExpired: (entry: Entry) => this.#isExpired(entry),
      expire: (entry: Entry) => this.#giveUp(entry, 'TimeToLiveExceeded'),
    };
    while (!this.#ended.signal.aborted && this.#requests < this.#probation.max) {
      const batch = takeBatch(this.#ready, this.#subscription, onEntry);
      if (!batch) break;
      void this.#deliver(batch);
    }
  }

  async #deliver(batch: Batch): Promise<void> {
    this.#requests += 1;
    const nowMs = this.#deps.clock.now().getTime();
    for (const entry of batch.entries) {
      this.#stages.move(entry, 'sent');
      entry.attempts += 1;
      entry.lastAtMs = nowMs;
    }
    this.#counts.requests += 1;
    if (batch.attempts > 0) this.#counts.retried += batch.entries.length;

    const { signal } = this.#ended;
    const result = await attempt(batch, { subscription: this.#subscription, signal }, this.#deps);

    this.#requests -= 1;
    if (signal.aborted) return;
    this.#finish(batch, result);
    this.#pump();
  }

  #finish(batch: Batch, result: SendResult): void {
    const failure = failureOf(result);
    if (failure) this.#fail(batch, failure);
    else this.#acknowledge(batch);
    if (result.kind !== 'timed-out') return;
    void result.late.then((late) => {
      if (!failureOf(late) && !this.#ended.signal.aborted) this.#acknowledge(batch);
    });
  }

  /** Ends the entries, also those that wait for their next attempt. A dead letter stays a dead letter. */
  #acknowledge({ entries }: Batch): void {
    for (const entry of entries) {
      if (entry.stage === 'letters' || entry.stage === 'over') continue;
      this.#stages.move(entry, 'over');
      this.#counts.delivered += 1;
    }
    this.#probation.succeeded();
  }

  #fail({ entries, attempts: before }: Batch, failure: Failure): void {
    const { schedule, random } = this.#deps;
    const { destination, retryPolicy } = this.#subscription;
    const attempts = before + 1;
    countOne(this.#counts.failed, failure.outcome);
    // All entries get the same time, so that they may share a request again.
    const dueMs = schedule.monotonic() + waitMsAfter(attempts, failure, random);
    for (const entry of entries) {
      if (entry.stage !== 'sent') continue; // acknowledged meanwhile
      entry.outcome = failure.outcome;
      if (isFinal(failure, destination.endpointType)) this.#giveUp(entry, 'UndeliverableDueToClientError');
      else if (attempts >= retryPolicy.maxDeliveryAttempts) this.#giveUp(entry, 'MaxDeliveryAttemptsExceeded');
      else {
        this.#stages.move(entry, 'waiting');
        this.#retries.add(dueMs, entry);
      }
    }
    this.#probation.failed(failure.outcome, entries.length);
  }

  /** Entries that are due become ready, or are given up if they are too old. */
  #makeReady(entries: readonly Entry[], from: Stage): void {
    for (const entry of entries) {
      if (entry.stage !== from) continue;
      if (this.#isExpired(entry)) this.#giveUp(entry, 'TimeToLiveExceeded');
      else {
        if (this.#probation.until) entry.outcome = 'Probation';
        this.#stages.move(entry, 'ready');
        this.#ready.add(entry);
      }
    }
    this.#pump();
  }

  #isExpired({ published }: Entry): boolean {
    const { eventTimeToLiveInMinutes } = this.#subscription.retryPolicy;
    return this.#deps.schedule.monotonic() - published.scheduleMs >= eventTimeToLiveInMinutes * MINUTE_MS;
  }

  #giveUp(entry: Entry, reason: Reason): void {
    if (this.#subscription.deadLetterDestination) {
      this.#stages.move(entry, 'letters');
      this.#deadLetters.add({ entry, reason });
    } else {
      this.#stages.move(entry, 'over');
      countOne(this.#counts.dropped, reason);
    }
  }

  #finishDeadLetters(deadLetters: readonly DeadLetter[], outcome: WriteOutcome): void {
    const { deadLettered, dropped } = this.#counts;
    for (const { entry, reason } of deadLetters) {
      this.#stages.move(entry, 'over');
      if (outcome === 'written') countOne(deadLettered, reason);
      else countOne(dropped, outcome === 'unavailable' ? 'DeadLetterUnavailable' : reason);
    }
  }
}
