import { CommitGate } from '../../src/storage/commit-gate.js';
import { createGroupCommit } from '../../src/storage/group-commit.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';

type Answer = { takesMs: number; error?: StorageError };

/** A gate with as many transactions as may be sent, always, until `rounds` times as many were answered. */
async function flood(gate: CommitGate, clock: ReturnType<typeof createFakeClock>, rounds: number, answer: Answer) {
  for (let round = 0; round < rounds; round += 1) {
    const max = gate.max;
    const sends = Array.from({ length: max }, () => {
      expect(gate.enter(() => true)).toBe(true);
      return gate
        .send(async () => {
          await new Promise<void>((resolve) => clock.after(answer.takesMs, resolve));
          if (answer.error) throw answer.error;
        })
        .catch(() => {});
    });
    const next = gate.enter(() => true);
    expect(next).not.toBe(true);
    clock.advance(answer.takesMs);
    await Promise.all(sends);
    await next;
    gate.leave();
  }
}

const TIMEOUT = new StorageError('timeout', 'late');
const REJECTED = new StorageError('http-400', 'bad', { isRejected: true });

describe('when a process has more transactions than may be on their way', () => {
  it.each([
    { answers: { takesMs: 10 }, then: 'more may, up to 128', max: 128 },
    { answers: { takesMs: 400 }, then: 'as many may', max: 64 },
    { answers: { takesMs: 600 }, then: 'fewer may, at least 8', max: 8 },
    { answers: { takesMs: 10, error: TIMEOUT }, then: 'fewer may', max: 8 },
    { answers: { takesMs: 10, error: REJECTED }, then: 'more may: a wrong request is no sign of load', max: 128 },
  ])('given answers $answers, then $then', async ({ answers, max }) => {
    const clock = createFakeClock();
    const gate = new CommitGate(clock);

    await flood(gate, clock, 12, answers);

    expect(gate.max).toBe(max);
  });

  it('given storage that has recovered, then more may be on their way again', async () => {
    const clock = createFakeClock();
    const gate = new CommitGate(clock);
    await flood(gate, clock, 12, { takesMs: 3000, error: TIMEOUT });

    await flood(gate, clock, 30, { takesMs: 10 });

    expect(gate.max).toBe(128);
  });
});

describe('when a write waits for its turn', () => {
  it('given its time ends before its turn, then the write fails within a second, and is never sent', async () => {
    const clock = createFakeClock();
    const memory = createMemoryTableStore({ clock });
    const sent: string[] = [];
    const tables = {
      ...memory,
      commit(_: string, partition: string) {
        sent.push(partition);
        return new Promise<never>(() => {});
      },
    };
    const commit = createGroupCommit({ tables, clock, random: { number: () => 0.5, token: () => 'token' } });
    const write = (partition: string, untilMs: number) => {
      const operation = { kind: 'insert', key: 'k', row: {} } as const;
      return commit.write('rows', partition, { operation, isOwn: () => false, untilMs });
    };
    for (let n = 0; n < 64; n += 1) void write(`p${n}`, 60_000);
    await new Promise((resolve) => setImmediate(resolve));

    let failure: unknown;
    write('late', 5000).catch((error: unknown) => {
      failure = error;
    });
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(6001);
    await new Promise((resolve) => setImmediate(resolve));

    expect(failure).toMatchObject({ code: 'late' });
    expect(sent).toHaveLength(64);
    expect(sent).not.toContain('late');
  });
});
