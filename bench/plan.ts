/** The duration, repetitions and amount of data of each section. */
export type Plan = {
  /** The maximum number of POSTs that a section sends at the same time. */
  readonly maxInFlight: number;
  readonly inMemory: { repetitions: number; events: number; warmUpEvents: number };
  /**
   * `repetitions` and `events` apply to the comparisons with an aim. The other measurements run once for a fixed time.
   */
  readonly endToEnd: {
    repetitions: number;
    events: number;
    duplicates: readonly number[];
    warmUpEvents: number;
    warmUpMs: number;
    /** The number of POSTs of 1 in the comparison. */
    singles: number;
    singlesMs: number;
    hundredsMs: number;
  };
  readonly stored: { few: number; many: number; repetitions: number; events: number };
  readonly calls: { durationMs: number };
  /** `events` are at most 2,000: later ones would be updates. `cases`: how many of the kinds of events, from the last. */
  readonly cpu: { repetitions: number; events: number; warmUpEvents: number; cases: number };
  readonly overload: { repetitions: number; events: number; warmUpEvents: number };
  readonly failing: { repetitions: number; durationMs: number };
  readonly simulator: { resources: number; deliveries: number; historyMb: number };
  readonly startUp: { repetitions: number };
  /** `pacedMs`: how long POSTs come at an even rate. */
  readonly peers: { repetitions: number; events: number; warmUpEvents: number; pacedMs: number };
  readonly clinicDay: { events: number; warmUpEvents: number; inFlight: readonly number[] };
  readonly fhirReads: { repetitions: number; events: number; warmUpEvents: number };
};

/** Takes about ten minutes. */
export const FULL: Plan = {
  maxInFlight: Number.POSITIVE_INFINITY,
  inMemory: { repetitions: 5, events: 20_000, warmUpEvents: 20_000 },
  endToEnd: {
    repetitions: 5,
    events: 6000,
    duplicates: [0, 0.05, 0.5],
    warmUpEvents: 6000,
    warmUpMs: 1000,
    singles: 2000,
    singlesMs: 7000,
    hundredsMs: 5000,
  },
  stored: { few: 1000, many: 100_000, repetitions: 5, events: 4000 },
  calls: { durationMs: 2500 },
  cpu: { repetitions: 3, events: 2000, warmUpEvents: 2000, cases: 4 },
  overload: { repetitions: 2, events: 4000, warmUpEvents: 1000 },
  failing: { repetitions: 2, durationMs: 14_000 },
  simulator: { resources: 100_000, deliveries: 1_000_000, historyMb: 128 },
  startUp: { repetitions: 15 },
  peers: { repetitions: 5, events: 6000, warmUpEvents: 4000, pacedMs: 10_000 },
  clinicDay: { events: 3200, warmUpEvents: 1600, inFlight: [1, 16] },
  fhirReads: { repetitions: 5, events: 4000, warmUpEvents: 4000 },
};

/** Takes at most half a minute. Shows that every section runs, even on a busy machine; its times mean little. */
export const QUICK: Plan = {
  maxInFlight: 4,
  inMemory: { repetitions: 1, events: 1000, warmUpEvents: 500 },
  // Bare transactions need enough events for a lot of 100 in a partition.
  endToEnd: {
    repetitions: 1,
    events: 1200,
    duplicates: [0.05],
    warmUpEvents: 100,
    warmUpMs: 0,
    singles: 40,
    singlesMs: 200,
    hundredsMs: 200,
  },
  stored: { few: 200, many: 600, repetitions: 1, events: 1200 },
  calls: { durationMs: 200 },
  cpu: { repetitions: 1, events: 100, warmUpEvents: 100, cases: 1 },
  overload: { repetitions: 1, events: 200, warmUpEvents: 100 },
  failing: { repetitions: 1, durationMs: 1000 },
  simulator: { resources: 1000, deliveries: 3000, historyMb: 1 },
  startUp: { repetitions: 1 },
  peers: { repetitions: 1, events: 200, warmUpEvents: 100, pacedMs: 600 },
  fhirReads: { repetitions: 1, events: 200, warmUpEvents: 100 },
  clinicDay: { events: 100, warmUpEvents: 100, inFlight: [1] },
};
