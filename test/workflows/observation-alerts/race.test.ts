import fc from 'fast-check';
import type { TableStore } from '../../../src/storage/table-store.js';
import { readerOfContent } from '../../../src/testing/content.js';
import { type Context, digest, type FhirEvent, type HealthEvent, resourceOf } from '../../../src/workflow.js';
import { observationAlerts } from '../../../src/workflows/observation-alerts/observation-alerts.js';
import { fencedTables } from '../../pipeline/fenced-tables.js';
import { createAccount } from '../../pipeline/memory-app.js';
import { rowsIn, type StoryEvent } from '../every-crash.js';
import { watchOrder } from '../row-order.js';
import { activeAlerts, expectedAlerts } from './expected.js';
import { rulesFile } from './rules-file.js';
import { RULES, type Step, stories, storyOf, write } from './stories.js';

const RUNS = Number(process.env.NIGHTS ?? 120);
const settings: Record<string, string> = { ALERT_RULES: rulesFile(RULES) };

/**
 * The fate of a handler: how many turns of the event loop each call to storage waits, and at which call the process
 * dies.
 */
type Fate = { readonly waits: readonly number[]; readonly diesAt: number | undefined };

const turn = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new Promise<never>(() => undefined);

/** A service with a story, and processes that share only the storage. */
function createWorld(story: readonly StoryEvent[]) {
  const happened: StoryEvent[] = [];
  const regressions: string[] = [];
  const account = createAccount();
  watchOrder(account.tables, story, (wrong) => regressions.push(wrong));
  const fences = new Map<string, number>();

  function contentOf(event: FhirEvent) {
    return happened.filter((change) => resourceOf(change.event) === resourceOf(event)).at(-1)?.content;
  }

  /** Runs one try in its own process. Resolves when the try has ended or the process has died. */
  async function handle(event: FhirEvent, { waits, diesAt }: Fate): Promise<'done' | 'died'> {
    const resource = digest(resourceOf(event));
    const fence = (fences.get(resource) ?? 0) + 1;
    fences.set(resource, fence);
    let calls = 0;
    const { promise: death, resolve: die } = Promise.withResolvers<'died'>();
    const slowly = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        calls += 1;
        if (diesAt !== undefined && calls >= diesAt) {
          die('died');
          return never();
        }
        for (let left = waits[calls % waits.length] ?? 0; left > 0; left -= 1) await turn();
        return call(...args);
      };
    };
    const { commit, read, query } = account.tables;
    const slow: Partial<TableStore> = { commit: slowly(commit), read: slowly(read), query: slowly(query) };
    const context: Partial<Context> = {
      resource: readerOfContent(event, contentOf(event)) as never,
      tables: fencedTables({ ...account, tables: { ...account.tables, ...slow } }, fence, resource),
      log: { info() {}, warn() {}, error() {} },
      setting: (name) => settings[name],
      fence,
    };
    const run = async () => observationAlerts.handle(event, context as Context<HealthEvent, string>);
    const done = run().then(() => 'done' as const);
    return Promise.race([done, death]);
  }

  return {
    happened,
    handle,
    /** Rows that went back to an older version, at any write. */
    regressions,
    active: () => activeAlerts(rowsIn(account.tables)),

    /** Waits for all, and lets pauses between conflicts pass. */
    async all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
      let isOver = false;
      const results = Promise.all(promises).finally(() => {
        isOver = true;
      });
      results.catch(() => {});
      for (; !isOver; account.clock.advance(50)) await turn();
      return results;
    },
  };
}

/** Splits the story: the newest events of the last `count` Observations, and all events before. */
function splitStory(story: readonly StoryEvent[], count: number): { before: StoryEvent[]; last: StoryEvent[] } {
  const newest = [...new Map(story.map((change) => [resourceOf(change.event), change])).values()];
  const last = newest.sort((a, b) => story.indexOf(a) - story.indexOf(b)).slice(-count);
  return { before: story.filter((change) => !last.includes(change)), last };
}

/** Runs the events before one by one, then the last at once, each in its own process. Tries that died run again. */
async function play(story: readonly StoryEvent[], count: number, fates: readonly Fate[]) {
  const { before, last } = splitStory(story, count);
  const world = createWorld(story);
  const calm: Fate = { waits: [0], diesAt: undefined };
  const tryOf = ({ event }: StoryEvent, fate = calm) => world.handle(event as FhirEvent, fate);
  for (const change of before) {
    world.happened.push(change);
    await world.all([tryOf(change)]);
  }
  world.happened.push(...last);
  const fared = await world.all(last.map((change, at) => tryOf(change, fates[at % fates.length])));
  for (const [at, change] of last.entries()) {
    if (fared[at] === 'died') await world.all([tryOf(change)]);
  }
  return { active: world.active(), regressions: world.regressions };
}

