import { type DequeuedMessageItem, type QueueClient, RestError } from '@azure/storage-queue';
import { type Clock, sleep } from '../../clock.js';
import { createBackoff } from './backoff.js';
import type { QueueSettings } from './host-json.js';
import { describeError, type HostLog } from './host-log.js';

export type QueueMessage = { readonly text: string; readonly item: DequeuedMessageItem };

export type QueueListener = {
  /** Takes no more messages, and resolves when the messages taken so far are done. */
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

/** A running message is hidden for this long, and hidden again after half of it. */
const HIDDEN_S = 600;
const FIRST_POLL_MS = 100;

/**
 * Polls one queue, like the queue extension. A message ends in one of three ways:
 * - Its function returns: the message is deleted.
 * - Its function throws: the message is visible again after `visibilityTimeout`.
 * - Its function has thrown `maxDequeueCount` times, or the message cannot be decoded: it moves to the poison queue.
 * The messages of a dead process are visible again after ten minutes.
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

  /** Returns no messages where the queue is absent, like the real host, or storage does not answer. */
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
      .catch((error) => log('warning', `A message of '${queue.name}' will run again: ${describeError(error)}`))
      .finally(() => running.delete(tracked));
    running.add(tracked);
  }

  async function process(item: DequeuedMessageItem): Promise<void> {
    const text = decode(item.messageText, settings.messageEncoding);
    if (text === undefined || item.dequeueCount > settings.maxDequeueCount) return moveToPoison(item);
    const hold = holdHidden(item);
    const hasSucceeded = await deps.run({ text, item }).then(
      () => true,
      () => false, // the invoker has logged the error
    );
    const held = await hold.end();
    if (hasSucceeded) await queue.deleteMessage(held.messageId, held.popReceipt);
    else if (item.dequeueCount >= settings.maxDequeueCount) await moveToPoison(held);
    else await release(held, settings.visibilityTimeoutMs / 1000);
  }

  /** Hides the message again and again. Its end returns the message with the latest receipt. */
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

/** Returns undefined for a text that is not in this encoding. */
function decode(text: string, encoding: QueueSettings['messageEncoding']): string | undefined {
  if (encoding === 'none') return text;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === text.trim().replace(/=+$/, '')
    ? bytes.toString('utf8')
    : undefined;
}
