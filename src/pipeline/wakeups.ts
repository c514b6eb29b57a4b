import { type Clock, type Random, sleep } from '../clock.js';
import type { Stores } from '../storage/create-stores.js';
import type { QueueStore } from '../storage/queue-store.js';
import { LONG_SHARD_NAMES, SHARD_NAMES, shardOf, type Waiting } from '../storage/waiting.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { errorCodeOf } from './decide.js';
import { createRecent } from './recent.js';

/** What a message of the queues is about: a shard of `waiting`, from its first row that is due, or after this one. */
export type Wakeup = { shard: string; after?: string };

export type Queues = { due: QueueStore; dueLong: QueueStore };

/**
 * Sees to it that due rows are found.
 *
 * W1: while a process of the app is up, some process looks for due rows every 10 s, whichever process holds the timer.
 * W2: a process knows the earliest row that is due later: of the rows that it writes, and of the first row of each shard
 *     that it looks at. A message becomes visible in that row's slot of 10 s. It wakes an app that is scaled to zero,
 *     whose first look finds the rest.
 * W3: a process sends one message for each slot, and none while an earlier one is still to come: Azure decides by the
 *     length of a queue how many instances to run, and hidden messages count.
 *
 * A lost message is covered by the next look, a second one finds what the first has left.
 */
export type Wakeups = {
  /** Looks now and every 10 s. */
  start(): void;
  /** Looks no more. */
  stop(): void;
  /** Resolves when the messages that were being sent are sent, or have failed. */
  sent(): Promise<void>;
  /** Looks, unless a process has done so in the last 10 s. Never throws. */
  look(): Promise<void>;
  /** Sends a message for each shard that has a due row. Never throws. */
  wake(): Promise<void>;
  /** `waiting`, whose new rows are kept in mind for W2. */
  watching(waiting: Waiting): Waiting;
};

export const LOOK_EVERY_MS = 10_000;
/** So that the processes do not all ask at the same moment. */
const SPREAD_MS = 500;
/**
 * A queue with this many messages wakes everybody it can already. Its length counts messages that a dead process had
 * taken, too, which stay hidden for 10 minutes: a lower limit would let those silence the living.
 */
const SHORT_QUEUE = 1000;
const REMEMBERED_SLOTS = 10_000;

type Deps = {
  readonly clock: Clock;
  readonly random: Pick<Random, 'number'>;
  readonly stores: Pick<Stores, 'waiting' | 'looks'>;
  readonly queues: Queues;
  readonly telemetry: Telemetry;
};

export function createWakeups({ clock, random, stores, queues, telemetry }: Deps): Wakeups {
  const stopping = new AbortController();
  const sending = new Set<Promise<void>>();
  const sentSlots = createRecent<number, boolean>(REMEMBERED_SLOTS);
  let looking: Promise<number> | undefined;
  /** On the wall clock: the first message of this process that is still to come. */
  let nextAtMs = 0;

  return {
    start: () => void keepLooking(),
    stop: () => stopping.abort(),
    sent: async () => void (await Promise.all(sending)),
    look: async () => void (await lookOnce()),
    wake,
    watching: (waiting) => ({
      ...waiting,
      async add(row, untilMs) {
        const name = await waiting.add(row, untilMs);
        expect(shardOf(row), row.dueAt);
        return name;
      },
    }),
  };

  async function keepLooking(): Promise<void> {
    while (!stopping.signal.aborted) {
      const inMs = await lookOnce();
      await sleep(clock, inMs + SPREAD_MS * random.number(), stopping.signal);
    }
  }

  /** The timer and this process's own clock may ask at the same moment. */
  function lookOnce(): Promise<number> {
    looking ??= takeLook().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  /** Returns when the next look is due. */
  async function takeLook(): Promise<number> {
    const inMs = await stores.looks.take(LOOK_EVERY_MS).catch(() => 0);
    if (inMs > 0) return inMs;
    await wake();
    return LOOK_EVERY_MS;
  }

  async function wake(): Promise<void> {
    await Promise.all([wakeShards(queues.due, SHARD_NAMES), wakeShards(queues.dueLong, LONG_SHARD_NAMES)]);
  }

  async function wakeShards(queue: QueueStore, shards: readonly string[]): Promise<void> {
    try {
      const firsts = await Promise.all(
        shards.map(async (shard) => ({ shard, dueAt: await stores.waiting.firstDueAt(shard) })),
      );
      const now = clock.now();
      const isDue = ({ dueAt }: { dueAt: Date | undefined }) => dueAt !== undefined && !(dueAt > now);
      for (const { shard, dueAt } of firsts) if (dueAt && dueAt > now) expect(shard, dueAt);
      const due = firsts.filter(isDue);
      if (due.length === 0 || (await queue.length()) >= SHORT_QUEUE) return;
      await Promise.all(due.map(({ shard }) => queue.send(JSON.stringify({ shard } satisfies Wakeup))));
    } catch (error) {
      telemetry.log('error', 'wake-failed', { errorCode: errorCodeOf(error) });
    }
  }

  /** W2, W3. `dueAt` in the past: the slot that ends next. */
  function expect(shard: string, dueAt: Date): void {
    const nowMs = clock.now().getTime();
    const slotMs = Math.ceil(Math.max(dueAt.getTime(), nowMs) / LOOK_EVERY_MS) * LOOK_EVERY_MS;
    if (nextAtMs >= nowMs && nextAtMs <= slotMs) return;
    nextAtMs = slotMs;
    if (sentSlots.get(slotMs)) return;
    sentSlots.set(slotMs, true);
    const queue = LONG_SHARD_NAMES.includes(shard) ? queues.dueLong : queues.due;
    const sent: Promise<void> = queue
      .send(JSON.stringify({ shard } satisfies Wakeup), { inMs: slotMs - nowMs })
      .catch((error: unknown) => {
        sentSlots.set(slotMs, false);
        nextAtMs = 0;
        telemetry.log('error', 'wake-failed', { errorCode: errorCodeOf(error) });
      })
      .finally(() => sending.delete(sent));
    sending.add(sent);
  }
}
