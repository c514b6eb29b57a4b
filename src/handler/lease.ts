/** A lease that guards what a handler writes. */
export type Lease = {
  /** The end of the lease, on the monotonic clock. */
  readonly heldUntilMs: number;
  /** Returns whether a handler may still start, or write to a table of the workflow, under this lease. */
  mayStart(): boolean;
};

/** J6: in the last part of a lease no handler starts and nothing is written to the workflow's tables. */
export const LAST_OF_LEASE_MS = 5000;
