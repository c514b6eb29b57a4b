import { z } from 'zod';

/** How badly the world behaves towards the receiver. Shares are of 1; times are of real time. */
export type Chaos = Readonly<z.infer<typeof chaosSchema>>;

const share = between(0, 1).default(0);

export const chaosSchema = z.strictObject({
  /** Of the events, how many are delivered twice. */
  duplicates: share,
  /** Of the events, how many are held back, up to `delayMs`: what comes after them overtakes. */
  delays: share,
  delayMs: between(0, 600_000).default(2000),
  /** For so many events, a malformed one more. */
  malformed: share,
  /** Of the attempts, how many are answered to nobody: the app did the work, Event Grid heard nothing. */
  lostAnswers: share,
  /** Of the attempts, how many arrive cut in the middle. */
  garbled: share,
  /** Each attempt in one of the two schemas, whatever its subscription says. */
  bothSchemas: z.boolean({ error: 'must be true or false' }).default(false),
  /** Nothing happens for `burstMs`, then all of it at once; 0 for an even flow. */
  burstMs: between(0, 60_000).default(0),
  /** The receiver is down for the first `downMs` of every `downEveryMs`, though not of the first; 0 for never. */
  downMs: between(0, 600_000).default(0),
  downEveryMs: between(1000, 3_600_000).default(10_000),
});

const calm: Chaos = chaosSchema.parse({});

export const CHAOS_LEVELS = {
  none: calm,
  light: { ...calm, duplicates: 0.01, delays: 0.05, delayMs: 1000, bothSchemas: true },
  rough: {
    duplicates: 0.05,
    delays: 0.2,
    delayMs: 3000,
    malformed: 0.01,
    lostAnswers: 0.02,
    garbled: 0.01,
    bothSchemas: true,
    burstMs: 500,
    downMs: 1000,
    downEveryMs: 8000,
  },
} as const satisfies Record<string, Chaos>;

/** A level by its name, or a chaos of one's own. */
export const chaosOrLevel = z.union(
  [z.enum(['none', 'light', 'rough']).transform((level): Chaos => CHAOS_LEVELS[level]), chaosSchema],
  {
    error: `must be none, light or rough, or an object with any of ${Object.keys(chaosSchema.shape).join(', ')}`,
  },
);

/** A number whose error says its bounds. */
export function between(from: number, to: number) {
  const error = `must be a number from ${from} to ${to}`;
  return z.number({ error }).min(from, { error }).max(to, { error });
}
