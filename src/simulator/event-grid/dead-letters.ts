import { type Clock, type Random, sleep } from '../../clock.js';
import { uuidOf } from '../seeded.js';
import { createDueQueue } from './due-queue.js';
import type { Entry } from './entry.js';
import type { Subscription } from './subscription.js';
import { timeText, writeEvent } from './topic-event.js';

const DELAY_MS = 5 * 60_000;
const RETRY_MS = 60_000;
const GIVE_UP_MS = 4 * 3_600_000;
const MAX_EVENTS = 5000;

export type Reason = 'MaxDeliveryAttemptsExceeded' | 'TimeToLiveExceeded' | 'UndeliverableDueToClientError';
export type DeadLetter = { readonly entry: Entry; readonly reason: Reason };

/** The way from an event that was given up to a blob: all that are due at a time share one. */
export type DeadLetters = { add(deadLetter: DeadLetter): void; end(): void };

export type DeadLetterDeps = {
  schedule: Clock;
  clock: Clock;
  random: Random;
  /** Asked when letters are due: a subscription may have been changed. */
  subscription: () => Subscription;
  writeDeadLetter: (container: string, name: string, content: string) => Promise<void>;
  whenOver: (deadLetters: readonly DeadLetter[], outcome: 'written' | 'no-destination' | 'unavailable') => void;
};

export function createDeadLetters(deps: DeadLetterDeps): DeadLetters {
  const { schedule, clock, random, subscription, whenOver } = deps;
  const ended = new AbortController();
  const due = createDueQueue<DeadLetter>(schedule, (deadLetters) => {
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
      const { deadLetterDestination: to } = subscription();
      if (!to) return 'no-destination';
      if (await isWritten(to.blobContainerName, name, deadLetters)) return 'written';
      if (ended.signal.aborted || schedule.monotonic() + RETRY_MS > untilMs) return 'unavailable';
      await sleep(schedule, RETRY_MS, ended.signal);
      if (ended.signal.aborted) return 'unavailable';
    }
  }

  async function isWritten(container: string, name: string, deadLetters: readonly DeadLetter[]): Promise<boolean> {
    try {
      await deps.writeDeadLetter(
        container,
        name,
        JSON.stringify(deadLetters.map((deadLetter) => describe(deadLetter, subscription()))),
      );
      return true;
    } catch {
      return false;
    }
  }
}

/** Hours and days as Event Grid writes them, without a zero before them. */
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
  return {
    ...writeEvent(published.event, eventDeliverySchema),
    ...(eventDeliverySchema === 'EventGridSchema' ? properties : withLowerCaseNames(properties)),
  };
}

function withLowerCaseNames(of: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name.toLowerCase(), value]));
}
