import { ConfigError } from '../config.js';
import { StorageError } from '../storage/table-store.js';
import { StartError } from './host/start-error.js';
import { OptionError } from './option-error.js';
import { printError, printOptionError } from './print.js';

/** Prints why a command could not do its work; returns its exit code. Throws an error again that is a bug. */
export function printFailure(error: unknown): 2 | 3 {
  if (error instanceof OptionError) return printOptionError(error);
  if (error instanceof StartError || error instanceof ConfigError) return printError(`${error.message}\n`, 3);
  if (error instanceof StorageError) return printError(`Storage: ${error.code}. ${error.message}\n`, 3);
  throw error;
}
