import { type DequeuedMessageItem, type QueueClient, RestError } from '@azure/storage-queue';
import { type Clock, sleep } from '../../clock.js';
import { createBackoff } from './backoff.js';
import type { QueueSettings } from './host-json.js';
import { describeError, type HostLog } from './host-log.js';

export type QueueMessage = { readonly text: string; readonly item: DequeuedMessageItem };

export type QueueListener = {
  /** Takes no more messages, and resolves when those taken are done. */
  stop(): Promise<void>;
};

type Deps = {
  queue: QueueClient;
  poison: QueueClient;
  settings: QueueSettings;
  run(message: QueueMessage): Promise<unknown>;
  clock: Clock;
  log: HostLog;
};

/** While a message runs it is hidden for this long, and hidden again at half of it. */
const HIDDEN_S = 600;
const FIRST_POLL_MS = 100;

/**
 * Polls one queue, as the queue extension does. A message goes one of three ways: its function returned, it is deleted;
 * it threw, and is visible again after `visibilityTimeout`; it threw `maxDequeueCount` times, or cannot be decoded, and
 * is moved to the poison queue. What a dead process has held is visible again when its ten minutes are over.
 */
export function listenToQueue(deps: Deps): QueueListener {
  const { queue, settings, clock, log } = deps;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const backoff = createBackoff(FIRST_POLL_MS, settings.maxPollingIntervalMs);
  let isReachable = true;
  const polling = poll();
  return {
    async stop() {
      stopping.abort();
      await polling;
      await Promise.all(running);
    },
  };

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      const items = await receive();
      for (const item of items) track(stopping.signal.aborted ? release(item, 0) : process(item));
      if (items.length === 0) await sleep(clock, backoff.next(), stopping.signal);
      else backoff.reset();
      while (running.size > settings.newBatchThreshold) await Promise.race(running);
    }
  }

  /** Nothing where the queue is absent, as the real host has it, or storage does not answer. */
  async function receive(): Promise<DequeuedMessageItem[]> {
    try {
      const options = { numberOfMessages: settings.batchSize, visibilityTimeout: HIDDEN_S };
      const { receivedMessageItems } = await queue.receiveMessages(options);
      isReachable = true;
      return receivedMessageItems;
    } catch (error) {
      const isAbsent = error instanceof RestError && error.statusCode === 404;
      if (isReachable && !isAbsent) log('warning', `Queue '${queue.name}' cannot be read: ${describeError(error)}`);
      isReachable = isAbsent;
      return [];
    }
  }

  function track(work: Promise<void>): void {
    const tracked = work
      .catch((error) => log('warning', `A message of '${queue.name}' will come again: ${describeError(error)}`))
      .finally(() => running.delete(tracked));
    running.add(tracked);
  }

  async function process(item: DequeuedMessageItem): Promise<void> {
    const text = decode(item.messageText, settings.messageEncoding);
    if (text === undefined || item.dequeueCount > settings.maxDequeueCount) return moveToPoison(item);
    const hold = holdHidden(item);
    const hasSucceeded = await deps.run({ text, item }).then(
      () => true,
      () => false, // Logged where it ran.
    );
    const held = await hold.end();
    if (hasSucceeded) await queue.deleteMessage(held.messageId, held.popReceipt);
    else if (item.dequeueCount >= settings.maxDequeueCount) await moveToPoison(held);
    else await release(held, settings.visibilityTimeoutMs / 1000);
  }

  /** Hides the message again and again until it is ended, which gives the message with its latest receipt. */
  function holdHidden(item: DequeuedMessageItem): { end(): Promise<DequeuedMessageItem> } {
    const over = new AbortController();
    const held = (async () => {
      let current = item;
      for (;;) {
        await sleep(clock, (HIDDEN_S / 2) * 1000, over.signal);
        if (over.signal.aborted) return current;
        current = await hideAgain(current);
      }
    })();
    return {
      end() {
        over.abort();
        return held;
      },
    };
  }

  async function hideAgain(item: DequeuedMessageItem): Promise<DequeuedMessageItem> {
    try {
      const { popReceipt } = await queue.updateMessage(item.messageId, item.popReceipt, undefined, HIDDEN_S);
      return { ...item, popReceipt: popReceipt ?? item.popReceipt };
    } catch (error) {
      log('warning', `A message of '${queue.name}' may run twice: ${describeError(error)}`);
      return item;
    }
  }

  async function release(item: DequeuedMessageItem, afterS: number): Promise<void> {
    await queue.updateMessage(item.messageId, item.popReceipt, undefined, afterS);
  }

  async function moveToPoison(item: DequeuedMessageItem): Promise<void> {
    await deps.poison.createIfNotExists();
    await deps.poison.sendMessage(item.messageText);
    await queue.deleteMessage(item.messageId, item.popReceipt);
    log('warning', `A message of '${queue.name}' was moved to '${deps.poison.name}' after ${item.dequeueCount} tries.`);
  }
}

/** Undefined where it is not what the encoding says. */
function decode(text: string, encoding: QueueSettings['messageEncoding']): string | undefined {
  if (encoding === 'none') return text;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === text.trim().replace(/=+$/, '')
    ? bytes.toString('utf8')
    : undefined;
}
