/** The host cannot start. The message is for whoever typed the command: what happened, what was found, what to do. */
export class StartError extends Error {
  override name = 'StartError';
}
