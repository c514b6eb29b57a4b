import fc from 'fast-check';
import { type HoldWrite, LeasedHold } from '../../src/pipeline/hold.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { allThatFollows } from './memory-app.js';

type Value = { write: number; note: string };
type Answer = Awaited<ReturnType<HoldWrite<Value>>>;
type Sent = {
  value: Value;
  etag: string;
  untilMs: number;
  atMs: number;
  written(etag: string): void;
  refused(kind: 'conflict' | 'table-busy'): void;
  fail(error: unknown): void;
};

const LEASE_MS = 60_000;

/** A hold claimed at 10 s by a write that took 2 s; it is 12 s. Writes are answered by the test. */
function holdSomething() {
  const clock = createFakeClock();
  const sent: Sent[] = [];
  clock.advance(12_000);
  const hold = new LeasedHold<Value>(
    { value: { write: 1, note: 'claimed' }, etag: 'e1', sentAtMs: 10_000, leaseMs: LEASE_MS },
    {
      clock,
      write: (value, how) =>
        new Promise<Answer>((resolve, reject) => {
          sent.push({
            value,
            ...how,
            atMs: clock.monotonic(),
            written: (etag) => resolve({ kind: 'written', etag }),
            refused: (kind) => resolve({ kind, current: undefined }),
            fail: reject,
          });
        }),
    },
  );
  const last = () => sent.at(-1) as Sent;
  /** An update, and what has become of it. */
  const update = (note: string, untilMs?: number) => {
    const seen: { outcome: string } = { outcome: 'open' };
    hold
      .update(
        (value) => ({ ...value, note: `${value.note}, ${note}` }),
        untilMs === undefined ? undefined : { untilMs },
      )
      .then(
        (outcome) => {
          seen.outcome = outcome;
        },
        (error: Error) => {
          seen.outcome = `threw ${error.message}`;
        },
      );
    return seen;
  };
  return { clock, hold, sent, last, update };
}

describe('when something is held', () => {
  it('given the claim took 2 s, then the lease counts from before the claim was sent', () => {
    expect(holdSomething().hold).toMatchObject({ heldUntilMs: 70_000, isOver: false, value: { note: 'claimed' } });
  });

  it.each([
    { atMs: 64_999, then: true },
    { atMs: 65_000, then: false },
    { atMs: 70_000, then: false },
    { atMs: 99_000, then: false },
  ])('given it is $atMs of a lease until 70000, then it may start something: $then', ({ atMs, then }) => {
    const { clock, hold } = holdSomething();

    clock.advance(atMs - 12_000);

    expect(hold.mayStart()).toBe(then);
  });
});

