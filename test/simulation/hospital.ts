import { type Clock, sleep } from '../../src/clock.js';
import type { DeadLetterStores } from '../../src/dead-letters/stores.js';
import { digest } from '../../src/digest.js';
import type { HealthEvent } from '../../src/events/health-event.js';
import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import { createStores, type StoragePorts } from '../../src/pipeline/create-stores.js';
import { createPipeline, type Pipeline } from '../../src/pipeline/pipeline.js';
import type { Wakeup } from '../../src/pipeline/wakeups.js';
import { type Address, addressOf, ledgerPlaceOf } from '../../src/storage/address.js';
import { CallLimit } from '../../src/storage/bounded.js';
import { readSteps } from '../../src/storage/job-steps.js';
import type { Ledger } from '../../src/storage/ledger.js';
import type { Pauses } from '../../src/storage/pauses.js';
import type { Row } from '../../src/storage/table-store.js';
import type { Waiting } from '../../src/storage/waiting.js';
import { createTelemetry } from '../../src/telemetry/telemetry.js';
import { readerOfNothing } from '../../src/testing/content.js';
import {
  defineWorkflow,
  fhir,
  minutes,
  NonRetriableError,
  RetryAfterError,
  seconds,
  type Workflow,
  wants,
} from '../../src/workflow.js';
import { BEGAN_AT_MS, NEWEST, truthOf, watchVersions } from './versions.js';
import { createWorld, type Machine, type World } from './world.js';

/** The behaviour of a handler, drawn anew for every call. */
export type Behaviour = 'ok' | 'slow' | 'throws' | 'for-good' | 'retry-after' | 'ignores-signal' | 'crashes';

export type Hospital = {
  world: World;
  apps: App[];
  /** `skewMs`: how far the clock of its machine is ahead of storage's. */
  startApp(skewMs?: number): App;
  crash(app: App): void;
  /** Starts a process of a person who handles dead letters. */
  startTool(): Tool;
  recordOf(address: Address): Row | undefined;
  /** Returns the jobs of this event: one for each workflow that wants it. */
  jobsOfRaw(raw: unknown): Address[];
  /** Delivers the events in one POST, in the background, as Event Grid does: until a process acknowledges. */
  publish(events: readonly unknown[]): void;
  /** Checks the jobs of these events, too, which may arrive in another way than by a POST. */
  watchJobs(events: readonly unknown[]): void;
  /** Adds the row of a redrive for every dead job. */
  redriveAll(): void;
  /** Drops the tables of days that are over, as the timer does. */
  expire(app: App): void;
  pause(app: App, workflow: string): void;
  resume(app: App, workflow: string): void;
  behaviour: (address: Address) => Behaviour;
  /** The number of dropped tables. */
  drops: number;
  /** Each violation of an invariant so far. */
  violations: string[];
  /** The logs and error messages of all processes. */
  messages: string[];
  /** The number of handler starts of each job. */
  runs: Map<Address, number>;
  /** Ends faults and crashes, runs until no work is left, and returns all violations. */
  comeToRest(): Promise<string[]>;
  /** Runs until all is acknowledged and no job waits, and 3 s more, so that storage's clock is past all writes. */
  untilQuiet(ms: number): Promise<void>;
};

export type Tool = { machine: Machine; deadLetterStores: DeadLetterStores };
export type App = {
  machine: Machine;
  clock: Clock;
  pipeline: Pipeline;
  ledger: Ledger;
  waiting: Waiting;
  pauses: Pauses;
};

export const SETTINGS = { deadlineMs: 15_000, leaseMs: 60_000, workspaces: undefined, setting: () => undefined };
/** Every value of an event about a patient holds this text, which no message may hold. */
export const MARKER = 'PHI-MARKER';

/** Ten minutes exceed most redeliveries here, as the real retention exceeds those of Event Grid. */
const RETENTION_DAYS = 1 / 144;
/** No late call to storage and no duplicate takes longer. */
const ON_THE_WIRE_MS = 100_000;
/** J13: a job that was claimed by then may start until its lease ends, also in a process that was frozen meanwhile. */
const FOLLOWS_WITHIN_MS = 10_000 + SETTINGS.leaseMs;
const REDELIVER_MS = [10_000, 30_000, 60_000, 300_000];

