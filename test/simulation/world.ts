import type { Clock, Random } from '../../src/clock.js';
import { mulberry32 } from '../../src/simulator/seeded.js';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { QueueStore } from '../../src/storage/queue-store.js';
import { type Operation, StorageError, type TableStore } from '../../src/storage/table-store.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';

/**
 * A world in which several processes of the app run over one storage, in simulated time. A step is one of: a timer rings,
 * a turn of a process's event loop ends, a call to storage takes effect, an answer arrives, a process dies. The seed
 * decides which step comes next, so that a run can be repeated exactly.
 */
export type World = {
  readonly random: () => number;
  /** Milliseconds since the world began. */
  nowMs(): number;
  readonly tables: ReturnType<typeof createMemoryTableStore>;
  readonly blobs: ReturnType<typeof createMemoryBlobStore>;
  /** Event Grid's own dead letters. */
  readonly undelivered: ReturnType<typeof createMemoryBlobStore>;
  readonly due: ReturnType<typeof createMemoryQueueStore>;
  readonly dueLong: ReturnType<typeof createMemoryQueueStore>;
  /** Starts a machine. `skewMs`: how far its clock is ahead of storage's; by default the seed decides. */
  spawn(skewMs?: number): Machine;
  /** Takes steps until `isDone`, or until `ms` have passed, or at most `steps`. */
  run(until: { isDone?: () => boolean; ms: number; steps?: number }): Promise<void>;
  /** Returns the time until no machine is frozen. */
  thawsInMs(): number;
  /** Calls `listener` after each change of storage. */
  onEffect(listener: () => void): void;
  faults: Faults;
  /** The world calls this before each step, with the machine that takes it. */
  onStep: ((machine: Machine) => void) | undefined;
};

/** One process: its clock, its storage, and its end. */
export type Machine = {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly tables: TableStore;
  readonly blobs: BlobStore;
  readonly undelivered: BlobStore;
  readonly due: QueueStore;
  readonly dueLong: QueueStore;
  isAlive(): boolean;
  crash(): void;
  /** Pauses all code of the machine, as on a paused virtual machine. Requests that it has sent still arrive. */
  freeze(ms: number): void;
  isFrozen(): boolean;
  frozenUntilMs(): number;
};

/** The fate of a call to storage. `late`: no answer, and the call takes effect long after its sender has given it up. */
export type Fault = 'ok' | 'fail-before' | 'fail-after' | 'never' | 'never-after' | 'late';
export type Call = { number: number; machine: string; method: string; table: string; operations: readonly Operation[] };
export type Faults = (call: Call) => Fault;

/** Returns whether a call can change the protocol's course. The queries of the app's timers, and of pauses, cannot. */
export function isOfInterest({ table, method }: Call): boolean {
  return method !== 'length' && !(method === 'query' && (table === 'waiting' || table === 'appstate'));
}

/** Returns the first 120 of `moments`, in which the story takes place, and a few of the others, mostly timers. */
export function mostOf<T>(moments: readonly T[]): T[] {
  return moments.filter((_, index) => index < 120 || index % 17 === 0);
}

export const BEGINNING = Date.UTC(2026, 2, 14, 12);

/** The methods of stores that change something. */
const CHANGES = new Set(['commit', 'drop', 'create', 'copy', 'delete']);

/** `isTurn`: the step is one of the process, not of a request on its way. */
type Step = { machine: Machine; run: () => void | Promise<void>; isTurn: boolean };
type Timer = { atMs: number; order: number; machine: Machine; run: () => void };

