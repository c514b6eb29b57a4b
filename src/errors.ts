import type { Duration } from './duration.js';

/**
 * Turns the job into a dead letter at once, because no later try can succeed. `code` is one of the workflow's `codes` and
 * goes into the logs. The message goes into the dead letter and is shown only together with the payload.
 */
export class NonRetriableError extends Error {
  override name = 'NonRetriableError';
  readonly code: string;
  constructor(message: string, options?: ErrorOptions & { code?: string }) {
    super(message, options);
    this.code = options?.code ?? 'non-retriable';
  }
}

/** Runs the job again after `wait`. Does not count as a try; after `retry.giveUpAfter` the job becomes a dead letter. */
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