export function createHospital(seed: number, options: { skewMs?: number } = {}): Hospital {
  const world = createWorld(seed, options);
  const { random } = world;
  const violations: string[] = [];
  const report = (violation: string) => void violations.push(violation);
  const messages: string[] = [];
  const runs = new Map<Address, number>();
  const acknowledged = new Map<Address, { json: string }>();
  const settledAs = new Map<Address, string>();
  const ownersBefore = new Map<Address, { last: string; gone: Set<string> }>();
  /** Jobs whose records were settled when their table was dropped. */
  const expired = new Set<Address>();
  /** The jobs of all events so far. */
  const known = new Set<Address>();
  let openPosts = 0;
  let isResting = false;
  let redrives = 0;
  const askedRedrives = new Map<Address, number>();

  const hospital: Hospital = {
    world,
    apps: [],
    drops: 0,
    violations,
    messages,
    runs,
    behaviour: () => 'ok',
    startApp,
    startTool,
    recordOf,
    jobsOfRaw,
    crash(app) {
      app.machine.crash();
      hospital.apps.splice(hospital.apps.indexOf(app), 1);
    },
    publish(events) {
      openPosts += 1;
      watchJobs(events);
      void send(events, 0);
    },
    watchJobs,
    redriveAll,
    expire(app) {
      const { ledger, clock } = app;
      void ledger.expire(clock.now(), RETENTION_DAYS).catch(() => undefined);
    },
    pause({ clock, pauses }, workflow) {
      void pauses.pause({ workflow, since: clock.now().toISOString(), by: 'ana', why: MARKER }).catch(() => undefined);
    },
    resume({ pauses }, workflow) {
      void pauses.resume(workflow).catch(() => undefined);
    },
    comeToRest,
    untilQuiet,
  };
  const versions = watchVersions(world.tables, report);
  const outside = world.spawn();
  const workflows = hospitalWorkflows(hospital, outside);
  const pausedAtMs = new Map<string, number>();
  world.onEffect(checkAll);
  world.onEffect(watchPauses);
  watchDrops();
  keepWaking();
  return hospital;

  function startApp(skewMs?: number): App {
    const machine = world.spawn(skewMs);
    const callLimit = new CallLimit(3000);
    const { stores, ports, clock } = createStores(portsOf(machine), { ...machine, callLimit });
    const pipeline = createPipeline({
      clock,
      random: machine.random,
      readerFor: readerOfNothing,
      workflows: hospitalWorkflows(hospital, machine).map((workflow) => observed(workflow, machine)),
      stores,
      queues: ports,
      callLimit,
      settings: SETTINGS,
      telemetry: createTelemetry((_level, line) => messages.push(line)),
    });
    const { ledger, waiting, pauses } = stores;
    const app = { machine, clock, pipeline, ledger, waiting, pauses };
    hospital.apps.push(app);
    return app;
  }

  function startTool(): Tool {
    const machine = world.spawn();
    const { stores, ports, clock } = createStores(portsOf(machine), { ...machine, callLimit: new CallLimit(3000) });
    const { deadLetters: blobs, undelivered } = ports;
    const { deadLetters, ledger, waiting, storageNow } = stores;
    const deadLetterStores = { blobs, undelivered, deadLetters, ledger, waiting, clock, storageNow };
    return { machine, deadLetterStores };
  }

  function watchJobs(events: readonly unknown[]): void {
    for (const raw of events) {
      for (const address of jobsOfRaw(raw)) {
        known.add(address);
        versions.watch(parseEvent(raw));
      }
    }
  }

  /** Returns the workflow with a handler that counts and checks its starts, and that may crash its process. */
  function observed(workflow: Workflow, machine: Machine): Workflow {
    return {
      ...workflow,
      async handle(event, context) {
        const address = context.idempotencyKey;
        runs.set(address, (runs.get(address) ?? 0) + 1);
        if (world.nowMs() - (pausedAtMs.get(workflow.name) ?? world.nowMs()) > FOLLOWS_WITHIN_MS)
          report(`a job of a paused workflow starts: ${address}`);
        if (recordOf(address)?.result === 'completed') report(`a completed job runs again: ${address}`);
        if (context.fence !== undefined) versions.start(event, context.fence);
        if (hospital.behaviour(address) === 'crashes') {
          const app = hospital.apps.find((each) => each.machine === machine);
          if (app && !isResting) hospital.crash(app);
        }
        return workflow.handle(event, context);
      },
    };
  }

  // ---- Event Grid

  async function send(events: readonly unknown[], attempt: number): Promise<void> {
    const app = hospital.apps[Math.floor(random() * hospital.apps.length)];
    let hasAnswered = false;
    const sendAgain = () => {
      if (hasAnswered) return;
      hasAnswered = true;
      later(REDELIVER_MS[Math.min(attempt, REDELIVER_MS.length - 1)] ?? 0, () => void send(events, attempt + 1));
    };
    later(30_000, sendAgain);
    if (!app) return;
    try {
      await app.pipeline.deliver(structuredClone(events));
      acknowledge(events);
      if (hasAnswered || random() < 0.1) return; // the acknowledgement is late or lost: Event Grid sends again
      hasAnswered = true;
      openPosts -= 1;
      if (random() < 0.2)
        later(random() * 60_000, () => void app.pipeline.deliver(structuredClone(events)).catch(() => undefined));
    } catch (error) {
      messages.push(String(error));
      sendAgain();
    }
  }

  function acknowledge(events: readonly unknown[]): void {
    for (const raw of events) {
      let event: HealthEvent;
      try {
        event = parseEvent(raw);
      } catch {
        const json = JSON.stringify(raw);
        if (![...world.blobs.inspect().values()].some((blob) => JSON.stringify(JSON.parse(blob).event) === json)) {
          report('an invalid event was acknowledged without a dead letter');
        }
        continue;
      }
      for (const address of jobsOf(event)) {
        if (!expired.has(address)) acknowledged.set(address, { json: JSON.stringify(raw) });
      }
    }
    checkAll();
  }

  function jobsOfRaw(raw: unknown): Address[] {
    try {
      return jobsOf(parseEvent(raw));
    } catch {
      return [];
    }
  }

  function jobsOf(event: HealthEvent): Address[] {
    return workflows
      .filter((workflow) => wants(workflow, event))
      .map((workflow) => addressOf(keyOf(event), workflow.name));
  }

  // ---- the host: timers and queues

  function keepWaking(): void {
    later(10_000, () => {
      keepWaking();
      const app = hospital.apps[Math.floor(random() * hospital.apps.length)];
      if (hasDueRow()) void app?.pipeline.wake(); // saves the time of looks that find nothing
    });
    later(10_000 * random(), takeMessages);
    later(10_000 * random(), takeMessages);
  }

  function hasDueRow(): boolean {
    const soon = new Date(outside.clock.now().getTime() + 10_000).toISOString();
    return world.tables.inspect('waiting').some(({ key }) => key < soon);
  }

  function takeMessages(): void {
    for (const queue of [world.due, world.dueLong]) {
      for (let message = queue.take(); message !== undefined; message = queue.take()) {
        const app = hospital.apps[Math.floor(random() * hospital.apps.length)];
        if (!app || random() < 0.1) continue; // a message may be lost, because a later look finds the row
        void app.pipeline.redeliver(JSON.parse(message) as Wakeup);
      }
    }
  }

  function later(ms: number, run: () => void): void {
    outside.clock.after(ms, run);
  }

  // ---- people

  function redriveAll(): void {
    for (const [address, { json }] of acknowledged) {
      const record = recordOf(address);
      const app = hospital.apps[0];
      if (!app || record?.state !== 'settled' || record.result !== 'dead' || redrives > 20) continue;
      redrives += 1;
      const row = {
        dueAt: app.clock.now(),
        isLong: false,
        event: json,
        item: {
          kind: 'job' as const,
          address,
          eventIdDigest: digest(String(JSON.parse(json).id)),
          redrive: Number(record.redrives ?? 0) + 1,
        },
      };
      const noteRedrive = () => askedRedrives.set(address, Math.max(askedRedrives.get(address) ?? 0, row.item.redrive));
      void app.waiting.add(row, app.machine.clock.monotonic() + 60_000).then(noteRedrive, () => undefined);
    }
  }

  // ---- retention

  /** Forgets the settled jobs of a table that is dropped. Each other job must have a row. */
  function watchDrops(): void {
    const { drop } = world.tables;
    world.tables.drop = async (table) => {
      for (const address of known) {
        if (ledgerPlaceOf(address).table !== table) continue;
        if (recordOf(address)?.state === 'settled') expired.add(address);
        if (expired.has(address)) acknowledged.delete(address);
        for (const memory of [settledAs, ownersBefore, askedRedrives]) memory.delete(address);
      }
      hospital.drops += 1;
      return drop(table);
    };
  }

  // ---- pauses

  function watchPauses(): void {
    if (isResting) resumeAll(); // each time, because a pause may be on its way
    const paused = pausedWorkflows();
    for (const name of pausedAtMs.keys()) if (!paused.includes(name)) pausedAtMs.delete(name);
    for (const name of paused) if (!pausedAtMs.has(name)) pausedAtMs.set(name, world.nowMs());
  }

  function resumeAll(): void {
    for (const key of pausedWorkflows()) void world.tables.commit('appstate', 'pauses', [{ kind: 'delete', key }]);
  }

  function pausedWorkflows(): string[] {
    return world.tables.inspect('appstate').flatMap(({ partition, key }) => (partition === 'pauses' ? [key] : []));
  }

  // ---- what must hold at every moment

  function checkAll(): void {
    const blobs = world.blobs.inspect();
    for (const [address, { json }] of acknowledged) {
      const record = recordOf(address);
      const redriveCount = Number(record?.redrives ?? 0);
      const deadLetter = record?.result === 'dead' ? deadLetterOf(address, redriveCount, blobs) : undefined;
      const isSafe =
        (record?.state === 'settled' && (record.result !== 'dead' || deadLetter !== undefined)) ||
        hasRow(address) ||
        (record?.state === 'waiting' && hasRow(address, String(record.due)));
      if (!isSafe) report(`acknowledged, and neither settled nor waiting: ${address} ${JSON.stringify(record)}`);
      if (deadLetter !== undefined && JSON.stringify(JSON.parse(deadLetter).event) !== json)
        report('a dead letter does not hold the raw event');
    }
    for (const address of known) {
      const record = recordOf(address);
      if (record) checkRecord(address, record, blobs);
    }
  }

  function checkRecord(address: Address, row: Row, blobs: ReadonlyMap<string, string>): void {
    const owner = String(row.owner);
    const owners = ownersBefore.get(address) ?? { last: owner, gone: new Set<string>() };
    if (owner !== owners.last) {
      owners.gone.add(owners.last);
      owners.last = owner;
      if (owners.gone.has(owner)) report(`a holder without the lease writes the record: ${address}`);
    }
    ownersBefore.set(address, owners);
    if (row.state === 'waiting' && !hasRow(address, String(row.due)))
      report(`the record waits for a row that is not there: ${address}`);
    if (
      row.state === 'settled' &&
      row.result === 'dead' &&
      deadLetterOf(address, Number(row.redrives ?? 0), blobs) === undefined
    ) {
      report(`settled as dead without a dead letter: ${address}`);
    }
    if (!stepsMatchCounts(row))
      report(`the steps of a record and its counts differ: ${address} ${JSON.stringify(row)}`);
    const before = settledAs.get(address);
    if (before === 'completed' && !(row.state === 'settled' && row.result === 'completed'))
      report(`a completed job was reopened: ${address}`);
    if (row.state === 'settled') settledAs.set(address, String(row.result));
    else settledAs.delete(address);
  }

  function isQuiet(): boolean {
    return openPosts === 0 && world.tables.inspect('waiting').length === 0;
  }

  async function untilQuiet(ms: number): Promise<void> {
    await world.run({ isDone: isQuiet, ms });
    await world.run({ ms: 3000 });
  }

  async function comeToRest(): Promise<string[]> {
    isResting = true;
    world.faults = () => 'ok';
    hospital.behaviour = () => 'ok';
    if (hospital.apps.length === 0) startApp();
    watchPauses();
    for (let hour = 0; hour < 12 && !isQuiet(); hour += 1) await world.run({ isDone: isQuiet, ms: 3_600_000 });
    await world.run({ ms: world.thawsInMs() + ON_THE_WIRE_MS });
    for (let hour = 0; hour < 12 && !isQuiet(); hour += 1) await world.run({ isDone: isQuiet, ms: 3_600_000 });
    if (openPosts > 0) report(`${openPosts} deliveries were never acknowledged`);
    const left = world.tables.inspect('waiting');
    if (left.length > 0)
      report(
        `${left.length} rows never come to an end: ${left[0]?.key} ${JSON.stringify(recordOf(left[0]?.key.slice(25, left[0].key.lastIndexOf('.')) ?? ''))}`,
      );
    const pending = pendingOf(world.blobs.inspect());
    for (const address of acknowledged.keys()) {
      const record = recordOf(address);
      if (record?.state !== 'settled') report(`at rest, and not settled: ${address} ${JSON.stringify(record)}`);
      for (let redrive = 0; redrive <= Number(record?.redrives ?? 0); redrive += 1) {
        const isPending = deadLetterOf(address, redrive, pending) !== undefined;
        if (isPending && (record?.result !== 'dead' || redrive < Number(record.redrives ?? 0))) {
          report(
            `a dead letter is pending beside a job that is ${record?.result}: ${address}.${redrive} of ${record?.redrives}`,
          );
        }
      }
    }
    versions.checkAtRest((address) => recordOf(address)?.result, known);
    for (const [address, redrive] of askedRedrives) {
      if (Number(recordOf(address)?.redrives ?? 0) < redrive)
        report(`a redrive was asked for, and vanished: ${address}`);
    }
    for (const line of messages) if (line.includes(MARKER)) report(`a message holds a value of an event: ${line}`);
    return violations;
  }

  function recordOf(address: Address): Row | undefined {
    if (!address) return undefined;
    const { table, partition, key } = ledgerPlaceOf(address);
    return world.tables.inspect(table).find((stored) => stored.partition === partition && stored.key === key)?.row;
  }

  function hasRow(address: Address, name?: string): boolean {
    return world.tables.inspect('waiting').some(({ key, row }) => {
      if (name) return key === name;
      return key.includes(`.${address}.`) || String(row.events0 ?? '').includes(`"${address}"`);
    });
  }

  function deadLetterOf(address: Address, redrive: number, blobs: ReadonlyMap<string, string>): string | undefined {
    const ending = `${digest(address)}.${redrive}.json`;
    const names = [...blobs.keys()].filter((name) => name.endsWith(ending));
    const name =
      names.find((each) => each.startsWith('pending/')) ?? names.find((each) => each.startsWith('resolved/'));
    return blobs.get(name ?? '');
  }
}

