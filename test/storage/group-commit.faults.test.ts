import fc from 'fast-check';
import { boundedTables, CallLimit } from '../../src/storage/bounded.js';
import { createGroupCommit, type GroupCommit, type Write, type Written } from '../../src/storage/group-commit.js';
import { createMemoryTableStore, type MemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { type Fault, faultyTables } from './faults.js';
import {
  ANSWERS_WITHIN_MS,
  answers,
  type Effect,
  endOfTurn,
  insert,
  merge,
  outcomes,
  random,
  recordOf,
  remove,
  rowOf,
  setUp,
  TABLE,
  withinReason,
} from './group-commit-kit.js';
import { createTestClock, type TestClock } from './test-clock.js';

describe('every transaction of up to three writes', () => {
  const faults: readonly Fault[] = ['fail-before', 'fail-after', 'never', 'never-after', 'late'];
  const slips = [1, 2, 3, 4].flatMap((call) => faults.map((fault) => ({ call, fault })));
  const plans = slips.flatMap((one) => [
    [one],
    ...slips.filter(({ call }) => call > one.call).map((two) => [one, two]),
  ]);

  type Want = {
    make: (key: string, etag: string) => Write;
    isThere: boolean;
    answer: Written['kind'];
    effects: number;
  };
  const wants: Record<string, Want> = {
    insert: { make: (key) => insert(key), isThere: false, answer: 'written', effects: 1 },
    merge: { make: (key, etag) => merge(key, etag), isThere: true, answer: 'written', effects: 1 },
    delete: { make: (key) => remove(key), isThere: true, answer: 'written', effects: 1 },
    'late insert': { make: (key) => insert(key), isThere: true, answer: 'conflict', effects: 0 },
    'stale merge': { make: (key) => merge(key, 'W/"0"'), isThere: true, answer: 'conflict', effects: 0 },
    'second delete': { make: (key) => remove(key), isThere: false, answer: 'written', effects: 0 },
  };

  it.each(multisets(Object.keys(wants), 3).map((names) => ({ names })))(
    'given $names, when any two calls go wrong in any way, then each answer is what storage holds',
    async ({ names }) => {
      const wanted = names.map((name, i) => ({ key: `k${i}`, want: wants[name] as Want }));
      const rows = wanted.filter(({ want }) => want.isThere).map(({ key }) => key);
      const isWhole = wanted.every(({ want }) => want.effects === 1);

      for (const plan of plans) {
        const fault = ({ number }: { number: number }) => plan.find(({ call }) => call === number)?.fault ?? 'ok';
        const { write, clock, memory, effects, commits, release } = await setUp({ rows, plan: fault });
        const writes = wanted.map(({ key, want }) => want.make(key, rowOf(memory, key)?.etag ?? ''));

        const written = await answers(
          clock,
          writes.map((each) => write(each)),
        );
        await release();

        const seen = writes.map(({ operation, isOwn }, i) => {
          const stored = rowOf(memory, operation.key);
          return {
            answer: written[i]?.kind,
            effects: effects.filter((effect) => effect.operation === operation).length,
            isThere: isOwn(stored?.row),
            isEtag: written[i]?.kind !== 'written' || written[i].etag === (stored?.etag ?? ''),
          };
        });
        expect({ plan, seen }).toEqual({
          plan,
          seen: wanted.map(({ want: { answer, effects } }) => ({
            answer,
            effects,
            isThere: answer === 'written',
            isEtag: true,
          })),
        });
        const parts = commits.filter(({ operations }) => operations.length < names.length);
        if (isWhole) expect(parts.filter(({ answer }) => answer.kind === 'done')).toEqual([]);
      }
    },
    60_000,
  );
});

describe('two processes over one table', () => {
  it('given random writes, faults and delays, then every answer is true', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(arbitraryFault, { maxLength: 30 }), { minLength: 2, maxLength: 2 }),
        fc.array(arbitraryStep, { minLength: 1, maxLength: 30 }),
        async (faults, steps) => {
          const clock = createTestClock();
          const memory = await createRows(clock);
          const record = recordOf(memory, clock);
          const processes = faults.map((list) => {
            const faulty = faultyTables(
              record.store,
              withinReason(({ number }) => list[number - 1] ?? 'ok'),
            );
            const tables = boundedTables(faulty, clock, new CallLimit(ANSWERS_WITHIN_MS));
            return { release: faulty.release, commit: createGroupCommit({ tables, clock, random }) };
          });
          const asked: Asked[] = [];

          for (const [number, step] of steps.entries()) {
            const { commit, release } = processes[step.process] as (typeof processes)[number];
            if (step.is === 'pass') clock.advance(step.ms);
            if (step.is === 'release') await release();
            if (step.is !== 'write') {
              await endOfTurn();
              continue;
            }
            asked.push(ask(commit, memory, record.effects, step, clock.monotonic(), `${number}`));
          }
          await outcomes(
            clock,
            asked.map(({ answer }) => answer),
          );
          for (const { release } of processes) await release();

          for (const each of asked) check(each, await each.answer, memory, record.effects);
          for (const { operations } of record.commits) {
            expect(new Set(operations.map(({ key }) => key)).size).toBe(operations.length);
          }
        },
      ),
      { numRuns: 2500 },
    );
  });
});

