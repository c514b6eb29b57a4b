import { boundedTables, CallLimit } from '../../src/storage/bounded.js';
import { createGroupCommit, type Write, type Written } from '../../src/storage/group-commit.js';
import { createMemoryTableStore, type MemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { CommitAnswer, Operation, Row, Stored, TableStore } from '../../src/storage/table-store.js';
import { type Fault, faultyTables, type Plan } from './faults.js';
import { createTestClock, type TestClock } from './test-clock.js';

export const TABLE = 'rows';
export const ANSWERS_WITHIN_MS = 3000;
export const LONG_MS = 100_000;
/** Further calls get no answer, because a loop without pauses would never let the turn end. */
export const MAX_CALLS = 500;

export type Effect = { operation: Operation; partition: string; etag: string };

export const random = { number: () => 0.5, token: () => 'token-of-16-chars' };

export async function setUp({ rows = [], plan = () => 'ok' }: { rows?: readonly string[]; plan?: Plan } = {}) {
  const clock = createTestClock();
  const memory = createMemoryTableStore({ clock });
  await memory.create(TABLE);
  for (const key of rows) await memory.commit(TABLE, 'p', [{ kind: 'insert', key, row: { by: 'nobody' } }]);
  const record = recordOf(memory, clock);

  const sent: (readonly Operation[])[] = [];
  const sentAtMs: number[] = [];
  const faulty = faultyTables(record.store, withinReason(plan));
  const tables = boundedTables(
    {
      ...faulty,
      commit(table, partition, operations, signal) {
        sent.push(operations);
        sentAtMs.push(clock.monotonic());
        return faulty.commit(table, partition, operations, signal);
      },
    },
    clock,
    new CallLimit(ANSWERS_WITHIN_MS),
  );
  const commit = createGroupCommit({ tables, clock, random });
  const write = (each: Write, partition = 'p') => commit.write(TABLE, partition, each);
  return { ...record, clock, memory, commit, write, sent, sentAtMs, release: faulty.release };
}

/**
 * Records the commits that arrive at storage, and their effects. A request that its sender has given up still takes
 * effect.
 */
export function recordOf(memory: MemoryTableStore, clock: TestClock) {
  const commits: { operations: readonly Operation[]; answer: CommitAnswer; atMs: number }[] = [];
  const effects: Effect[] = [];
  const calls: Record<string, number> = {};
  const count = (method: string) => {
    calls[method] = (calls[method] ?? 0) + 1;
  };
  let gate: { partition: string | undefined; opened: PromiseWithResolvers<void> } | undefined;

  const store: TableStore = {
    ...memory,
    async commit(table, partition, operations) {
      count('commit');
      const entry = { operations, answer: { kind: 'no-table' } as CommitAnswer, atMs: clock.monotonic() };
      commits.push(entry);
      if (gate && (gate.partition ?? partition) === partition) await gate.opened.promise;
      entry.answer = await memory.commit(table, partition, operations);
      const { answer } = entry;
      if (answer.kind === 'done') {
        effects.push(...operations.map((operation, i) => ({ operation, partition, etag: answer.etags[i] as string })));
      }
      return answer;
    },
    read(table, partition, key) {
      count('read');
      return memory.read(table, partition, key);
    },
    create(table) {
      count('create');
      return memory.create(table);
    },
  };
  return {
    store,
    commits,
    effects,
    calls,
    gate: {
      close: (partition?: string) => {
        gate = { partition, opened: Promise.withResolvers() };
      },
      open: () => gate?.opened.resolve(),
    },
  };
}

export function withinReason(plan: Plan): Plan {
  return (call) => (call.number > MAX_CALLS ? 'never' : plan(call));
}

export function once(method: string, fault: Fault): Plan {
  let isOver = false;
  return (call) => {
    if (isOver || call.method !== method) return 'ok';
    isOver = true;
    return fault;
  };
}

export function insert(key: string, row: Row = {}, untilMs = LONG_MS): Write {
  return owned({ kind: 'insert', key, row }, untilMs);
}

export function merge(key: string, etag: string, row: Row = {}, untilMs = LONG_MS): Write {
  return owned({ kind: 'merge', key, etag, row }, untilMs);
}

let writes = 0;
function owned(operation: Extract<Operation, { row: Row }>, untilMs: number): Write {
  writes += 1;
  const number = writes;
  return {
    operation: { ...operation, row: { ...operation.row, write: number } },
    isOwn: (row) => row?.write === number,
    untilMs,
  };
}

export function remove(key: string, etag?: string, untilMs = LONG_MS): Write {
  return {
    operation: etag === undefined ? { kind: 'delete', key } : { kind: 'delete', key, etag },
    isOwn: (row) => row === undefined,
    untilMs,
  };
}

/** Lets time pass until all have ended. Time passes only while something waits for it. */
export async function outcomes<T>(
  clock: TestClock,
  writing: readonly Promise<T>[],
  stepMs = 100,
): Promise<PromiseSettledResult<T>[]> {
  let isOver = false;
  const all = Promise.allSettled(writing).finally(() => {
    isOver = true;
  });
  for (let turns = 0; turns < 10_000; turns++) {
    await endOfTurn();
    if (isOver) return all;
    if (clock.timers > 0) clock.advance(stepMs);
  }
  throw new Error('a write is never answered');
}

export async function answers<T>(clock: TestClock, writing: readonly Promise<T>[], stepMs?: number): Promise<T[]> {
  await outcomes(clock, writing, stepMs);
  return Promise.all(writing);
}

export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function rowOf(memory: MemoryTableStore, key: string): Stored | undefined {
  return memory.inspect(TABLE).find((stored) => stored.key === key);
}

export function keysOf(commits: readonly { operations: readonly Operation[] }[]): string[][] {
  return commits.map(({ operations }) => operations.map(({ key }) => key));
}

export function kindsOf(written: readonly Written[]): string[] {
  return written.map(({ kind }) => kind);
}