/** A handler that does not wait takes fewer turns. */
const LONG = 150;
const MAX_CALLS = 24;
const waits = fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 4 }) }, fc.constantFrom(20, LONG)), {
  minLength: 1,
  maxLength: MAX_CALLS,
});
const diesAt = fc.option(fc.integer({ min: 1, max: MAX_CALLS }), { nil: undefined, freq: 1 });
const fates = (deaths: fc.Arbitrary<number | undefined>) =>
  fc.array(fc.record({ waits, diesAt: deaths }), { minLength: 3, maxLength: 3 });
const alive = fates(fc.constant(undefined));

/** Two handlers that wait equally before each call, and one that waits long before one call of every `period`. */
function* pacedFates(): Generator<Fate[]> {
  const paces = [0, 1, 2, 3, 4].map((wait): Fate => ({ waits: [wait], diesAt: undefined }));
  const pauses = [1, 2, 3, 4, 5, 6].flatMap((period) =>
    Array.from({ length: period }, (_, at) => Array.from({ length: period }, (_, call) => (call === at ? 20 : 0))),
  );
  for (const one of paces)
    for (const other of paces)
      for (const waits of pauses) {
        const third: Fate = { waits, diesAt: undefined };
        yield* [
          [one, other, third],
          [one, third, other],
          [third, one, other],
        ];
      }
}

const RACES: readonly { given: string; count: number; steps: readonly Step[] }[] = [
  { given: 'an earlier result and the later one', count: 2, steps: [write('o-2', 20, 5), write('o-1', 0, 3)] },
  {
    given: 'the deletion of the previous result, and a correction',
    count: 2,
    steps: [
      write('o-1', 0, 3),
      write('o-2', 10, 5),
      write('o-3', 20, 5),
      write('o-2', 10, 5, { does: 'delete' }),
      write('o-3', 20, 6, { status: 'corrected' }),
    ],
  },
  {
    given: 'two results before a result that moves',
    count: 3,
    steps: [write('o-3', 40, 8), write('o-1', 0, 3), write('o-2', 20, 6.5), write('o-3', 10, 8)],
  },
  {
    given: 'a late result, and the next result moving further away',
    count: 2,
    steps: [write('o-2', 20, 5), write('o-1', 10, 3), write('o-2', 40, 5)],
  },
  {
    given: 'a late result, and another between it and the next',
    count: 2,
    steps: [write('o-3', 40, 5), write('o-1', 10, 3), write('o-2', 20, 4.5)],
  },
  {
    given: 'a late result, and the next result moving away from it',
    count: 2,
    steps: [write('o-2', 20, 5), write('o-1', 10, 3), write('o-2', 20, 5, { patient: 'p-2' })],
  },
];

describe('when several processes work on results of one patient at once', () => {
  it.each(RACES)(
    'given $given, then the active alerts follow from the end, whichever handler waits at any call and dies at any',
    async ({ steps }) => {
      const story = storyOf(steps);
      const active = expectedAlerts(story);
      const fast: Fate = { waits: [0], diesAt: undefined };

      for (let waitsAt = 1; waitsAt <= MAX_CALLS; waitsAt += 1) {
        const waits = Array.from({ length: MAX_CALLS + 9 }, (_, at) => (at === waitsAt ? LONG : 0));
        for (const after of [undefined, 1, 2, 3, 4, 5, 6, 7, 8]) {
          const slow: Fate = { waits, diesAt: after && waitsAt + after };
          for (const fates of [
            [slow, fast],
            [fast, slow],
          ]) {
            expect({ fates, ...(await play(story, 2, fates)) }).toEqual({ fates, active, regressions: [] });
          }
        }
      }
    },
  );

  it.each(RACES.filter(({ count }) => count === 3))(
    'given $given, then the active alerts follow from the end, at any pace of two handlers and any pause of the third',
    async ({ steps }) => {
      const story = storyOf(steps);
      const active = expectedAlerts(story);

      for (const fates of pacedFates()) {
        expect({ fates, ...(await play(story, 3, fates)) }).toEqual({ fates, active, regressions: [] });
      }
    },
  );

  it.each(RACES)(
    'given $given, in any interleaving, also with crashes, then the active alerts follow from the end',
    async ({ steps, count }) => {
      const story = storyOf(steps);

      await fc.assert(
        fc.asyncProperty(fc.oneof(alive, fates(diesAt)), async (fatesOfHandlers) => {
          expect(await play(story, count, fatesOfHandlers)).toEqual({ active: expectedAlerts(story), regressions: [] });
        }),
        { numRuns: RUNS },
      );
    },
  );

  it('given any story whose last changes come at once, then the active alerts follow from the end', async () => {
    const withSeveralSteps = stories.filter((story) => story.length > 1);
    await fc.assert(
      fc.asyncProperty(withSeveralSteps, fc.oneof(alive, fates(diesAt)), async (story, fatesOfHandlers) => {
        expect(await play(story, 3, fatesOfHandlers)).toEqual({ active: expectedAlerts(story), regressions: [] });
      }),
      { numRuns: RUNS },
    );
  });
});
