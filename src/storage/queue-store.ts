/** What the app needs of one storage queue: to wake somebody. Messages only wake; losing or doubling one changes nothing. */
export type QueueStore = {
  /**
   * `text` as the trigger will see it; encoded as host.json says (base64). With `inMs` the message stays hidden for so
   * long, rounded up to a second, 6 days at the most. The queue is made when it is first needed.
   */
  send(text: string, options?: { inMs?: number }, signal?: AbortSignal): Promise<void>;
  /** How many messages there are, about: hidden ones count. */
  length(signal?: AbortSignal): Promise<number>;
  /** Nothing happens where it exists. */
  create(signal?: AbortSignal): Promise<void>;
};

/** A message lives for 7 days where nothing else is said, and must be visible before. */
const MAX_HIDDEN_S = 6 * 24 * 60 * 60;

export function hiddenForS(inMs = 0): number {
  return Math.min(Math.max(0, Math.ceil(inMs / 1000)), MAX_HIDDEN_S);
}
