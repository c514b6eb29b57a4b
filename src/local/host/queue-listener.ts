import { type DequeuedMessageItem, type QueueClient, RestError } from '@azure/storage-queue';
import { type Clock, sleep } from '../../clock.js';
import type { QueueSettings } from './host-json.js';
import { describeError, type HostLog } from './host-log.js';

type Item = DequeuedMessageItem;
/** A message of the queue. `text` is its decoded text. */
export type QueueMessage = { readonly text: string; readonly item: Item };

type Deps = {
  queue: QueueClient;
  poison: QueueClient;
  settings: QueueSettings;
  run(message: QueueMessage): Promise<unknown>;
  clock: Clock;
  log: HostLog;
  /** A message that runs is hidden for this long, and hidden again after half of this time. Azure's own host: 600 s. */
  hiddenS?: number;
};

const HIDDEN_S = 600;
const FIRST_POLL_MS = 100;

/**
 * Polls one queue, like the queue extension. A message ends in one of three ways:
 * - Its function returns: the message is deleted.
 * - Its function throws: the message is visible again after `visibilityTimeout`.
 * - Its function has thrown `maxDequeueCount` times, or the message cannot be decoded: it moves to the poison queue.
 * The messages of a dead process are visible again after `hiddenS`, ten minutes.
 */
export class QueueListener {
  readonly #deps: Deps;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #polling: Promise<void>;
  readonly #hiddenS: number;
  #isReachable = true;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#hiddenS = deps.hiddenS ?? HIDDEN_S;
    this.#polling = this.#poll();
  }

  /** Takes no more messages, and resolves when the messages taken so far are done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
    await Promise.all(this.#running);
  }

  /** Polls an empty queue less and less often. */
  async #poll(): Promise<void> {
    const { settings, clock } = this.#deps;
    const { signal } = this.#stopping;
    let waitMs = FIRST_POLL_MS;
    while (!signal.aborted) {
      const items = await this.#receive();
      for (const item of items) this.#track(signal.aborted ? this.#hide(item, 0) : this.#runMessage(item));
      if (items.length > 0) waitMs = FIRST_POLL_MS;
      else {
        waitMs = Math.min(waitMs, settings.maxPollingIntervalMs);
        await sleep(clock, waitMs, signal);
        waitMs *= 2;
      }
      while (this.#running.size > settings.newBatchThreshold) await Promise.race(this.#running);
    }
  }

  /** Returns no messages where the queue is absent, like the real host, or storage does not answer. */
  async #receive(): Promise<Item[]> {
    const { queue, settings, log } = this.#deps;
    try {
      const options = { numberOfMessages: settings.batchSize, visibilityTimeout: this.#hiddenS };
      const { receivedMessageItems } = await queue.receiveMessages(options);
      this.#isReachable = true;
      return receivedMessageItems;
    } catch (error) {
      const isAbsent = error instanceof RestError && error.statusCode === 404;
      if (this.#isReachable && !isAbsent) {
        log('warning', `Queue '${queue.name}' cannot be read: ${describeError(error)}`);
      }
      this.#isReachable = isAbsent;
      return [];
    }
  }

  #track(work: Promise<unknown>): void {
    const { queue, log } = this.#deps;
    const tracked = work
      .catch((error) => log('warning', `A message of '${queue.name}' will run again: ${describeError(error)}`))
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #runMessage(item: Item): Promise<void> {
    const { queue, settings, run } = this.#deps;
    const text = decode(item.messageText, settings.messageEncoding);
    if (text === undefined || item.dequeueCount > settings.maxDequeueCount) return this.#moveToPoison(item);
    const over = new AbortController();
    const hidden = this.#keepHidden(item, over.signal);
    const hasSucceeded = await run({ text, item }).then(
      () => true,
      () => false, // the invoker has logged the error
    );
    over.abort();
    const held = await hidden;
    if (hasSucceeded) await queue.deleteMessage(held.messageId, held.popReceipt);
    else if (item.dequeueCount >= settings.maxDequeueCount) await this.#moveToPoison(held);
    else await this.#hide(held, settings.visibilityTimeoutMs / 1000);
  }

  /** Hides the message again and again until `signal` aborts. Returns the message with the latest receipt. */
  async #keepHidden(item: Item, signal: AbortSignal): Promise<Item> {
    const { queue, clock, log } = this.#deps;
    for (let held = item; ; ) {
      await sleep(clock, (this.#hiddenS / 2) * 1000, signal);
      if (signal.aborted) return held;
      try {
        const { popReceipt = held.popReceipt } = await this.#hide(held, this.#hiddenS);
        held = { ...held, popReceipt };
      } catch (error) {
        log('warning', `A message of '${queue.name}' may run twice: ${describeError(error)}`);
      }
    }
  }

  #hide({ messageId, popReceipt }: Item, forS: number) {
    return this.#deps.queue.updateMessage(messageId, popReceipt, undefined, forS);
  }

  async #moveToPoison(item: Item): Promise<void> {
    const { queue, poison, log } = this.#deps;
    await poison.createIfNotExists();
    await poison.sendMessage(item.messageText);
    await queue.deleteMessage(item.messageId, item.popReceipt);
    log('warning', `A message of '${queue.name}' was moved to '${poison.name}' after ${item.dequeueCount} tries.`);
  }
}

/** Returns the decoded text; undefined if the text is not in this encoding. */
function decode(text: string, encoding: QueueSettings['messageEncoding']): string | undefined {
  if (encoding === 'none') return text;
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === text.trim().replace(/=+$/, '');
  return isBase64 ? bytes.toString('utf8') : undefined;
}
