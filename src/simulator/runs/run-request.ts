import * as z from 'zod';
import { between, CHAOS_LEVELS, chaosOrLevel } from '../chaos/chaos.js';
import { problemsIn, strict } from '../problems.js';
import { scenarios } from '../scenarios/index.js';
import type { Scenario } from '../scenarios/scenario.js';

/** The maximum events of a run, because the memory of a run grows with its events (sent.ts). */
const MAX_EVENTS = 1_000_000;

const NAMES = scenarios.map(({ name }) => name);

/** The settings of a run that the simulator outside of runs has, too. */
export const settingsSchema = strict({
  /** The factor by which Event Grid's schedule runs faster than real time. */
  timeScale: between(1, 100_000),
  chaos: chaosOrLevel,
  seed: wholeBetween(0, 2 ** 32 - 1),
});

const schema = strict({
  ...settingsSchema.partial().shape,
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

/** Returns the request in a body, or its problems. `otherSeed` is the seed for a body without one. */
export function readRunRequest(body: unknown, otherSeed: number) {
  const { success, data, error } = schema.safeParse(body);
  if (!success) return { kind: 'wrong', problems: problemsIn(error) } as const;
  return { kind: 'ok', request: withDefaults(data, otherSeed) } as const;
}

/** The settings of a run, with all defaults. */
export type RunRequest = Readonly<ReturnType<typeof withDefaults>>;

function withDefaults({ count, events = count, ...given }: z.output<typeof schema>, otherSeed: number) {
  const scenario = scenarios.find(({ name }) => name === given.scenario) as Scenario;
  const { defaults } = scenario;
  const { chaos = CHAOS_LEVELS.none } = given;
  const timeScale =
    chaos === CHAOS_LEVELS.none ? defaults.timeScale : Math.max(defaults.timeScale, TIME_SCALE_OF_CHAOS);
  return {
    scenario,
    seed: given.seed ?? otherSeed,
    events: events ?? defaults.events,
    /** Events a second; with bursts, the mean. */
    rate: given.rate ?? defaults.rate,
    chaos,
    timeScale: given.timeScale ?? timeScale,
    /** Imports Event Grid's dead letters; where false, the run waits until somebody else has imported them. */
    redrive: given.redrive ?? true,
  };
}

function wholeBetween(from: number, to: number) {
  const error = `must be a whole number from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
}
