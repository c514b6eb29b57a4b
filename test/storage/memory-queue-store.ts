import type { Clock } from '../../src/clock.js';
import { hiddenForS, type QueueStore } from '../../src/storage/queue-store.js';
import { StorageError } from '../../src/storage/table-store.js';

/**
 * `inspect` returns the visible messages in order, `hidden` the other messages and how long they stay
 * hidden. `take` removes the first visible message, as a trigger does. `put` sends a text as another program would,
 * without encoding it.
 */
export type MemoryQueueStore = QueueStore & {
  inspect(): string[];
  hidden(): { text: string; inMs: number }[];
  take(): string | undefined;
  put(text: string): void;
};

type Message = {
  readonly id: string;
  readonly text: string;
  readonly sentAt: Date;
  visibleAtMs: number;
  receipts: number;
};

const MAX_RECEIVED = 32;

export function createMemoryQueueStore({ clock }: { clock: Pick<Clock, 'now'> }): MemoryQueueStore {
  const messages: Message[] = [];
  const inMs = ({ visibleAtMs }: Message) => visibleAtMs - clock.now().getTime();
  const visible = () => messages.filter((message) => inMs(message) <= 0);
  let sent = 0;

  function put(text: string, hiddenMs = 0): void {
    sent += 1;
    const visibleAtMs = clock.now().getTime() + hiddenMs;
    messages.push({ id: String(sent), text, sentAt: clock.now(), visibleAtMs, receipts: 0 });
  }

  return {
    async send(text, options) {
      put(Buffer.from(text).toString('base64'), hiddenForS(options?.inMs) * 1000);
    },

    async length() {
      return messages.length;
    },

    async oldestAt() {
      return visible()[0]?.sentAt;
    },

    async receive(hiddenForMs) {
      return visible()
        .slice(0, MAX_RECEIVED)
        .map((message) => {
          message.visibleAtMs = clock.now().getTime() + hiddenForS(hiddenForMs) * 1000;
          message.receipts += 1;
          return { id: message.id, receipt: String(message.receipts), text: message.text };
        });
    },

    async delete({ id, receipt }) {
      const at = messages.findIndex((message) => message.id === id && String(message.receipts) === receipt);
      if (at < 0) throw new StorageError('http-404', 'There is no message with this receipt.');
      messages.splice(at, 1);
    },

    async create() {},

    put: (text) => put(text),
    inspect: () => visible().map(({ text }) => decoded(text)),
    hidden: () =>
      messages
        .filter((message) => inMs(message) > 0)
        .map((message) => ({ text: decoded(message.text), inMs: inMs(message) })),
    take() {
      const [message] = visible();
      if (!message) return undefined;
      messages.splice(messages.indexOf(message), 1);
      return decoded(message.text);
    },
  };
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString();
}
