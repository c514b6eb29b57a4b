/** One storage queue. Messages only start a function early: a lost or doubled message changes nothing. */
export type QueueStore = {
  /**
   * Sends `text`, encoded for the trigger as host.json says (base64). With `inMs` the message stays hidden for this
   * time, rounded up to a second, up to 6 days. The queue is created when it is first needed.
   */
  send(text: string, options?: { inMs?: number }, signal?: AbortSignal): Promise<void>;
  /** The approximate number of messages, hidden ones included. */
  length(signal?: AbortSignal): Promise<number>;
  /** Creates the queue. Nothing happens if it exists. */
  create(signal?: AbortSignal): Promise<void>;
};

/** A message is deleted after 7 days by default, and must be visible before that. */
const MAX_HIDDEN_S = 6 * 24 * 60 * 60;

/** Returns how many whole seconds a message stays hidden: `inMs` rounded up, at most 6 days. */
export function hiddenForS(inMs = 0): number {
  return Math.min(Math.max(0, Math.ceil(inMs / 1000)), MAX_HIDDEN_S);
}
