import type { Clock, Random } from '../../clock.js';
import { type AttemptDeps, attempt } from './attempt.js';
import { type Batch, takeBatch } from './batch.js';
import { createDeadLetters, type DeadLetter, type Reason } from './dead-letters.js';
import { createDueQueue } from './due-queue.js';
import { createStages, type Entry, type Published, type Stage } from './entry.js';
import { matches } from './filter.js';
import { createProbation } from './probation.js';
import { createReady } from './ready.js';
import { type Failure, failureOf, isFinal, isSuccess, waitMsAfter } from './retry.js';
import type { SendResult } from './send.js';
import { countOne, createLag, newCounts, type SubscriptionStats } from './stats.js';
import type { Subscription } from './subscription.js';

const MAX_REQUESTS = 32;
const MINUTE_MS = 60_000;

export type DeliveryDeps = AttemptDeps & {
  /** The clock of the schedule: retries, probation, time to live, dead letters. May run faster than real time. */
  schedule: Clock;
  random: Random;
  /** Writes a dead-letter blob; a rejection is retried for up to 4 hours of the schedule. */
  writeDeadLetter: (container: string, name: string, content: string) => Promise<void>;
};

/** The events of one subscription, from published to over. */
export type Delivery = {
  readonly pending: number;
  pendingOf(group: string): number;
  /** Takes the event if the subscription wants it. */
  offer(published: Published): void;
  /** What is pending stays, and follows the new one. */
  update(subscription: Subscription): void;
  stats(): SubscriptionStats;
  /** Forgets everything; nothing is sent or written any more. */
  end(): void;
};

