/** What is wrong, and where: a path of names that we know, never a key or a value from the payload. */
export type Problem = { readonly path: string; readonly code: string };

/**
 * `unknown-type`: an event of some other kind, which a subscription without a filter lets through. `too-large` and
 * `workspace-not-listed` are for who takes events in to say: the parser looks at neither.
 */
export type InvalidReason = 'invalid' | 'unknown-type' | 'too-large' | 'workspace-not-listed';

/** This is no event that the app knows, and will not be one another time either. */
export class InvalidEventError extends Error {
  override name = 'InvalidEventError';
  readonly reason: InvalidReason;
  readonly problems: readonly Problem[];

  constructor(reason: InvalidReason, problems: readonly Problem[]) {
    super(`Not an event to be processed: ${problems.map(({ path, code }) => `${path} ${code}`).join(', ')}.`);
    this.reason = reason;
    this.problems = problems;
  }
}
