/** A line of the table. What was not measured is left out. */
export type Figure = {
  readonly section: Section;
  readonly what: string;
  readonly eventsPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** The slowest of all, where there are fewer than 10,000 POSTs. */
  readonly p9999Ms?: number;
  readonly requestsPerEvent?: number;
  readonly entitiesPerEvent?: number;
  readonly files?: number;
  readonly mb?: number;
  readonly zippedMb?: number;
  /** What it comes to, and what that should be. */
  readonly result?: number;
  readonly aim?: Aim;
};

export type Section = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g';
export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** Where a section tells what it has found, as soon as it has. */
export type Report = (figure: Omit<Figure, 'section'>) => void;

export function isMet(result: number, aim: Aim): boolean {
  return 'atLeast' in aim ? result >= aim.atLeast : result <= aim.atMost;
}
