import { knownName } from '../codes.js';

type Listener = (error: unknown) => void;
type Process = {
  on(event: 'uncaughtExceptionMonitor', listener: Listener): unknown;
  listenerCount(event: 'unhandledRejection'): number;
  prependListener(event: 'unhandledRejection', listener: Listener): unknown;
};

const HIDDEN = 'its message is not shown, since it can hold patient data';
const FRAME = /^ {4}at .*:\d+:\d+\)?$/;

/**
 * Removes messages and properties from errors that end the process. Node and the host print such an error whole, and a
 * promise that a handler does not await can reject with any text. The name and the lines of code stay. A text that is
 * thrown outside of every promise cannot be changed, and is printed.
 */
export function redactFatalErrors(process: Process): void {
  process.on('uncaughtExceptionMonitor', redact);
  // Where the host handles rejections, Node does not call the monitor for them.
  if (process.listenerCount('unhandledRejection') > 0) process.prependListener('unhandledRejection', redact);
}

function redact(error: unknown): void {
  if (!(error instanceof Error)) return;
  const { message, stack = '' } = error;
  const name = knownName(error.name);
  const below = message === '' ? stack : stack.slice(Math.max(0, stack.indexOf(message)) + message.length);
  const frames = below.split('\n').filter((line) => FRAME.test(line));
  for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
  const hidden = { name, message: HIDDEN, stack: [`${name}: ${HIDDEN}`, ...frames].join('\n') };
  for (const [key, value] of Object.entries(hidden)) Reflect.defineProperty(error, key, { value, enumerable: false });
}
