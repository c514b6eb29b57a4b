/**
 * One storage queue. A message of the queues `due` and `due-long` only starts a function early: a lost or doubled one
 * changes nothing. A message of the queue `events` is an event.
 */
export type QueueStore = {
  /**
   * Sends `text`, encoded for the trigger as host.json says (base64). With `inMs` the message stays hidden for this
   * time, rounded up to a second, up to 6 days. The queue is created when it is first needed.
   */
  send(text: string, options?: { inMs?: number }, signal?: AbortSignal): Promise<void>;
  /** The approximate number of messages, hidden ones included. */
  length(signal?: AbortSignal): Promise<number>;
  /** Returns the time at which the first visible message was sent; undefined if no message is visible. */
  oldestAt(signal?: AbortSignal): Promise<Date | undefined>;
  /** Returns up to 32 visible messages. Each stays hidden for `hiddenForMs`, and then comes again, unless it is deleted. */
  receive(hiddenForMs: number, signal?: AbortSignal): Promise<readonly ReceivedMessage[]>;
  /** @throws StorageError also if the message has been received again since. */
  delete(message: ReceivedMessage, signal?: AbortSignal): Promise<void>;
  /** Creates the queue. Nothing happens if it exists. */
  create(signal?: AbortSignal): Promise<void>;
};

/** `text` as it is in the queue: usually base64. `receipt` belongs to this receipt of the message. */
export type ReceivedMessage = { readonly id: string; readonly receipt: string; readonly text: string };

/** A message is deleted after 7 days by default, and must be visible before that. */
const MAX_HIDDEN_S = 6 * 24 * 60 * 60;

/** Returns how many whole seconds a message stays hidden: `inMs` rounded up, at most 6 days. */
export function hiddenForS(inMs = 0): number {
  return Math.min(Math.max(0, Math.ceil(inMs / 1000)), MAX_HIDDEN_S);
}
