import { readFileSync } from 'node:fs';
import { createLatency, type Plan } from '../../bench/capacity/plan.js';
import { findPlan } from '../../bench/capacity/search.js';
import { type Result, simulate } from '../../bench/capacity/simulate.js';
import { StorageAccount } from '../../bench/capacity/storage-account.js';
import { clockOf, Thread, VirtualTime } from '../../bench/capacity/virtual-time.js';
import { clinicDay } from '../../src/simulator/scenarios/clinic-day.js';
import type { Resource, Scenario, World } from '../../src/simulator/scenarios/scenario.js';
import { seededRandom } from '../../src/simulator/seeded.js';
import { createGroupCommit } from '../../src/storage/group-commit.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';

const PLAN: Plan = {
  scenario: clinicDay,
  rate: 100,
  deployments: 1,
  accounts: 1,
  instances: 2,
  seconds: 1,
  seed: 1,
  cpu: 1,
  storage: { p50Ms: 10, p99Ms: 60 },
  service: { p50Ms: 30, p99Ms: 200 },
  maxEventsPerBatch: 100,
  posts: 32,
};

describe('when time is virtual', () => {
  it('given timers, then they run in order of their times, and a cancelled one does not', async () => {
    const time = new VirtualTime();
    const ran: string[] = [];
    for (const ms of [30, 10, 20, 10]) time.after(ms, () => ran.push(`${ms} at ${time.nowMs}`));
    time.after(15, () => ran.push('cancelled'))();

    await time.run(25);

    expect(ran).toEqual(['10 at 10', '10 at 10', '20 at 20']);
    expect(time.nowMs).toBe(25);
  });

  it('given work that arrives in a turn of a thread, then it waits for the next turn, after the end of this one', async () => {
    const time = new VirtualTime();
    const thread = new Thread(time);
    const ran: string[] = [];
    const note = (what: string) => () => void ran.push(`${what} at ${time.nowMs}`);

    thread.arrive(10, () => {
      note('first')();
      thread.clock.endOfTurn(note('end of turn'));
    });
    time.after(4, () => thread.arrive(5, note('second')));
    await time.run(100);

    expect(ran).toEqual(['first at 10', 'end of turn at 10', 'second at 15']);
    expect(thread.busyMs).toBe(15);
  });

  it('given many times of a distribution, then their percentiles are those asked for', () => {
    const latencyMs = createLatency({ p50Ms: 10, p99Ms: 60 }, seededRandom(1));
    const times = Array.from({ length: 20_000 }, latencyMs).sort((a, b) => a - b);

    expect(Math.abs((times[10_000] ?? 0) - 10)).toBeLessThan(1);
    expect(Math.abs((times[19_800] ?? 0) - 60)).toBeLessThan(6);
  });
});

describe('when storage is asked for more than its limits', () => {
  it.each([
    { given: '1,800 entities a second into a partition', partitions: 1, each: 1800, taken: 1800, is503: false },
    { given: '3,000 entities a second into a partition', partitions: 1, each: 3000, taken: 2000, is503: true },
    { given: '20 partitions with 1,900 a second', partitions: 20, each: 1900, taken: 20_000, is503: true },
  ])('given $given, then it takes $taken a second', async ({ partitions, each, taken, is503 }) => {
    const { units, throttled } = await overload({ partitions, each });

    expect(units / taken).toBeGreaterThan(1.9);
    expect(units / taken).toBeLessThan(2.1);
    expect(throttled > 0).toBe(is503);
  });

  /** Returns the load that the account took in the last 2 of 5 s. The app's own group commit sends it, again after a 503. */
  async function overload({ partitions, each }: { partitions: number; each: number }) {
    const time = new VirtualTime();
    const random = seededRandom(1);
    const tables = createMemoryTableStore({ clock: clockOf(time) });
    await tables.create('rows');
    const account = new StorageAccount({ time, tables, latencyMs: () => 10 });
    const thread = new Thread(time);
    const { clock } = thread;
    // Several processes: each has one transaction of a partition under way.
    const commits = [1, 2, 3].map(() =>
      createGroupCommit({ tables: account.tablesFor({ thread, costMs: 0 }), clock, random }),
    );
    let written = 0;
    const write = () => {
      for (let partition = 0; partition < partitions; partition += 1) {
        written += 1;
        const operation = { kind: 'insert', key: `r${written}`, row: {} } as const;
        const how = { operation, isOwn: () => false, untilMs: time.nowMs + 60_000 };
        void commits[written % commits.length]?.write('rows', `p${partition}`, how).catch(() => {});
      }
      time.after(1000 / each, write);
    };
    write();
    await time.run(3000);
    const before = account.counts.units;
    await time.run(5000);
    return { units: account.counts.units - before, throttled: account.counts.throttled };
  }
});

