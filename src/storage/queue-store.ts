/** What the app needs of one storage queue: to wake somebody. Messages only wake; losing or doubling one changes nothing. */
export type QueueStore = {
  /** `text` as the trigger will see it; encoded as host.json says (base64). The queue is made when it is first needed. */
  send(text: string, signal?: AbortSignal): Promise<void>;
  /** How many messages there are, about. */
  length(signal?: AbortSignal): Promise<number>;
};
