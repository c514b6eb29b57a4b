import { type Clock, type Random, sleep } from '../clock.js';
import { errorCodeOf } from '../errors.js';
import { createRecent } from '../recent.js';
import type { QueueStore } from '../storage/queue-store.js';
import { DUE_SHARD_NAMES, JOBS_SHARD, LONG_SHARD_NAMES, shardOfRow, type Waiting } from '../storage/waiting.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Stores } from './create-stores.js';

/** A message of the queues: a shard of `waiting`, from its first due row on, or from the row after `after`. */
export type Wakeup = { shard: string; after?: string };

/** The queues that start the functions for due rows. `dueLong`: for jobs that may run longer than a delivery. */
export type Queues = { due: QueueStore; dueLong: QueueStore };

const LOOK_EVERY_MS = 10_000;
/** The maximum random delay of a look, so that not all processes look at the same moment. */
const SPREAD_MS = 500;
/**
 * A look sends no messages to a queue with this many: the queue wakes as many instances as it can already. The number
 * includes the messages that a dead process had taken, which stay hidden for 10 minutes. So it must be high: else these
 * would keep live processes from sending.
 */
const MAX_QUEUE_LENGTH = 1000;
const REMEMBERED_INTERVALS = 10_000;

type Deps = {
  readonly clock: Clock;
  readonly random: Pick<Random, 'number'>;
  readonly stores: Pick<Stores, 'waiting' | 'looks'>;
  readonly queues: Queues;
  readonly telemetry: Telemetry;
};

/** Returns the queue for messages that wake the rows of a shard. */
export function queueOf({ due, dueLong }: Queues, shard: string): QueueStore {
  return LONG_SHARD_NAMES.includes(shard) ? dueLong : due;
}

/**
 * Makes sure that due rows are found.
 *
 * W1: while a process of the app is up, some process looks for due rows every 10 s, whichever process holds the timer.
 * W2: a process knows the rows that it writes, and the first row of each shard that it looks at. For the earliest of
 *     these it sends a message, which becomes visible at the end of that row's interval of 10 s. The message wakes an
 *     app that is scaled to zero, whose first look finds the other rows.
 * W3: a process sends one message for each interval, and none while an earlier one is still to come: Azure decides by
 *     the length of a queue how many instances to run, and hidden messages count.
 *
 * If a message is lost, the next look finds its row. A second message finds the rows that the first has left.
 */
export class Wakeups {
  readonly #deps: Deps;
  readonly #stopping = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #sentIntervals = createRecent<number, boolean>(REMEMBERED_INTERVALS);
  #looking: Promise<number> | undefined;
  /** The time, on the wall clock, of the first message of this process that is still to come. */
  #nextAtMs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Looks now and every 10 s (W1). */
  async start(): Promise<void> {
    const { clock, random } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      const inMs = await this.look();
      await sleep(clock, inMs + SPREAD_MS * random.number(), this.#stopping.signal);
    }
  }

  /** Ends the looks. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Resolves when the messages that were being sent are sent, or have failed. */
  async sent(): Promise<void> {
    await Promise.all(this.#sending);
  }

  /**
   * Looks for due rows, unless a process has done so in the last 10 s. Returns the number of ms until the next look.
   * Never throws. Calls at the same time share a look: the timer and `start` may call at the same moment.
   */
  look(): Promise<number> {
    this.#looking ??= this.#takeLook().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Sends a message for each shard that has a due row. Never throws. */
  async wake(): Promise<void> {
    const { due, dueLong } = this.#deps.queues;
    await Promise.all([this.#wakeShards(due, DUE_SHARD_NAMES), this.#wakeShards(dueLong, LONG_SHARD_NAMES)]);
  }

  /** W2: returns `waiting`, which also sends the wake-ups for its new rows. */
  withWakeups(waiting: Waiting): Waiting {
    return {
      ...waiting,
      add: async (row, untilMs) => {
        const name = await waiting.add(row, untilMs);
        this.#wakeWhenDue(shardOfRow(row), row.dueAt);
        return name;
      },
      addJobs: async (jobs, how) => {
        await waiting.addJobs(jobs, how);
        this.#wakeWhenDue(JOBS_SHARD, how.dueAt);
      },
    };
  }

  async #takeLook(): Promise<number> {
    const inMs = await this.#deps.stores.looks.take(LOOK_EVERY_MS).catch(() => 0);
    if (inMs > 0) return inMs;
    await this.wake();
    return LOOK_EVERY_MS;
  }

  async #wakeShards(queue: QueueStore, shards: readonly string[]): Promise<void> {
    const { clock, stores, telemetry } = this.#deps;
    try {
      const firsts = await Promise.all(
        shards.map(async (shard) => ({ shard, dueAt: await stores.waiting.firstDueAt(shard) })),
      );
      const now = clock.now();
      for (const { shard, dueAt } of firsts) if (dueAt && dueAt > now) this.#wakeWhenDue(shard, dueAt);
      const due = firsts.filter(({ dueAt }) => dueAt !== undefined && !(dueAt > now));
      if (due.length === 0 || (await queue.length()) >= MAX_QUEUE_LENGTH) return;
      await Promise.all(due.map(({ shard }) => queue.send(JSON.stringify({ shard } satisfies Wakeup))));
    } catch (error) {
      telemetry.log('error', 'wake-failed', { errorCode: errorCodeOf(error) });
    }
  }

  /**
   * W2: sends a message that becomes visible at the end of the interval in which a row is due, unless W3 forbids it.
   */
  #wakeWhenDue(shard: string, dueAt: Date): void {
    const nowMs = this.#deps.clock.now().getTime();
    const intervalEndsAtMs = endOfInterval(Math.max(dueAt.getTime(), nowMs)); // due already: this interval
    const isEarlierToCome = nowMs <= this.#nextAtMs && this.#nextAtMs <= intervalEndsAtMs;
    if (isEarlierToCome) return; // W3: the process that it wakes looks every 10 s (W1)
    this.#nextAtMs = intervalEndsAtMs;
    if (this.#sentIntervals.get(intervalEndsAtMs)) return; // W3: one message for each interval
    this.#sentIntervals.set(intervalEndsAtMs, true);
    this.#send(shard, { intervalEndsAtMs, inMs: intervalEndsAtMs - nowMs });
  }

  #send(shard: string, { intervalEndsAtMs, inMs }: { intervalEndsAtMs: number; inMs: number }): void {
    const { queues, telemetry } = this.#deps;
    const sent: Promise<void> = queueOf(queues, shard)
      .send(JSON.stringify({ shard } satisfies Wakeup), { inMs })
      .catch((error: unknown) => {
        this.#sentIntervals.set(intervalEndsAtMs, false);
        this.#nextAtMs = 0;
        telemetry.log('error', 'wake-failed', { errorCode: errorCodeOf(error) });
      })
      .finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }
}

function endOfInterval(ms: number): number {
  return Math.ceil(ms / LOOK_EVERY_MS) * LOOK_EVERY_MS;
}