/** Returns the dead letters that are not in resolved/, too: a process may die between copy and deletion. */
function pendingOf(blobs: ReadonlyMap<string, string>): Map<string, string> {
  return new Map(
    [...blobs].filter(([name]) => name.startsWith('pending/') && !blobs.has(name.replace('pending', 'resolved'))),
  );
}

export type VersionOfResource = { resource: number; version: number; incarnation: 0 | 1 | 2; id?: string };

/** Returns the raw event of a version. */
export function hospitalEvent({ resource, version, incarnation, id }: VersionOfResource): unknown {
  const timeMs = (BEGAN_AT_MS[incarnation] as number) + version * 30_000;
  const resourceId = `${MARKER}-${resource}`;
  return {
    id: id ?? `event-${resource}-${incarnation}-${version}`,
    source: '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
    specversion: '1.0',
    type:
      version === 1 ? 'Microsoft.HealthcareApis.FhirResourceCreated' : 'Microsoft.HealthcareApis.FhirResourceUpdated',
    subject: `w-f.fhir.azurehealthcareapis.com/Patient/${resourceId}`,
    time: new Date(timeMs).toISOString(),
    data: {
      resourceType: 'Patient',
      resourceFhirAccount: 'w-f.fhir.azurehealthcareapis.com',
      resourceFhirId: resourceId,
      resourceVersionId: version,
    },
  };
}

