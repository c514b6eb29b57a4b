/** As JSON in UTF-8. Real events have about 1 KiB. A row of `waiting` must hold event and job in 64 KiB. */
export const MAX_EVENT_BYTES = 32 * 1024;

/** Returns whether `json`, the text of a raw event, is too large to store. */
export function isTooLarge(json: string): boolean {
  // A character has up to three bytes, so nearly all events need no exact count.
  return json.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(json) > MAX_EVENT_BYTES;
}
