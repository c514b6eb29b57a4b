/** A line of the table. Absent values were not measured. */
export type Figure = {
  readonly section: Section;
  readonly what: string;
  readonly eventsPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** The slowest POST, if there are fewer than 10,000 POSTs. */
  readonly p9999Ms?: number;
  readonly cpuMs?: number;
  readonly requestsPerEvent?: number;
  readonly entitiesPerEvent?: number;
  readonly files?: number;
  readonly mb?: number;
  readonly zippedMb?: number;
  /** The result of a comparison, and the aim for it. */
  readonly result?: number;
  readonly aim?: Aim;
};

export type Section = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l';
export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** A section passes each figure to this function as soon as it has the figure. */
export type Report = (figure: Omit<Figure, 'section'>) => void;

export function isMet(result: number, aim: Aim): boolean {
  return 'atLeast' in aim ? result >= aim.atLeast : result <= aim.atMost;
}