/** Returns three workflows: `tally` with two slots, `long` with long jobs, and `newest` with `ordering: 'latest'`. */
function hospitalWorkflows(hospital: Hospital, machine: Machine): Workflow[] {
  const { clock } = machine;
  const retry = { tries: 3, from: seconds(1), to: seconds(20), giveUpAfter: minutes(10) };
  const wait = (ms: number, signal?: AbortSignal) => sleep(clock, ms, signal);

  async function behave(address: Address, signal: AbortSignal): Promise<void> {
    const behaviour = hospital.behaviour(address);
    const ms = hospital.world.random() * 30_000;
    switch (behaviour) {
      case 'ok':
        return;
      case 'slow':
        await wait(ms, signal);
        if (signal.aborted) throw new Error(`aborted ${MARKER}`);
        return;
      case 'throws':
        await wait(ms / 100);
        throw new Error(`${MARKER} is not well`);
      case 'for-good':
        throw new NonRetriableError(`${MARKER} is beyond help`);
      case 'retry-after':
        throw new RetryAfterError('busy', seconds(5));
      case 'ignores-signal':
        return wait(100_000);
      case 'crashes':
        return wait(1);
      default:
        throw new TypeError(`unhandled ${behaviour satisfies never}`);
    }
  }

  return [
    defineWorkflow({
      name: 'tally',
      on: fhir('*'),
      concurrency: 2,
      timeout: seconds(10),
      retry,
      handle: (_event, { idempotencyKey, signal }) =>
        hospital.behaviour(idempotencyKey) === 'ok' ? undefined : behave(idempotencyKey, signal),
    }),
    defineWorkflow({
      name: 'long',
      on: fhir('Patient', ['created']),
      timeout: seconds(40),
      retry,
      handle: (_event, { idempotencyKey, signal }) => behave(idempotencyKey, signal),
    }),
    defineWorkflow({
      name: NEWEST,
      on: fhir('*'),
      ordering: 'latest',
      timeout: seconds(10),
      retry,
      async handle(event, { tables, idempotencyKey, signal }) {
        const { resource, order } = truthOf(event);
        const failsFirst = hospital.world.random() < 0.5;
        if (failsFirst) await behave(idempotencyKey, signal);
        await tables(NEWEST).change('p', resource, () => ({ order }));
        if (!failsFirst) await behave(idempotencyKey, signal);
      },
    }),
  ];
}

function portsOf({ tables, blobs, undelivered, due, dueLong }: Machine): StoragePorts {
  return { tables, workflowTables: undefined, deadLetters: blobs, undelivered, due, dueLong };
}

/** Returns whether the steps of a record, which are written with its counts, agree with them. */
function stepsMatchCounts({ steps: text, state, failing, result, tries = 0, crashes = 0 }: Row): boolean {
  const { steps, leftOut } = readSteps(typeof text === 'string' ? text : '');
  if (leftOut > 0) return true;
  const sinceRedrive = steps.slice(steps.findLastIndex(({ what }) => what === 'redriven') + 1);
  const countOf = (what: string, all: typeof steps = sinceRedrive) => all.filter((step) => step.what === what).length;
  const triesSince = Number(tries) - countOf('retry');
  const isCompleted = state === 'settled' && result === 'completed';
  const isFailing = state === 'settled' ? result === 'dead' : state === 'running' && Boolean(failing);
  return (
    countOf('taken-over') === crashes &&
    (isFailing ? [0, 1].includes(triesSince) : triesSince === (isCompleted ? 1 : 0)) &&
    [0, 1].includes(countOf('redriven', steps) - countOf('dead', steps))
  );
}
