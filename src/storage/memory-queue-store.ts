import { checkSignal } from './memory-rules.js';
import type { QueueStore } from './queue-store.js';

/** `inspect` shows tests the messages in order; `take` removes the first one, as the trigger would. */
export type MemoryQueueStore = QueueStore & { inspect(): string[]; take(): string | undefined };

export function createMemoryQueueStore(): MemoryQueueStore {
  const messages: string[] = [];

  return {
    async send(text, signal) {
      checkSignal(signal);
      messages.push(text);
    },

    async length(signal) {
      checkSignal(signal);
      return messages.length;
    },

    inspect: () => [...messages],
    take: () => messages.shift(),
  };
}
