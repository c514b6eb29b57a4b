import { systemClock } from '../clock.js';
import { ConfigError } from '../config.js';
import { StorageError } from '../storage/table-store.js';
import { endOnSignals } from './host/end-on-signals.js';
import { StartError } from './host/start-error.js';
import { OptionError } from './options.js';
import { type Output, printError, printOptionError } from './output.js';

/**
 * The parts of a process that its command uses. `signal` aborts at Ctrl-C. At the end of the command, the process calls
 * each function that `atEnd` has received.
 */
export type Running = {
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly atEnd: (close: () => Promise<void>) => void;
};

/** Runs a command, prints why it could not do its work, and ends the process with its exit code. */
export async function runCommand(command: (running: Running) => Promise<number>): Promise<never> {
  // A reader that wants only the beginning of a list, such as head, closes the pipe.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));
  const interrupt = new AbortController();
  const { signal } = interrupt;
  void endOnSignals(systemClock).then(() => interrupt.abort());
  const open: (() => Promise<void>)[] = [];
  const output = { out: process.stdout, err: process.stderr };
  let exitCode: number;
  try {
    exitCode = await command({ signal, output, atEnd: (close) => open.push(close) });
  } catch (error) {
    exitCode = printFailure(error, signal);
  } finally {
    for (const close of open) await close();
  }
  process.exit(exitCode);
}

/** Prints a failure that the user can fix, and returns the exit code. Throws any other error again: it is a bug. */
function printFailure(error: unknown, { aborted }: AbortSignal): number {
  if (error instanceof OptionError) return printOptionError(error);
  if (error instanceof StartError) return printError(`${error.message}\n`, aborted ? 130 : 3);
  if (error instanceof ConfigError) return printError(`${error.message}\n`, 3);
  if (error instanceof StorageError) return printError(`Storage: ${error.code}. ${error.message}\n`, 3);
  throw error;
}
