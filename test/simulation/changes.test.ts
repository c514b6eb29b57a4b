import fc from 'fast-check';
import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import { createStores } from '../../src/pipeline/create-stores.js';
import { createPipeline, type Pipeline } from '../../src/pipeline/pipeline.js';
import type { Wakeup } from '../../src/pipeline/wakeups.js';
import { addressOf } from '../../src/storage/address.js';
import { CallLimit } from '../../src/storage/bounded.js';
import type { Waiting } from '../../src/storage/waiting.js';
import { createTelemetry } from '../../src/telemetry/telemetry.js';
import { readerOfNothing } from '../../src/testing/content.js';
import { defineWorkflow, fhir, minutes, seconds } from '../../src/workflow.js';
import { SETTINGS } from './hospital.js';
import { BEGINNING, createWorld, type Fault, type Machine } from './world.js';

// A resource is hard-deleted and recreated, so that version 1 occurs in two incarnations. The service's event of each
// arrives late, twice or never, and so does the one of reconciliation, which has its own time and id. Processes die, and
// storage fails. Each incarnation must run once for each workflow.

type Incarnation = 'A' | 'B';
type Act =
  | { kind: 'event'; incarnation: Incarnation }
  /** `asRows`: the jobs begin with a row for each workflow, not with a delivery. */
  | { kind: 'history'; incarnation: Incarnation; asRows: boolean }
  | { kind: 'crash' }
  | { kind: 'pass'; ms: number };

/** The times of the service's event and of the entry in its history, for each incarnation. */
type Times = Record<Incarnation, { event: string; history: string }>;

const MIDDAY: Times = {
  A: { event: '2026-03-14T08:00:00.000Z', history: '2026-03-14T08:00:01.000Z' },
  B: { event: '2026-03-14T09:40:00.000Z', history: '2026-03-14T09:40:02.000Z' },
};
const MIDNIGHT: Times = {
  A: { event: '2026-03-13T23:59:58.000Z', history: '2026-03-14T00:00:01.000Z' },
  B: { event: '2026-03-14T00:07:00.000Z', history: '2026-03-14T00:07:00.000Z' },
};
const WORKFLOWS = ['first', 'second'];

const anAct: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('event' as const), incarnation: fc.constantFrom<Incarnation>('A', 'B') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('history' as const),
      incarnation: fc.constantFrom<Incarnation>('A', 'B'),
      asRows: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(5, 1000, 90_000) }) },
);
const aNight = fc.record({
  seed: fc.integer(),
  acts: fc.array(anAct, { minLength: 2, maxLength: 12 }),
  faults: fc.subarray<Fault>(['fail-before', 'fail-after', 'never', 'late']),
  share: fc.constantFrom(0, 0, 0.05, 0.2),
});
type Night = typeof aNight extends fc.Arbitrary<infer N> ? N : never;

function rawOf(incarnation: Incarnation, by: 'event' | 'history', times: Times) {
  return {
    id: by === 'event' ? `event-${incarnation}` : `reconciled-${incarnation}`,
    source: '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
    specversion: '1.0',
    type: 'Microsoft.HealthcareApis.FhirResourceCreated',
    time: times[incarnation][by],
    data: {
      resourceType: 'Patient',
      resourceFhirAccount: 'w-f.fhir.azurehealthcareapis.com',
      resourceFhirId: 'patient-1',
      resourceVersionId: 1,
    },
  };
}