export function createWorld(seed: number, { skewMs = 4000 }: { skewMs?: number } = {}): World {
  const random = mulberry32(seed);
  let timeMs = 0;
  let steps = 0;
  let thawMs = 0;
  const nextCall = counter();
  let machines = 0;
  const nextOrder = counter();
  const listeners: (() => void)[] = [];
  const timers: Timer[] = [];
  /** The steps that are possible now, in any order. */
  const ready: Step[] = [];

  const base: Pick<Clock, 'now'> = { now: () => new Date(BEGINNING + timeMs) };
  const tables = createMemoryTableStore({ clock: base });
  const blobs = createMemoryBlobStore({ clock: base });
  const undelivered = createMemoryBlobStore({ clock: base });
  const due = createMemoryQueueStore({ clock: base });
  const dueLong = createMemoryQueueStore({ clock: base });

  const world: World = {
    random,
    nowMs: () => timeMs,
    tables,
    blobs,
    undelivered,
    due,
    dueLong,
    spawn,
    thawsInMs: () => Math.max(0, thawMs - timeMs),
    onEffect: (listener) => void listeners.push(listener),
    faults: () => 'ok',
    onStep: undefined,
    async run({ isDone, ms, steps: most = Number.POSITIVE_INFINITY }) {
      const endMs = timeMs + ms;
      for (const until = steps + most; steps < until; ) {
        await idle();
        if (isDone?.()) return;
        if (!(await step(endMs))) return;
      }
    },
  };
  return world;

  async function step(endMs: number): Promise<boolean> {
    // Mostly a ready step is taken, and time stands still; sometimes time passes while requests are under way.
    const possible = ready.filter(({ isTurn, machine }) => !isTurn || !machine.isFrozen());
    if (possible.length > 0 && (timers.length === 0 || random() < 0.97)) {
      const next = possible[Math.floor(random() * possible.length)] as Step;
      ready.splice(ready.indexOf(next), 1);
      steps += 1;
      world.onStep?.(next.machine);
      if (next.machine.isAlive() || !next.isTurn) await next.run();
      return true;
    }
    const timer = takeTimer(endMs);
    if (!timer) {
      if (possible.length > 0) return true;
      timeMs = endMs;
      return false;
    }
    timeMs = Math.max(timeMs, ringsAtMs(timer));
    steps += 1;
    world.onStep?.(timer.machine);
    if (timer.machine.isAlive()) timer.run(); // onStep may have ended it
    return true;
  }

  function takeTimer(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    let firstMs = endMs;
    for (const timer of timers) {
      if (timer.atMs > firstMs) continue; // rings later, whether its machine is frozen or not
      const ms = ringsAtMs(timer);
      if (ms > firstMs || (ms === firstMs && first && timer.order > first.order)) continue;
      first = timer;
      firstMs = ms;
    }
    if (first) timers.splice(timers.indexOf(first), 1);
    return first;
  }

  function ringsAtMs(timer: Timer): number {
    return Math.max(timer.atMs, timer.machine.frozenUntilMs());
  }

  function spawn(skew = Math.round((random() * 2 - 1) * skewMs)): Machine {
    machines += 1;
    const name = `p${machines}`;
    const startedAt = Math.round(random() * 1e6);
    let isAlive = true;
    const nextToken = counter();
    let frozenUntilMs = 0;
    const machine: Machine = {
      name,
      isAlive: () => isAlive,
      crash() {
        isAlive = false;
        timers.splice(0, timers.length, ...timers.filter((timer) => timer.machine !== machine));
      },
      freeze(ms) {
        frozenUntilMs = timeMs + ms;
        thawMs = Math.max(thawMs, frozenUntilMs);
      },
      isFrozen: () => timeMs < frozenUntilMs,
      frozenUntilMs: () => frozenUntilMs,
      random: { number: random, token: () => `${name}t${nextToken()}`.padEnd(16, 'x') },
      clock: {
        now: () => new Date(BEGINNING + timeMs + skew),
        monotonic: () => startedAt + timeMs,
        after(ms, run) {
          const timer = { atMs: timeMs + Math.max(0, ms), order: nextOrder(), machine, run };
          if (isAlive) timers.push(timer);
          return () => {
            const index = timers.indexOf(timer);
            if (index >= 0) timers.splice(index, 1);
          };
        },
        endOfTurn: (run) => void ready.push({ machine, run, isTurn: true }),
      },
      tables: throughWorld(tables, () => machine),
      blobs: throughWorld(blobs, () => machine),
      undelivered: throughWorld(undelivered, () => machine),
      due: throughWorld(due, () => machine),
      dueLong: throughWorld(dueLong, () => machine),
    };
    return machine;
  }

  /** Returns the store as a process reaches it: each call takes effect and is answered at some later steps, or never. */
  function throughWorld<S extends object>(store: S, machineOf: () => Machine): S {
    return new Proxy(store, {
      get(target, method: string) {
        const real = (target as Record<string, unknown>)[method];
        if (typeof real !== 'function') return real;
        return (...args: unknown[]) =>
          new Promise((resolve, reject) => {
            const machine = machineOf();
            const table = typeof args[0] === 'string' ? args[0] : '';
            const operations = method === 'commit' ? (args[2] as Operation[]) : [];
            const fault = world.faults({ number: nextCall(), machine: machine.name, method, table, operations });
            const withoutSignal = args.map((arg) => (arg instanceof AbortSignal ? undefined : arg));
            const effect = async () => {
              const answer = await (real as (...all: unknown[]) => Promise<unknown>).apply(target, withoutSignal);
              if (CHANGES.has(method)) for (const listener of listeners) listener();
              return answer;
            };
            const answerWith = (run: () => void) => void ready.push({ machine, run, isTurn: true });
            const fail = () => reject(new StorageError('http-503', 'Storage failed, as planned.'));
            const wasAlive = machine.isAlive();
            if (!wasAlive) return; // a dead process sends nothing more
            switch (fault) {
              case 'fail-before':
                return answerWith(fail);
              case 'never':
                return;
              case 'late':
                // The call takes effect after its sender has given it up, or has died.
                return later(() => void effect().catch(() => undefined), 3000 + random() * 90_000);
              default:
                ready.push({
                  machine,
                  isTurn: false,
                  run: async () => {
                    if (!machine.isAlive() && random() < 0.5) return; // a request of a dead process may be lost
                    await effect().then(
                      (answer) => {
                        if (fault === 'fail-after') answerWith(fail);
                        else if (fault === 'ok') answerWith(() => resolve(answer));
                      },
                      (error: unknown) => answerWith(() => reject(error)),
                    );
                  },
                });
            }
          });
      },
    });
  }

  /** Calls `run` after `ms`, even if every process has died. */
  function later(run: () => void, ms: number): void {
    const machine = { isAlive: () => true, frozenUntilMs: () => 0 } as Machine;
    timers.push({ atMs: timeMs + ms, order: nextOrder(), machine, run });
  }
}

function counter(): () => number {
  let count = 0;
  return () => {
    count += 1;
    return count;
  };
}

/** Resolves when all promises that are settled now have called back: nothing here waits for anything else. */
function idle(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
