import * as z from 'zod';
import { strict } from '../problems.js';

/** The disturbances of a receiver. Shares are from 0 to 1; times are real time. */
export type Chaos = Readonly<z.infer<typeof chaosSchema>>;

const share = between(0, 1).default(0);

const chaosSchema = strict({
  /** The share of events that are delivered twice. */
  duplicates: share,
  /** The share of events that are held back for up to `delayMs`, so that later events overtake them. */
  delays: share,
  delayMs: between(0, 600_000).default(2000),
  /** The share of events that a malformed event follows. */
  malformed: share,
  /** The share of events that Event Grid loses: they are never delivered, and never dead-lettered. */
  lost: share,
  /** The share of attempts whose answer is lost: the app did the work, but Event Grid gets no answer. */
  lostAnswers: share,
  /** The share of attempts whose body is cut in the middle. */
  garbled: share,
  /** Sends each attempt in one of the two schemas at random. */
  bothSchemas: z.boolean({ error: 'must be true or false' }).default(false),
  /** Events of `burstMs` come at once; 0 for an even flow. */
  burstMs: between(0, 60_000).default(0),
  /** The receiver is down for the first `downMs` of each `downEveryMs` but the first; 0 for never. */
  downMs: between(0, 600_000).default(0),
  downEveryMs: between(1000, 3_600_000).default(10_000),
});

const calm: Chaos = chaosSchema.parse({});

/**
 * Disturbances by name. `light` duplicates, delays and mixes schemas; `rough` has every disturbance but lost events;
 * `lossy` loses events alone.
 */
export const CHAOS_LEVELS = {
  none: calm,
  light: { ...calm, duplicates: 0.01, delays: 0.05, delayMs: 1000, bothSchemas: true },
  rough: {
    duplicates: 0.05,
    delays: 0.2,
    delayMs: 3000,
    malformed: 0.01,
    lost: 0,
    lostAnswers: 0.02,
    garbled: 0.01,
    bothSchemas: true,
    burstMs: 500,
    downMs: 1000,
    downEveryMs: 8000,
  },
  lossy: { ...calm, lost: 0.05 },
} as const satisfies Record<string, Chaos>;

/** A level by its name, or an object of shares. */
export const chaosOrLevel = z.union(
  [z.enum(['none', 'light', 'rough', 'lossy']).transform((level): Chaos => CHAOS_LEVELS[level]), chaosSchema],
  {
    error: `must be none, light, rough or lossy, or an object with any of ${Object.keys(chaosSchema.shape).join(', ')}`,
  },
);

/** Returns the schema of a number, whose error names both bounds. */
export function between(from: number, to: number) {
  const error = `must be a number from ${from} to ${to}`;
  return z.number({ error }).min(from, { error }).max(to, { error });
}
