/** Ends the start of the host. The message says what happened, what was found, and what to do. */
export class StartError extends Error {
  override name = 'StartError';
}
