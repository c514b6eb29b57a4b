import { StartError } from './start-error.js';

/** Returns the port in `text`. @throws StartError where `text` is no port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new StartError(`The port is '${text}'; it must be a whole number, 0 to 65535.`);
}
