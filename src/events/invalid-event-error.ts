/** A problem of an event. `path` consists of names in this code, never of keys or values of the payload. */
export type Problem = { readonly path: string; readonly code: string };

/**
 * `unknown-type`: a subscription without a filter delivers other events too. The parser does not check `too-large` and
 * `workspace-not-listed`; `acceptEvent` does.
 */
export type InvalidReason = 'invalid' | 'unknown-type' | 'too-large' | 'workspace-not-listed';

/** The input is not one of the six events. Sending it again does not help. */
export class InvalidEventError extends Error {
  override name = 'InvalidEventError';
  readonly reason: InvalidReason;
  readonly problems: readonly Problem[];

  constructor(reason: InvalidReason, problems: readonly Problem[]) {
    super(
      `This is not a valid event of Azure Health Data Services: ${problems.map(({ path, code }) => `${path} ${code}`).join(', ')}.`,
    );
    this.reason = reason;
    this.problems = problems;
  }
}
