/** What was asked for cannot be: exit code 2. The message says what must be there instead. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}
