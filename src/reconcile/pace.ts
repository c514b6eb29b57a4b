/** The limits of a comparison. Live events have priority, so missing changes come in slowly. */
export type Pace = {
  /** The number of look-ups at a time. */
  readonly atOnce: number;
  /** The maximum of look-ups per second. */
  readonly perSecond: number;
  /** The maximum per second of missing changes that are brought in. */
  readonly broughtInPerSecond: number;
  /** Ends the comparison; what is under way is finished. */
  readonly signal: AbortSignal;
};
