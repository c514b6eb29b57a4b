import fc from 'fast-check';
import { visible } from '../../src/pipeline/workflow-table.js';
import type { MemoryTableStore } from '../../src/storage/memory-table-store.js';
import { type Content, readerOfContent } from '../../src/testing/content.js';
import { type FhirResource, type HealthEvent, type Row, resourceOf, type Workflow } from '../../src/workflow.js';
import { type Account, allThatFollows, createAccount, startApp, watched } from '../pipeline/memory-app.js';
import type { CallInfo, Fault } from '../storage/faults.js';
import { rawOf } from '../testing/raw-events.js';
import { batchesOf } from './batches.js';
import { watchOrder } from './row-order.js';

/**
 * Whether a workflow's tables end as the final state of the services has them, whatever happens on the way. A test tells
 * a short tale, oldest first: events, and what can be read once each has happened. Then
 *
 *   everyCrash(tale)    tells it, in its order or in another one, once for each call to storage and each thing that can go wrong in it; 2 to 20 s
 *   everyOrder(tale)    tells it in any order, with any duplicates, events together or apart, and several troubles
 *   tell(tale, {…})     tells it once, as you say
 *
 * and `look` at the tables must give `expected` each time. On the way no row may go back to an older version, at any
 * write: see row-order.ts. As with the services, what is read is at least as new as the
 * newest event that was delivered so far; as with Event Grid, what was not acknowledged is delivered again. A process
 * that dies is followed by another one, and all that waits is run until nothing waits any more.
 */
export type Scenario = {
  /** A function makes a workflow for each process. */
  readonly workflow: Workflow | (() => Workflow);
  readonly story: readonly StoryEvent[];
  /** What the workflow asks for by `setting`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What reads for `event` find when `happened` has. Where left out: its resource as it was told last. */
  readonly read?: (event: HealthEvent, happened: readonly StoryEvent[]) => Content;
  /** Returns what is compared with `expected`, after everything has come to rest. */
  readonly look: (rows: RowsOf, account: Account) => unknown;
  readonly expected: unknown;
};

/** An event, and the content that its resource has from then on; without it, the resource is gone. */
export type StoryEvent = { readonly event: HealthEvent; readonly content?: FhirResource | undefined };

/** In order of partition and key. */
export type RowsOf = (table: string) => { partition: string; key: string; row: Row }[];

/** `crash`: the process dies; before the call takes effect or after. The rest as in test/storage/faults.ts. */
export type Trouble = (typeof TROUBLES)[number];

export const TROUBLES = [
  'fail-before',
  'fail-after',
  'never',
  'never-after',
  'crash-before',
  'crash-after',
] as const satisfies readonly (Fault | 'crash-before' | 'crash-after')[];

export type RunOptions = {
  /** Places in the story that are delivered together, in order; one by one where left out. */
  batches?: readonly (readonly number[])[];
  /** What goes wrong at the nth call to storage, counted over all processes from 1. */
  troubles?: ReadonlyMap<number, Trouble>;
};

/** `asked`: every call to storage, as `method table`. `lines`: what was logged. `wentBack`: rows, at any write of them. */
export type Outcome = {
  found: unknown;
  regressions: readonly string[];
  calls: number;
  requests: readonly string[];
  lines: readonly string[];
  account: Account;
};

const LEASE_MS = 20_000;
/** Longer than any wait here: leases, retries. */
const MAX_ROUNDS = 200;
const ROUND_MS = 10_000;

/** @returns how often the tale was told. It throws at the first time that ends otherwise than expected. */
export async function everyCrash(scenario: Scenario, telling: Pick<RunOptions, 'batches'> = {}): Promise<number> {
  const { calls, found, regressions } = await runScenario(scenario, telling);
  expect({ found, regressions }).toEqual({ found: scenario.expected, regressions: [] });
  let times = 1;
  for (let at = 1; at <= calls; at += 1) {
    for (const trouble of TROUBLES) {
      const told = await runScenario(scenario, { ...telling, troubles: new Map([[at, trouble]]) });
      times += 1;
      const { found, regressions } = told;
      expect({ at, trouble, found, regressions }).toEqual({ at, trouble, found: scenario.expected, regressions: [] });
    }
  }
  return times;
}

