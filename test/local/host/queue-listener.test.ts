import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import { describe, expect, it } from '@jest/globals';
import type { QueueSettings } from '../../../src/local/host/host-json.js';
import { QueueListener } from '../../../src/local/host/queue-listener.js';
import { allThatFollows as settle } from '../../pipeline/memory-app.js';
import { createTestClock } from '../../storage/test-clock.js';

const SETTINGS = {
  batchSize: 4,
  newBatchThreshold: 2,
  maxDequeueCount: 3,
  visibilityTimeoutMs: 7000,
  maxPollingIntervalMs: 1000,
  messageEncoding: 'none',
} as const;

describe('when functions are still running', () => {
  it('given more than newBatchThreshold of them, then no batch is taken until newBatchThreshold are left', async () => {
    const world = createWorld(['a', 'b', 'c', 'd', 'e', 'f']);
    await settle();
    expect(world.running()).toEqual(['a', 'b', 'c', 'd']);

    world.finish('a');
    await settle();
    expect(world.running()).toEqual(['b', 'c', 'd']);

    world.finish('b');
    await settle();
    expect(world.running()).toEqual(['c', 'd', 'e', 'f']);
    await world.stop();
  });

  it('given one that runs for over 5 minutes, then its message is hidden for 10 more', async () => {
    const world = createWorld(['a']);
    await settle();

    world.clock.advance(300_000);
    await settle();

    expect(world.calls).toContain('hide a-1 for 600');
    world.finish('a');
    await settle();
    expect(world.calls).toContain('delete a-2');
    await world.stop();
  });
});

describe('when a function has thrown', () => {
  it('given tries left, then its message is hidden for visibilityTimeout', async () => {
    const world = createWorld(['a']);
    await settle();

    world.fail('a');
    await settle();

    expect(world.calls.at(-1)).toBe('hide a-1 for 7');
    await world.stop();
  });
});

describe('when a queue is empty', () => {
  it('given many polls, then each waits longer than the one before, up to maxPollingInterval', async () => {
    const world = createWorld([]);
    const polledAt: number[] = [];
    for (let ms = 0; ms <= 3500; ms += 100) {
      await settle();
      polledAt.push(...world.calls.splice(0).map(() => ms));
      world.clock.advance(100);
    }

    expect(polledAt).toEqual([0, 100, 300, 700, 1500, 2500, 3500]);
    await world.stop();
  });
});

describe('when a message has come', () => {
  it('given a queue that was empty for long, then the next poll comes soon', async () => {
    const world = createWorld([]);
    for (let ms = 0; ms < 5000; ms += 100) {
      await settle();
      world.clock.advance(100);
    }
    world.add('a');
    world.clock.advance(1000);
    await settle();
    world.finish('a');
    await settle();
    world.calls.splice(0);

    world.clock.advance(100);
    await settle();

    expect(world.calls).toEqual(['receive']);
    await world.stop();
  });

  it('given a message in another encoding than that of host.json, then it moves to the poison queue, and no function sees it', async () => {
    const world = createWorld(['not base64!'], { messageEncoding: 'base64' });
    await settle();

    expect(world.running()).toEqual([]);
    expect(world.calls.filter((call) => call !== 'receive')).toEqual(['poison not base64!', 'delete not base64!-1']);
    await world.stop();
  });
});

describe('when the listener is stopped', () => {
  it('given messages that arrive after the stop, then they are visible again at once', async () => {
    const world = createWorld([]);
    await settle();
    const answer = world.holdReceive();
    world.clock.advance(100);
    await settle();

    const stopped = world.stop();
    answer(['late']);
    await stopped;

    expect(world.calls.at(-1)).toBe('hide late-1 for 0');
    expect(world.running()).toEqual([]);
  });

  it('given a function that runs, then the listener waits for its end', async () => {
    const world = createWorld(['a']);
    await settle();
    let hasStopped = false;

    const stopped = world.stop({ finishAll: false }).then(() => {
      hasStopped = true;
    });
    await settle();
    expect(hasStopped).toBe(false);

    world.finish('a');
    await stopped;
    expect(world.calls.at(-1)).toBe('delete a-1');
  });
});

/** A queue in memory, and functions that run until the test ends them. */
function createWorld(texts: string[], settings: Partial<QueueSettings> = {}) {
  const clock = createTestClock();
  const open = new Map<string, PromiseWithResolvers<void>>();
  const { queue, calls, holdReceive } = createQueue(texts);
  const listener = new QueueListener({
    queue,
    poison: queue,
    settings: { ...SETTINGS, ...settings },
    run({ text }) {
      const run = Promise.withResolvers<void>();
      open.set(text, run);
      return run.promise;
    },
    clock,
    log: () => {},
  });
  const end = (text: string) => {
    const run = open.get(text);
    open.delete(text);
    return run;
  };
  return {
    clock,
    calls,
    add: (text: string) => void texts.push(text),
    running: () => [...open.keys()],
    finish: (text: string) => end(text)?.resolve(),
    fail: (text: string) => end(text)?.reject(new Error('failed')),
    holdReceive,
    async stop({ finishAll = true } = {}) {
      if (finishAll) for (const text of [...open.keys()]) end(text)?.resolve();
      await listener.stop();
    },
  };
}

/** A queue with a message for each of `texts`, which is also its own poison queue. `calls` are the calls in order. */
function createQueue(texts: string[]) {
  const calls: string[] = [];
  let held: Promise<string[]> | undefined;
  const itemOf = (text: string) =>
    ({ messageId: text, messageText: text, popReceipt: `${text}-1`, dequeueCount: 1 }) as DequeuedMessageItem;
  const queue = {
    name: 'queue',
    async receiveMessages({ numberOfMessages = 1 }) {
      calls.push('receive');
      const taken = held ? await held : texts.splice(0, numberOfMessages);
      held = undefined;
      return { receivedMessageItems: taken.map(itemOf) };
    },
    async updateMessage(id: string, receipt: string, _text: undefined, seconds: number) {
      calls.push(`hide ${receipt} for ${seconds}`);
      return { popReceipt: `${id}-2` };
    },
    async deleteMessage(_id: string, receipt: string) {
      calls.push(`delete ${receipt}`);
    },
    async createIfNotExists() {},
    async sendMessage(text: string) {
      calls.push(`poison ${text}`);
    },
  } as unknown as QueueClient;
  /** Makes the next poll answer when the returned function is called. */
  const holdReceive = () => {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    held = promise;
    return resolve;
  };
  return { queue, calls, holdReceive };
}
