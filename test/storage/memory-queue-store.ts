import type { Clock } from '../../src/clock.js';
import { hiddenForS, type QueueStore } from '../../src/storage/queue-store.js';

/**
 * For tests: `inspect` returns the visible messages in order, `hidden` the other messages and how long they stay
 * hidden. `take` removes the first visible message, as a trigger does.
 */
export type MemoryQueueStore = QueueStore & {
  inspect(): string[];
  hidden(): { text: string; inMs: number }[];
  take(): string | undefined;
};

export function createMemoryQueueStore({ clock }: { clock: Pick<Clock, 'now'> }): MemoryQueueStore {
  const messages: { text: string; visibleAtMs: number }[] = [];
  const inMs = (message: { visibleAtMs: number }) => message.visibleAtMs - clock.now().getTime();

  return {
    async send(text, options) {
      messages.push({ text, visibleAtMs: clock.now().getTime() + hiddenForS(options?.inMs) * 1000 });
    },

    async length() {
      return messages.length;
    },

    async create() {},

    inspect: () => messages.filter((message) => inMs(message) <= 0).map(({ text }) => text),
    hidden: () =>
      messages.filter((message) => inMs(message) > 0).map((message) => ({ text: message.text, inMs: inMs(message) })),
    take() {
      const at = messages.findIndex((message) => inMs(message) <= 0);
      return at < 0 ? undefined : messages.splice(at, 1)[0]?.text;
    },
  };
}