/** As many times as `numRuns`, each another way. */
export async function everyOrder(scenario: Scenario, numRuns: number): Promise<void> {
  const { calls } = await runScenario(scenario, {});
  await fc.assert(
    fc.asyncProperty(batchesOf(scenario.story.length), troublesWithin(calls), async (batches, troubles) => {
      const { found, regressions } = await runScenario(scenario, { batches, troubles });
      expect({ found, regressions }).toEqual({ found: scenario.expected, regressions: [] });
    }),
    { numRuns },
  );
}

export async function runScenario(scenario: Scenario, { batches, troubles = new Map() }: RunOptions): Promise<Outcome> {
  const { workflow, story, settings = {} } = scenario;
  const read = scenario.read ?? currentIn;
  const account = createAccount();
  const regressions: string[] = [];
  watchOrder(account.tables, story, (wrong) => regressions.push(wrong));
  const lines: string[] = [];
  const requests: string[] = [];
  let happened = 0;
  let calls = 0;
  let app = startProcess();

  for (const batch of batches ?? story.map((_, at) => [at])) {
    happened = Math.max(happened, ...batch.map((at) => at + 1));
    await deliver(batch.map((at) => rawOf((story[at] as StoryEvent).event)));
  }
  await comeToRest();
  return { found: await scenario.look(rowsIn(account.tables), account), regressions, calls, requests, lines, account };

  function startProcess() {
    const process = startApp(account, {
      workflows: [typeof workflow === 'function' ? workflow() : workflow],
      settings: { leaseMs: LEASE_MS, setting: (name) => settings[name] },
      readerFor: (event) => readerOfContent(event, read(event, story.slice(0, happened))),
    });
    let isAlive = true;
    process.storageIs((call) => {
      if (!isOfInterest(call)) return 'ok';
      calls += 1;
      requests.push(`${call.method} ${call.on}`);
      const trouble = troubles.get(calls) ?? 'ok';
      if (trouble !== 'crash-before' && trouble !== 'crash-after') return trouble;
      process.crash();
      isAlive = false;
      return trouble === 'crash-after' ? 'never-after' : 'never';
    });
    return { ...process, isAlive: () => isAlive };
  }

  function survivor() {
    if (app.isAlive()) return app;
    lines.push(...app.lines);
    app = startProcess();
    return app;
  }

  /** Until it is acknowledged. */
  async function deliver(raws: readonly unknown[]): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { pipeline, isAlive } = survivor();
      const delivery = watched(pipeline.deliver([...raws]));
      await allThatFollows();
      for (; delivery.state === 'open' && isAlive(); await account.pass(1000));
      if (delivery.state === 'resolved') return;
      await account.pass(ROUND_MS);
    }
    throw new Error('An event was never acknowledged.');
  }

  async function comeToRest(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { runDueRows, isAlive } = survivor();
      const running = watched(runDueRows());
      await allThatFollows();
      for (; running.state === 'open' && isAlive(); await account.pass(1000));
      if (isAlive() && account.waiting().length === 0) {
        lines.push(...app.lines);
        return;
      }
      await account.pass(ROUND_MS);
    }
    throw new Error('Something waits for ever.');
  }
}

/** Returns the rows of `tables` as a workflow sees them. */
export function rowsIn(tables: MemoryTableStore): RowsOf {
  return (table) =>
    tables.inspect(table).flatMap(({ partition, key, row }) => {
      const seen = visible(row);
      return seen ? [{ partition, key, row: seen }] : [];
    });
}

function currentIn(event: HealthEvent, happened: readonly StoryEvent[]): Content {
  const own = happened.filter((told) => resourceOf(told.event) === resourceOf(event));
  const version = own.find((told) => told.event.version === event.version)?.content;
  return { current: own.at(-1)?.content, version };
}

function troublesWithin(calls: number): fc.Arbitrary<Map<number, Trouble>> {
  const one = fc.tuple(fc.integer({ min: 1, max: calls }), fc.constantFrom(...TROUBLES));
  return fc.array(one, { maxLength: 4 }).map((some) => new Map(some));
}

/** Not the questions of the timer, which change nothing. */
function isOfInterest({ method, on }: CallInfo): boolean {
  return method !== 'length' && !(method === 'query' && on === 'waiting');
}