/** `whenIdle` is called whenever nothing is pending any more. */
export function createDelivery(first: Subscription, deps: DeliveryDeps, whenIdle: () => void): Delivery {
  const { schedule, clock, random, interference } = deps;
  let subscription = first;
  let requests = 0;
  let willPump = false;
  const ended = new AbortController();
  const counts = newCounts();
  const lag = createLag();
  const places = createStages();
  const ready = createReady(({ published, attempts }) =>
    interference.treatmentOf(published.event, subscription.name, attempts),
  );
  const held = createDueQueue<Entry>(clock, (entries) => makeReady(entries, 'held'));
  const retries = createDueQueue<Entry>(schedule, (entries) => makeReady(entries, 'waiting'));
  const probation = createProbation({ schedule, max: MAX_REQUESTS, whenOver: pump });
  const deadLetters = createDeadLetters({ ...deps, subscription: () => subscription, whenOver: settleDeadLetters });

  return {
    get pending() {
      return ended.signal.aborted ? 0 : places.pending;
    },

    pendingOf: (group) => (ended.signal.aborted ? 0 : places.pendingOf(group)),

    offer(published) {
      if (!matches(subscription.filter, published.event)) return;
      counts.matched += 1;
      const copies = interference.copiesOf(published.event, subscription.name);
      if (copies.length === 0) counts.withheld += 1;
      else counts.copies += copies.length - 1;
      for (const delayMs of copies) {
        if (delayMs > 0) held.add(clock.monotonic() + delayMs, places.enter(published, 'held'));
        else ready.add(places.enter(published, 'ready'));
      }
      pumpSoon();
    },

    update(next) {
      subscription = next;
      pumpSoon();
    },

    stats() {
      const { over: _, ...standing } = places.counts;
      const inProbationUntil = probation.until?.toISOString();
      return {
        ...structuredClone(counts),
        pending: places.pending,
        places: standing,
        inProbationUntil,
        lag: lag.read(),
      };
    },

    end() {
      ended.abort();
      held.clear();
      retries.clear();
      deadLetters.end();
      probation.end();
    },
  };

  /** At the end of the turn: what is published in one turn may share a request. */
  function pumpSoon(): void {
    if (willPump) return;
    willPump = true;
    clock.endOfTurn(() => {
      willPump = false;
      pump();
    });
  }

  function pump(): void {
    while (!ended.signal.aborted && requests < probation.max) {
      const batch = takeBatch(ready, subscription, { isExpired, expire });
      if (!batch) break;
      void deliver(batch);
    }
    reportIdle();
  }

  async function deliver(batch: Batch): Promise<void> {
    requests += 1;
    const nowMs = clock.now().getTime();
    for (const entry of batch.entries) {
      places.move(entry, 'sent');
      entry.attempts += 1;
      entry.lastAtMs = nowMs;
    }
    counts.requests += 1;
    if (batch.attempts > 0) counts.retried += batch.entries.length;

    const result = await attempt(batch, subscription, deps, ended.signal);

    requests -= 1;
    if (ended.signal.aborted) return;
    settle(batch, result);
    pump();
  }

  function settle(batch: Batch, result: SendResult): void {
    switch (result.kind) {
      case 'answered':
        if (isSuccess(result.answer.status)) acknowledge(batch);
        else fail(batch, failureOf(result.answer.status));
        break;
      case 'no-answer':
        fail(batch, { outcome: result.outcome });
        break;
      case 'timed-out':
        fail(batch, { outcome: 'TimedOut' });
        void result.late.then((late) => {
          if (ended.signal.aborted || late.kind !== 'answered' || !isSuccess(late.answer.status)) return;
          acknowledge(batch);
          reportIdle();
        });
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(result satisfies never)}`);
    }
  }

  /** Also of events that wait for their next attempt: what is a dead letter by now stays one. */
  function acknowledge({ entries }: Batch): void {
    const now = clock.monotonic();
    for (const entry of entries) {
      if (entry.stage === 'letters' || entry.stage === 'over') continue;
      places.move(entry, 'over');
      counts.delivered += 1;
      lag.add(now - entry.published.realMs);
    }
    probation.succeeded();
  }

  function fail({ entries, attempts: before }: Batch, failure: Failure): void {
    const { destination, retryPolicy } = subscription;
    const attempts = before + 1;
    countOne(counts.failed, failure.outcome);
    // The same time for all of them: they may share a request again.
    const dueMs = schedule.monotonic() + waitMsAfter(attempts, failure, random);
    for (const entry of entries) {
      if (entry.stage !== 'sent') continue; // acknowledged meanwhile
      entry.outcome = failure.outcome;
      if (isFinal(failure, destination.endpointType)) giveUp(entry, 'UndeliverableDueToClientError');
      else if (attempts >= retryPolicy.maxDeliveryAttempts) giveUp(entry, 'MaxDeliveryAttemptsExceeded');
      else {
        places.move(entry, 'waiting');
        retries.add(dueMs, entry);
      }
    }
    probation.failed(failure.outcome, entries.length);
  }

  /** Their time has come: to be sent, or, where they have become too old, to be given up. */
  function makeReady(entries: readonly Entry[], from: Stage): void {
    for (const entry of entries) {
      if (entry.stage !== from) continue;
      if (isExpired(entry)) expire(entry);
      else {
        if (probation.until) entry.outcome = 'Probation';
        places.move(entry, 'ready');
        ready.add(entry);
      }
    }
    pump();
  }

  function isExpired({ published }: Entry): boolean {
    return schedule.monotonic() - published.scheduleMs >= subscription.retryPolicy.eventTimeToLiveInMinutes * MINUTE_MS;
  }

  function expire(entry: Entry): void {
    giveUp(entry, 'TimeToLiveExceeded');
  }

  function giveUp(entry: Entry, reason: Reason): void {
    if (subscription.deadLetterDestination) {
      places.move(entry, 'letters');
      deadLetters.add({ entry, reason });
    } else {
      places.move(entry, 'over');
      countOne(counts.dropped, reason);
    }
  }

  function settleDeadLetters(
    settled: readonly DeadLetter[],
    outcome: 'written' | 'no-destination' | 'unavailable',
  ): void {
    for (const { entry, reason } of settled) {
      places.move(entry, 'over');
      if (outcome === 'written') countOne(counts.deadLettered, reason);
      else countOne(counts.dropped, outcome === 'unavailable' ? 'DeadLetterUnavailable' : reason);
    }
    reportIdle();
  }

  function reportIdle(): void {
    if (places.pending === 0) whenIdle();
  }
}
