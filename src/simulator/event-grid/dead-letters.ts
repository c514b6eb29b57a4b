import { type Clock, type Random, sleep } from '../../clock.js';
import { uuidOf } from '../seeded.js';
import { DueQueue } from './due-queue.js';
import type { Entry } from './entry.js';
import type { Subscription } from './subscription.js';
import { timeText, writeEvent } from './topic-event.js';

const DELAY_MS = 5 * 60_000;
const RETRY_MS = 60_000;
const GIVE_UP_MS = 4 * 3_600_000;
const MAX_EVENTS = 5000;

/** The reason why Event Grid gave up on an event: `deadLetterReason` in its dead letter. */
export type Reason = 'MaxDeliveryAttemptsExceeded' | 'TimeToLiveExceeded' | 'UndeliverableDueToClientError';
/** `no-destination`: the subscription keeps no dead letters. `unavailable`: all tries of 4 hours failed. */
export type WriteOutcome = 'written' | 'no-destination' | 'unavailable';
/** An event that Event Grid gave up on, and why. */
export type DeadLetter = { readonly entry: Entry; readonly reason: Reason };

/**
 * Writes dead letters, 5 minutes after Event Grid gave up on their events. Dead letters due at one time share a blob.
 */
export type DeadLetters = { add(deadLetter: DeadLetter): void; end(): void };

type DeadLetterDeps = {
  schedule: Clock;
  clock: Clock;
  random: Random;
  /** Called when dead letters are due, because the subscription may have changed by then. */
  subscription: () => Subscription;
  writeDeadLetter: (container: string, name: string, content: string) => Promise<void>;
  whenOver: (deadLetters: readonly DeadLetter[], outcome: WriteOutcome) => void;
};

/** Returns the dead letters of one subscription. `end` drops those that are not due yet. */
export function createDeadLetters(deps: DeadLetterDeps): DeadLetters {
  const { schedule, clock, random, subscription, whenOver } = deps;
  const ended = new AbortController();
  const due = new DueQueue<DeadLetter>(schedule, (deadLetters) => {
    for (let at = 0; at < deadLetters.length; at += MAX_EVENTS) void deliver(deadLetters.slice(at, at + MAX_EVENTS));
  });

  return {
    add(deadLetter) {
      due.add(schedule.monotonic() + DELAY_MS, deadLetter);
    },
    end() {
      ended.abort();
      due.clear();
    },
  };

  async function deliver(deadLetters: readonly DeadLetter[]): Promise<void> {
    const name = nameOf(subscription(), clock.now(), uuidOf(random));
    const outcome = await writeUntil(name, deadLetters, schedule.monotonic() + GIVE_UP_MS);
    if (ended.signal.aborted) return;
    whenOver(deadLetters, outcome);
  }

  async function writeUntil(name: string, deadLetters: readonly DeadLetter[], untilMs: number) {
    for (;;) {
      if (!subscription().deadLetterDestination) return 'no-destination';
      if (await isWritten(deps, name, deadLetters)) return 'written';
      if (ended.signal.aborted || schedule.monotonic() + RETRY_MS > untilMs) return 'unavailable';
      await sleep(schedule, RETRY_MS, ended.signal);
      if (ended.signal.aborted) return 'unavailable';
    }
  }
}

async function isWritten(deps: DeadLetterDeps, name: string, deadLetters: readonly DeadLetter[]): Promise<boolean> {
  const subscription = deps.subscription();
  const content = JSON.stringify(deadLetters.map((deadLetter) => describe(deadLetter, subscription)));
  try {
    await deps.writeDeadLetter(subscription.deadLetterDestination?.blobContainerName ?? '', name, content);
    return true;
  } catch {
    return false;
  }
}

/** Returns the name of a blob, as Event Grid makes it: hours and days have no leading zero. */
function nameOf({ name }: Subscription, at: Date, uuid: string): string {
  const hour = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours()].join('/');
  return `${name.toUpperCase()}/${hour}/${uuid}.json`;
}

function describe({ entry, reason }: DeadLetter, { eventDeliverySchema }: Subscription): Record<string, unknown> {
  const { published, attempts, outcome = 'Probation', lastAtMs } = entry;
  const properties = {
    deadLetterReason: reason,
    deliveryAttempts: attempts,
    lastDeliveryOutcome: outcome,
    publishTime: timeText(new Date(published.atMs)),
    ...(lastAtMs === undefined ? {} : { lastDeliveryAttemptTime: timeText(new Date(lastAtMs)) }),
  };
  const written = (name: string) => (eventDeliverySchema === 'EventGridSchema' ? name : name.toLowerCase());
  return {
    ...writeEvent(published.event, eventDeliverySchema),
    ...Object.fromEntries(Object.entries(properties).map(([name, value]) => [written(name), value])),
  };
}