/** Returns the violations in a night. */
async function runNight({ seed, acts, faults, share }: Night, times: Times): Promise<string[]> {
  const world = createWorld(seed, { skewMs: 2000 });
  const outside = world.spawn(0);
  const violations = new Set<string>();
  const sent = new Set<Incarnation>();
  const apps: { machine: Machine; pipeline: Pipeline; waiting: Waiting }[] = [];
  let open = 0;

  world.faults = () =>
    (faults.length > 0 && world.random() < share ? faults[Math.floor(world.random() * faults.length)] : 'ok') as Fault;
  world.onEffect(checkCompletions);
  startApp();
  startApp();
  wake();
  for (const act of acts) {
    if (act.kind === 'crash') crash();
    else if (act.kind !== 'pass') {
      sent.add(act.incarnation);
      open += 1;
      const raw = rawOf(act.incarnation, act.kind, times);
      if (act.kind === 'history' && act.asRows) void addRows(raw);
      else void send(raw);
    }
    await world.run(act.kind === 'pass' ? { ms: act.ms } : { ms: 5, steps: world.random() * 40 });
  }
  world.faults = () => 'ok';
  const isQuiet = () => open === 0 && world.tables.inspect('waiting').length === 0;
  await world.run({ isDone: isQuiet, ms: 3_600_000 });
  await world.run({ ms: 100_000 });
  await world.run({ isDone: isQuiet, ms: 3_600_000 });
  if (!isQuiet()) violations.add('work is left for ever');
  for (const incarnation of sent) {
    for (const workflow of WORKFLOWS) {
      const completed = completedOf(incarnation, workflow);
      if (completed.length !== 1) violations.add(`not once: ${incarnation} ${workflow} ${completed}`);
    }
  }
  return [...violations];

  function startApp(): void {
    const machine = world.spawn();
    const { tables, blobs: deadLetters, undelivered, due, dueLong } = machine;
    const callLimit = new CallLimit(3000);
    const ports = { tables, workflowTables: undefined, deadLetters, undelivered, due, dueLong };
    const { stores, ports: queues, clock } = createStores(ports, { ...machine, callLimit });
    const pipeline = createPipeline({
      clock,
      random: machine.random,
      readerFor: readerOfNothing,
      workflows: WORKFLOWS.map((name) =>
        defineWorkflow({
          name,
          on: fhir('*'),
          retry: { tries: 5, from: seconds(1), to: seconds(20), giveUpAfter: minutes(60) },
          handle(event, { attempt }) {
            const incarnation = incarnationOf(event.time ?? '');
            if (completedOf(incarnation, name).length > 0)
              violations.add(`completed, and runs again: ${incarnation} ${name}`);
            if (attempt < 4 && world.random() < share) throw new Error('not well');
          },
        }),
      ),
      stores,
      queues,
      callLimit,
      settings: SETTINGS,
      telemetry: createTelemetry(() => {}),
    });
    apps.push({ machine, pipeline, waiting: stores.waiting });
  }

  function crash(): void {
    apps.shift()?.machine.crash();
    startApp();
  }

  /** Delivers as Event Grid does: until a process acknowledges. */
  async function send(raw: object): Promise<void> {
    const app = apps[Math.floor(world.random() * apps.length)];
    let isAnswered = false;
    const sendAgain = () => {
      if (!isAnswered) void send(raw);
      isAnswered = true;
    };
    outside.clock.after(30_000, sendAgain);
    try {
      await app?.pipeline.deliver([structuredClone(raw)]);
      if (!isAnswered) open -= 1;
      isAnswered = true;
    } catch {
      outside.clock.after(1000, sendAgain);
    }
  }

  /** Adds a row for each workflow, again and again, as reconciliation for a named workflow does. */
  async function addRows(raw: object): Promise<void> {
    const key = keyOf(parseEvent(raw));
    const event = JSON.stringify(raw);
    await Promise.all(
      WORKFLOWS.map(async (workflow) => {
        const item = { kind: 'job' as const, address: addressOf(key, workflow), eventIdDigest: key.id };
        for (let isThere = false; !isThere; ) {
          const machine = apps.at(-1)?.machine;
          const row = { dueAt: new Date(BEGINNING + world.nowMs()), isLong: false, event, item };
          const adding = apps.at(-1)?.waiting.add(row, (machine?.clock.monotonic() ?? 0) + 5000);
          isThere =
            (await Promise.race([
              adding?.then(
                () => true,
                () => false,
              ),
              pause(20_000),
            ])) ?? false;
        }
      }),
    );
    open -= 1;
  }

  function pause(ms: number): Promise<false> {
    return new Promise((resolve) => outside.clock.after(ms, () => resolve(false)));
  }

  function wake(): void {
    outside.clock.after(5000, () => {
      wake();
      const [app] = apps;
      void app?.pipeline.wake();
      for (const queue of [world.due, world.dueLong]) {
        for (let text = queue.take(); text !== undefined; text = queue.take())
          void app?.pipeline.redeliver(JSON.parse(text) as Wakeup);
      }
    });
  }

  function incarnationOf(time: string): Incarnation {
    return time < times.B.event ? 'A' : 'B';
  }

  /** Returns the keys of an incarnation's records that are completed. */
  function completedOf(incarnation: Incarnation, workflow: string): string[] {
    return ['ledger20260313', 'ledger20260314'].flatMap((table) =>
      world.tables.inspect(table).flatMap(({ key, row }) => {
        const isCompleted = key.includes(`.${workflow}.`) && row.result === 'completed';
        return isCompleted && incarnationOf(String(row.time)) === incarnation ? [`${table} ${key}`] : [];
      }),
    );
  }

  function checkCompletions(): void {
    for (const each of ['A', 'B'] as const) {
      for (const workflow of WORKFLOWS) {
        if (completedOf(each, workflow).length > 1) violations.add(`completed twice: ${each} ${workflow}`);
      }
    }
  }
}

describe('when a version has an event and an entry in history, in two incarnations', () => {
  it.each([
    { given: 'the times of both are on one day', times: MIDDAY },
    { given: 'the times of the first incarnation are on both sides of midnight', times: MIDNIGHT },
  ])('given $given, crashes and faults, then each incarnation runs once', async ({ times }) => {
    expect(parseEvent(rawOf('A', 'history', times)).time).toBe(times.A.history);
    await fc.assert(
      fc.asyncProperty(aNight, async (night) => {
        expect(await runNight(night, times)).toEqual([]);
      }),
      {
        numRuns: Number(process.env.NIGHTS ?? 80),
        interruptAfterTimeLimit: 240_000,
        ...(process.env.MUTATION ? { endOnFailure: true } : {}),
      },
    );
  });
});