type Answer = { written: Written | undefined; error: unknown; effectsBefore: number };
type Asked = { write: Write; partition: string; answer: Promise<Answer> };

type WriteStep = { is: 'write'; process: number; row: number; wish: 'change' | 'delete' | 'stale'; withinMs: number };
type AnyStep = WriteStep | { is: 'turn' | 'release'; process: number } | { is: 'pass'; process: number; ms: number };

const arbitraryFault: fc.Arbitrary<Fault> = fc.oneof(
  { arbitrary: fc.constant<Fault>('ok'), weight: 4 },
  { arbitrary: fc.constantFrom<Fault>('fail-before', 'fail-after', 'never', 'never-after', 'late'), weight: 3 },
);
const process = fc.nat({ max: 1 });
const arbitraryStep: fc.Arbitrary<AnyStep> = fc.oneof(
  {
    arbitrary: fc.record({
      is: fc.constant('write' as const),
      process,
      row: fc.nat({ max: 5 }),
      wish: fc.constantFrom('change' as const, 'change' as const, 'delete' as const, 'stale' as const),
      withinMs: fc.constantFrom(1000, 8000, 60_000),
    }),
    weight: 5,
  },
  { arbitrary: fc.record({ is: fc.constantFrom('turn' as const, 'release' as const), process }), weight: 2 },
  {
    arbitrary: fc.record({ is: fc.constant('pass' as const), process, ms: fc.constantFrom(50, 500, 3000) }),
    weight: 2,
  },
);

/** The rows of each of two partitions: one that does not exist and is never deleted, and two that exist. */
const places = ['p', 'q'].flatMap((partition) =>
  ['fresh', 'there', 'too'].map((key) => ({ partition, key: `${partition}-${key}`, isThere: key !== 'fresh' })),
);

async function createRows(clock: TestClock): Promise<MemoryTableStore> {
  const memory = createMemoryTableStore({ clock });
  await memory.create(TABLE);
  for (const { partition, key, isThere } of places) {
    if (isThere) await memory.commit(TABLE, partition, [{ kind: 'insert', key, row: { by: 'nobody' } }]);
  }
  return memory;
}

function ask(
  commit: GroupCommit,
  memory: MemoryTableStore,
  effects: readonly Effect[],
  { row, wish, withinMs }: WriteStep,
  nowMs: number,
  by: string,
): Asked {
  const { partition, key, isThere } = places[row] as (typeof places)[number];
  const etag = rowOf(memory, key)?.etag;
  const untilMs = nowMs + withinMs;
  const write =
    wish === 'delete' && isThere
      ? remove(key, etag, untilMs)
      : etag === undefined && !isThere
        ? insert(key, { by }, untilMs)
        : merge(key, wish === 'stale' || etag === undefined ? 'W/"0"' : etag, { by }, untilMs);
  const answer = commit.write(TABLE, partition, write).then(
    (written) => ({ written, error: undefined, effectsBefore: effects.length }),
    (error: unknown) => ({ written: undefined, error, effectsBefore: effects.length }),
  );
  return { write, partition, answer: answer };
}

function check(
  { write, partition }: Asked,
  { written, error, effectsBefore }: Answer,
  memory: MemoryTableStore,
  effects: readonly Effect[],
): void {
  const { operation, isOwn } = write;
  const took = effects.filter((effect) => effect.operation === operation);
  const at = effects.findIndex((effect) => effect.operation === operation);
  expect(took.length).toBeLessThanOrEqual(1);
  switch (written?.kind) {
    case 'written':
      if (operation.kind === 'delete') {
        expect(rowOf(memory, operation.key)).toBeUndefined();
      } else {
        // A row that was deleted since has an unknown etag, which nobody needs.
        const isDeleted = effects
          .slice(at)
          .some((one) => one.operation.kind === 'delete' && one.operation.key === operation.key);
        const etag = isDeleted && written.etag === '' ? took[0]?.etag : written.etag;
        expect(took).toEqual([{ operation, partition, etag }]);
        expect(at).toBeLessThan(effectsBefore);
      }
      break;
    case 'conflict':
      expect(isOwn(written.read.stored?.row)).toBe(false);
      expect(written.read.stored?.etag).not.toBe('etag' in operation ? operation.etag : undefined);
      if (at >= 0) {
        // The answer was lost, and another write has replaced this one since.
        const follower = effects.findIndex((effect, i) => i > at && effect.operation.key === operation.key);
        expect(follower).toBeGreaterThan(at);
        expect(follower).toBeLessThan(effectsBefore);
      }
      break;
    case undefined:
      expect(error).toBeInstanceOf(StorageError);
      expect((error as StorageError).message).not.toContain(operation.key);
      break;
    default:
      throw new Error(`answered ${written?.kind}`);
  }
}

/** All choices of one to `max` names, whatever their order. */
function multisets(names: readonly string[], max: number): string[][] {
  if (max === 0) return [];
  return names.flatMap((name, i) => [[name], ...multisets(names.slice(i), max - 1).map((rest) => [name, ...rest])]);
}