describe('when it is updated', () => {
  it('given the write succeeds, then the lease counts from before it was sent, and the next write uses its etag', async () => {
    const { clock, hold, last, update } = holdSomething();
    const first = update('one');
    const { etag, untilMs, value } = last();

    clock.advance(3000);
    const before = hold.heldUntilMs;
    last().written('e2');
    await allThatFollows();

    expect({ etag, untilMs, value }).toEqual({
      etag: 'e1',
      untilMs: 70_000,
      value: { write: 2, note: 'claimed, one' },
    });
    expect([before, hold.heldUntilMs]).toEqual([70_000, 72_000]);
    expect(first.outcome).toBe('written');
    expect(hold.value).toEqual({ write: 2, note: 'claimed, one' });
    update('two');
    await allThatFollows();
    expect(last()).toMatchObject({ etag: 'e2', untilMs: 72_000, value: { write: 3, note: 'claimed, one, two' } });
  });

  it('given a time limit, then the write gets it', () => {
    const { last, update } = holdSomething();

    update('one', 30_000);

    expect(last().untilMs).toBe(30_000);
  });

  it('given several updates at once, then each is sent after the answer to the one before, and builds on it', async () => {
    const { hold, sent, update } = holdSomething();
    const all = ['one', 'two', 'three'].map((note) => update(note));
    await allThatFollows();
    const atFirst = sent.length;

    for (let i = 0; i < 3; i += 1) {
      sent[i]?.written(`e${i + 2}`);
      await allThatFollows();
    }

    expect(atFirst).toBe(1);
    expect(sent.map(({ etag, value }) => [etag, value.write])).toEqual([
      ['e1', 2],
      ['e2', 3],
      ['e3', 4],
    ]);
    expect(all.map(({ outcome }) => outcome)).toEqual(['written', 'written', 'written']);
    expect(hold.value.note).toBe('claimed, one, two, three');
  });

  it.each(['conflict', 'table-busy'] as const)(
    'given the write is refused (%s), then the hold is over, and nothing more is written',
    async (kind) => {
      const { hold, sent, last, update } = holdSomething();
      const all = [update('one'), update('two')];
      last().refused(kind);
      await allThatFollows();
      const late = update('three');
      await allThatFollows();

      expect([...all, late].map(({ outcome }) => outcome)).toEqual(['lost', 'lost', 'lost']);
      expect(sent).toHaveLength(1);
      expect(hold).toMatchObject({ isOver: true, value: { write: 1, note: 'claimed' }, heldUntilMs: 70_000 });
      expect(hold.mayStart()).toBe(false);
    },
  );

  it('given an unknown outcome, then the error is thrown, the hold is over, and nothing more is written', async () => {
    const { hold, sent, last, update } = holdSomething();
    const first = update('one');
    const next = update('two');
    last().fail(new StorageError('timeout', 'no answer'));
    await allThatFollows();

    expect(first.outcome).toBe('threw no answer');
    expect(next.outcome).toBe('lost');
    expect(sent).toHaveLength(1);
    expect(hold).toMatchObject({ isOver: true, value: { write: 1 } });
    expect(hold.mayStart()).toBe(false);
  });

  it('given any answers in any order, then writes never overlap, their numbers rise, and none follows a lost one', async () => {
    const answers = fc.array(fc.constantFrom('written', 'written', 'written', 'conflict', 'fail'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(answers, async (planned) => {
        const { hold, sent, update } = holdSomething();
        const all = planned.map((_, i) => update(`${i}`));
        for (const [i, answer] of planned.entries()) {
          await allThatFollows();
          if (sent.length <= i) break;
          expect(sent).toHaveLength(i + 1);
          if (answer === 'written') sent[i]?.written(`e${i + 2}`);
          else if (answer === 'fail') sent[i]?.fail(new Error('unknown'));
          else sent[i]?.refused('conflict');
        }
        await allThatFollows();

        const good = planned.findIndex((answer) => answer !== 'written');
        const writes = good < 0 ? planned.length : good;
        expect(sent.map(({ value }) => value.write)).toEqual(
          Array.from({ length: Math.min(planned.length, writes + 1) }, (_, i) => i + 2),
        );
        expect(hold.value.write).toBe(1 + writes);
        expect(hold.isOver).toBe(good >= 0);
        expect(all.slice(writes + 1).every(({ outcome }) => outcome === 'lost')).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('when it is kept', () => {
  function keepSomething() {
    const held = holdSomething();
    let lost = 0;
    const stop = held.hold.keep(() => {
      lost += 1;
    });
    return { ...held, stop, lost: () => lost };
  }

  it('given time passes, then it is renewed after each third of the lease, but not in the last seconds', async () => {
    const { clock, hold, sent, last } = keepSomething();

    clock.advance(19_999);
    const before = sent.length;
    for (let i = 0; i < 3; i += 1) {
      clock.advance(i === 0 ? 1 : 20_000);
      await allThatFollows();
      last().written(`r${i}`);
      await allThatFollows();
    }

    expect(before).toBe(0);
    expect(sent.map(({ atMs, untilMs }) => [atMs, untilMs])).toEqual([
      [32_000, 65_000],
      [52_000, 87_000],
      [72_000, 107_000],
    ]);
    expect(hold.heldUntilMs).toBe(132_000);
    expect(hold.value.note).toBe('claimed');
  });

  it.each([
    { given: 'somebody else has it', answer: (sent: Sent) => sent.refused('conflict') },
    { given: 'the outcome is unknown', answer: (sent: Sent) => sent.fail(new StorageError('timeout', 'no')) },
  ])('given $given, then the loss is reported once, and it is renewed no more', async ({ answer }) => {
    const { clock, sent, last, lost, hold } = keepSomething();
    clock.advance(20_000);
    const before = lost();

    answer(last());
    await allThatFollows();
    clock.advance(500_000);
    await allThatFollows();

    expect([before, lost()]).toEqual([0, 1]);
    expect(sent).toHaveLength(1);
    expect(hold.isOver).toBe(true);
  });

  it('given another write has lost the hold, then the next renewal reports it', async () => {
    const { clock, sent, last, lost, update } = keepSomething();
    update('one');
    last().refused('conflict');
    await allThatFollows();

    clock.advance(20_000);
    await allThatFollows();

    expect(lost()).toBe(1);
    expect(sent).toHaveLength(1);
  });

  it('given a stop, then it is renewed no more', async () => {
    const { clock, sent, stop, lost } = keepSomething();

    stop();
    clock.advance(500_000);
    await allThatFollows();

    expect(sent).toEqual([]);
    expect(lost()).toBe(0);
  });

  it.each([
    { given: 'is written', answer: (sent: Sent) => sent.written('r1') },
    { given: 'is lost', answer: (sent: Sent) => sent.refused('conflict') },
    { given: 'fails', answer: (sent: Sent) => sent.fail(new Error('no')) },
  ])('given a stop during a renewal that $given, then no renewal follows', async ({ answer }) => {
    const { clock, sent, last, stop, lost } = keepSomething();
    clock.advance(20_000);

    stop();
    answer(last());
    await allThatFollows();
    clock.advance(500_000);
    await allThatFollows();

    expect(sent).toHaveLength(1);
    expect(lost()).toBe(0);
  });

  it('given a renewal is under way, then the next write follows it', async () => {
    const { clock, sent, last, update } = keepSomething();
    clock.advance(20_000);
    const settle = update('settled');
    await allThatFollows();
    const during = sent.length;

    last().written('r1');
    await allThatFollows();
    last().written('r2');
    await allThatFollows();

    expect(during).toBe(1);
    expect(sent[1]).toMatchObject({ etag: 'r1', untilMs: 92_000, value: { write: 3, note: 'claimed, settled' } });
    expect(settle.outcome).toBe('written');
  });
});