describe('when a deployment is simulated', () => {
  it('given the same seed, then the result is the same; given another, it is not', async () => {
    const [first, same, other] = [await simulate(PLAN), await simulate(PLAN), await simulate({ ...PLAN, seed: 2 })];

    expect(same).toEqual(first);
    expect(other.p50Ms).not.toBe(first.p50Ms);
    expect(first).toMatchObject({ neverApplied: 0, deadLetters: 0, failedPosts: 0 });
    expect(first.within5s).toBeGreaterThan(0.97); // of some hundred events, one or two may wait for a row
  });

  it.each([
    { what: 'Encounter created', resource: () => ({ resourceType: 'Encounter' }) },
    { what: 'Observation created, no rule', resource: height },
  ])('given only $what, then it costs what docs/costs.md counts', async ({ what, resource }) => {
    const inHundreds = countedCosts(what).at(0);
    const alone = countedCosts(what).at(1);

    const scenario = scenarioOf((world) => void world.create(resource()));

    const result = await simulate({ ...PLAN, scenario, seconds: 6 });

    expect(Math.abs(result.entitiesPerEvent / (alone?.entities ?? 0) - 1)).toBeLessThan(0.03);
    expect(result.requestsPerEvent).toBeGreaterThanOrEqual(inHundreds?.requests ?? 0);
    expect(result.requestsPerEvent).toBeLessThanOrEqual(alone?.requests ?? 0);
    expect(result.serviceRequestsPerEvent).toBeLessThanOrEqual(alone?.service ?? 0);
  });
});

describe('when the options leave numbers open', () => {
  // An event costs 1 ms of CPU and 8 entities, 5 of them in the ledger.
  const run = async ({ rate, deployments, accounts, instances }: Plan): Promise<Result> => {
    const each = rate / deployments;
    const ofAccounts = accounts === 2 ? [5, 3] : [8];
    const isSlow = each / 1000 > instances;
    return {
      ...{ cpuMsPerEvent: 1, within5s: isSlow ? 0.5 : 1, backlogGrowth: 0, neverApplied: 0, deadLetters: 0 },
      loads: [
        ...ofAccounts.map((entities) => ({ kind: 'account' as const, part: '', share: (each * entities) / 20_000 })),
        { kind: 'partition' as const, part: '', share: (each * 5) / 8 / 2000 },
      ],
    } as unknown as Result;
  };

  it.each([
    { rate: 2000, given: {}, found: { deployments: 1, accounts: 1, instances: 2 } },
    { rate: 2500, given: {}, found: { deployments: 1, accounts: 2, instances: 3 } },
    { rate: 5000, given: {}, found: { deployments: 3, accounts: 1, instances: 2 } },
    { rate: 5000, given: { accounts: 2 as const }, found: { deployments: 2, accounts: 2, instances: 3 } },
    { rate: 5000, given: { deployments: 5 }, found: { deployments: 5, accounts: 1, instances: 1 } },
    { rate: 5000, given: { deployments: 1 }, found: undefined },
  ])('given $rate events/s and $given, then it finds $found', async ({ rate, given, found }) => {
    const { deployments: _1, accounts: _2, instances: _3, ...open } = PLAN;

    const plan = await findPlan({ ...open, rate, ...given }, run);

    if (found) expect(plan).toMatchObject(found);
    else expect(plan).toBeUndefined();
  });
});

function scenarioOf(change: (world: World) => void): Scenario {
  return {
    ...clinicDay,
    *play(world) {
      for (;;) {
        change(world);
        yield;
      }
    },
  };
}

function height(): Resource {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2026-03-02T12:00:00Z',
    valueQuantity: { value: 170, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' },
  };
}

/** The row of the page: in POSTs of 100, and of 1. */
function countedCosts(what: string) {
  const row = readFileSync('docs/costs.md', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`| ${what} |`));
  const numbers = (row ?? '').split('|').slice(2, -1).map(Number);
  return [0, 4].map((at) => ({
    requests: numbers[at] ?? Number.NaN,
    entities: numbers[at + 1] ?? Number.NaN,
    service: numbers[at + 3] ?? Number.NaN,
  }));
}
