import { printable } from '../../printable.js';
import type { CoreLogLevel } from './functions-core.js';

/** Writes one short line. The message never holds a payload or the query of a URL. */
export type HostLog = (level: CoreLogLevel, message: string) => void;

const LEVELS: readonly CoreLogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'];

/** Returns a log that writes lines of the level `least` and above to standard output, errors to standard error. */
export function createConsoleLog(least: CoreLogLevel, now: () => Date): HostLog {
  return (level, message) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    const line = `${now().toISOString()} ${level === 'information' ? '' : `${level}: `}${printable(message)}\n`;
    (LEVELS.indexOf(level) >= LEVELS.indexOf('error') ? process.stderr : process.stdout).write(line);
  };
}

/** Returns name, code and place of an error, without its message, which can quote a payload. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  const place = error.stack?.split('\n').find((line) => line.startsWith('    at '));
  return `${error.name}${code}${place ? ` ${place.trim()}` : ''}`;
}
