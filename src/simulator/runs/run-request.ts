import * as z from 'zod';
import { between, CHAOS_LEVELS, type Chaos, chaosOrLevel } from '../chaos/chaos.js';
import { type Problem, problemsIn, strict } from '../problems.js';
import { scenarios } from '../scenarios/index.js';
import type { Scenario } from '../scenarios/scenario.js';

/** The settings of a run, with all defaults. */
export type RunRequest = {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly events: number;
  /** Events a second; with bursts, the mean. */
  readonly rate: number;
  readonly chaos: Chaos;
  /** The factor by which Event Grid's schedule runs faster than real time. */
  readonly timeScale: number;
  /** Imports Event Grid's dead letters; where false, the run waits until somebody else has imported them. */
  readonly redrive: boolean;
};

/** The maximum events of a run, because the memory of a run grows with its events (sent.ts). */
const MAX_EVENTS = 1_000_000;

const NAMES = scenarios.map(({ name }) => name);

/** The settings that the whole simulator has, too. */
export const settingsSchema = strict({
  timeScale: between(1, 100_000).optional(),
  chaos: chaosOrLevel.optional(),
  seed: wholeBetween(0, 2 ** 32 - 1).optional(),
});

const schema = strict({
  ...settingsSchema.shape,
  scenario: z.enum(NAMES, { error: `must be one of ${NAMES.join(', ')}` }),
  count: wholeBetween(1, MAX_EVENTS).optional(),
  events: wholeBetween(1, MAX_EVENTS).optional(),
  rate: between(1, 100_000).optional(),
  redrive: z.boolean({ error: 'must be true or false' }).optional(),
}).refine(({ count, events = count }) => count === undefined || count === events, {
  path: ['count'],
  error: 'is another name of events: give one of them',
});

/** A run with chaos mostly waits for Event Grid, 10 s and more at a time, so these waits pass faster. */
const TIME_SCALE_OF_CHAOS = 30;

type ReadRunRequest = { kind: 'ok'; request: RunRequest } | { kind: 'wrong'; problems: readonly Problem[] };

/** Returns the request in a body, or its problems. `otherSeed` is the seed for a body without one. */
export function readRunRequest(body: unknown, otherSeed: number): ReadRunRequest {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    return { kind: 'wrong', problems: problemsIn(parsed.error) };
  }
  const {
    scenario: name,
    seed = otherSeed,
    count,
    events = count,
    rate,
    chaos = CHAOS_LEVELS.none,
    timeScale,
    redrive = true,
  } = parsed.data;
  const scenario = scenarios.find((one) => one.name === name) as Scenario;
  const { defaults } = scenario;
  return {
    kind: 'ok',
    request: {
      scenario,
      seed,
      events: events ?? defaults.events,
      rate: rate ?? defaults.rate,
      chaos,
      redrive,
      timeScale:
        timeScale ??
        (chaos === CHAOS_LEVELS.none ? defaults.timeScale : Math.max(defaults.timeScale, TIME_SCALE_OF_CHAOS)),
    },
  };
}

function wholeBetween(from: number, to: number) {
  const error = `must be a whole number from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
}
