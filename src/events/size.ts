/** As JSON in UTF-8. Real events have one KiB; a row of `waiting` must hold a raw event beside its job, in 64 KiB. */
export const MAX_EVENT_BYTES = 32 * 1024;

/** Whether `json`, the text of a raw event, is too large to be kept. */
export function isTooLarge(json: string): boolean {
  // Three bytes a character is the most there is: nearly all events need no counting.
  return json.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(json) > MAX_EVENT_BYTES;
}
