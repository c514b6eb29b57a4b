import { knownCode, knownName } from './codes.js';
import type { Duration } from './duration.js';

/**
 * Turns the job into a dead letter at once, because no later try can succeed. `code` is one of the workflow's `codes`
 * and goes into the logs. The message goes into the dead letter and is shown only together with the payload.
 */
export class NonRetriableError extends Error {
  override name = 'NonRetriableError';
  readonly code: string;
  constructor(message: string, options?: ErrorOptions & { code?: string }) {
    super(message, options);
    this.code = options?.code ?? 'non-retriable';
  }
}

/**
 * Runs the job again after `wait`. Does not count as a try; after `retry.giveUpAfter` the job becomes a dead letter.
 */
export class RetryAfterError extends Error {
  override name = 'RetryAfterError';
  readonly code: string;
  readonly wait: Duration;
  constructor(message: string, wait: Duration, options?: ErrorOptions & { code?: string }) {
    super(message, options);
    this.wait = wait;
    this.code = options?.code ?? 'retry-after';
  }
}

/**
 * Returns the code of an error: its `code` if the app or `declared` lists that code, else `undeclared-code`; the name
 * of its class if it has no code. Never throws, whatever was thrown.
 */
export function errorCodeOf(error: unknown, declared: readonly string[] = []): string {
  if (typeof error !== 'object' || error === null) return 'thrown-value';
  const code = propertyOf(error, 'code');
  return typeof code === 'string' ? knownCode(code, declared) : errorNameOf(error);
}

/** Returns the name of an error's class if it is one of the language or of the app; else `Error`. */
export function errorNameOf(error: object): string {
  return knownName(propertyOf(error, 'name'));
}

/** Returns undefined if reading the property throws. */
export function propertyOf(of: object, property: 'code' | 'name' | 'message'): unknown {
  try {
    return Reflect.get(of, property);
  } catch {
    return undefined;
  }
}
