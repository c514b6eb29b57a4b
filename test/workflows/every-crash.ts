import fc from 'fast-check';
import { visible } from '../../src/handler/workflow-table.js';
import type { MemoryTableStore } from '../../src/storage/memory-table-store.js';
import { type Content, readerOfContent } from '../../src/testing/content.js';
import { type FhirResource, type HealthEvent, type Row, resourceOf, type Workflow } from '../../src/workflow.js';
import { type Account, allThatFollows, createAccount, startApp, watched } from '../pipeline/memory-app.js';
import type { CallInfo, Fault } from '../storage/faults.js';
import { rawOf } from '../testing/raw-events.js';
import { batchesOf } from './batches.js';
import { watchOrder } from './row-order.js';

/**
 * Tests whether a workflow's tables end as the final state of the services requires, whatever happens on the way. A
 * test gives a short story, oldest first: events, and the content that exists after each event. Then
 *
 *   everyCrash(scenario)       runs the story once for each call to storage and each trouble at that call; 2 to 20 s
 *   everyOrder(scenario)       runs the story in any order, with duplicates, batches, and several troubles
 *   runScenario(scenario, …)   runs the story once
 *
 * and `look` at the tables must give `expected` each time. No row may go back to an older version at any write: see
 * row-order.ts. As with the services, reads find content at least as new as the newest delivered event. As with Event
 * Grid, an event that was not acknowledged is delivered again. A new process follows each process that dies, and rows
 * run until none waits.
 */
export type Scenario = {
  /** A function makes a workflow for each process. */
  readonly workflow: Workflow | (() => Workflow);
  readonly story: readonly StoryEvent[];
  /** Settings of the workflow. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Returns the content that reads for `event` find after `happened`. Default: the latest content of its resource. */
  readonly read?: (event: HealthEvent, happened: readonly StoryEvent[]) => Content;
  /** Returns what is compared with `expected`, after everything has come to rest. */
  readonly look: (rows: RowsOf, account: Account) => unknown;
  readonly expected: unknown;
};

/** An event, and the content of its resource from then on; without content, the resource is gone. */
export type StoryEvent = { readonly event: HealthEvent; readonly content?: FhirResource | undefined };

/** Returns the rows of a table, in order of partition and key. */
export type RowsOf = (table: string) => { partition: string; key: string; row: Row }[];

/** `crash`: the process dies before or after the call takes effect. For the others see test/storage/faults.ts. */
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
  /** Numbers of events that are delivered together, in order. Default: one by one. */
  batches?: readonly (readonly number[])[];
  /** Trouble at the nth call to storage, counted from 1 over all processes. */
  troubles?: ReadonlyMap<number, Trouble>;
};

/**
 * `requests`: every call to storage, as `method table`. `lines`: log lines. `regressions`: rows that went back to an
 * older version.
 */
export type Outcome = {
  found: unknown;
  regressions: readonly string[];
  calls: number;
  requests: readonly string[];
  lines: readonly string[];
  account: Account;
};

const LEASE_MS = 20_000;
/** No wait for a lease or a retry needs so many rounds. */
const MAX_ROUNDS = 200;
const ROUND_MS = 10_000;

/** Runs the scenario with each trouble at each call. Returns the number of runs; throws at the first unexpected end. */
export async function everyCrash(scenario: Scenario, options: Pick<RunOptions, 'batches'> = {}): Promise<number> {
  const { calls, found, regressions } = await runScenario(scenario, options);
  expect({ found, regressions }).toEqual({ found: scenario.expected, regressions: [] });
  let times = 1;
  for (let at = 1; at <= calls; at += 1) {
    for (const trouble of TROUBLES) {
      const outcome = await runScenario(scenario, { ...options, troubles: new Map([[at, trouble]]) });
      times += 1;
      const { found, regressions } = outcome;
      expect({ at, trouble, found, regressions }).toEqual({ at, trouble, found: scenario.expected, regressions: [] });
    }
  }
  return times;
}

/** Runs the scenario `numRuns` times, each in another way. */
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

/** Runs the scenario once and returns its end. */
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

  /** Delivers until a process acknowledges. */
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
    throw new Error('Rows wait for ever.');
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
  const own = happened.filter((change) => resourceOf(change.event) === resourceOf(event));
  const version = own.find((change) => change.event.version === event.version)?.content;
  return { current: own.at(-1)?.content, version };
}

function troublesWithin(calls: number): fc.Arbitrary<Map<number, Trouble>> {
  const one = fc.tuple(fc.integer({ min: 1, max: calls }), fc.constantFrom(...TROUBLES));
  return fc.array(one, { maxLength: 4 }).map((some) => new Map(some));
}

/** Calls of the timer change nothing and are not counted. */
function isOfInterest({ method, on }: CallInfo): boolean {
  return method !== 'length' && !(method === 'query' && on === 'waiting');
}
