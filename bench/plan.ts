/** How long each part measures, and how much it stores. */
export type Plan = {
  readonly inMemory: { repetitions: number; events: number; warmUpEvents: number };
  /** `repetitions`: of the measurement that the aims are about; the others are made once. */
  readonly endToEnd: {
    repetitions: number;
    duplicates: readonly number[];
    warmUpMs: number;
    singlesMs: number;
    hundredsMs: number;
  };
  readonly stored: { few: number; many: number; repetitions: number; durationMs: number };
  readonly calls: { durationMs: number };
  readonly failing: { repetitions: number; durationMs: number };
};

/** Some six minutes. */
export const FULL: Plan = {
  inMemory: { repetitions: 5, events: 20_000, warmUpEvents: 20_000 },
  endToEnd: { repetitions: 3, duplicates: [0, 0.05, 0.5], warmUpMs: 1000, singlesMs: 8000, hundredsMs: 5000 },
  stored: { few: 1000, many: 100_000, repetitions: 3, durationMs: 3000 },
  calls: { durationMs: 2500 },
  failing: { repetitions: 2, durationMs: 14_000 },
};

/** Some half a minute: shows that everything runs. Its figures say little. */
export const QUICK: Plan = {
  inMemory: { repetitions: 1, events: 2000, warmUpEvents: 1000 },
  endToEnd: { repetitions: 1, duplicates: [0.05], warmUpMs: 0, singlesMs: 200, hundredsMs: 200 },
  stored: { few: 500, many: 3000, repetitions: 1, durationMs: 300 },
  calls: { durationMs: 200 },
  failing: { repetitions: 1, durationMs: 1000 },
};
