import fc from 'fast-check';
import { Slots } from '../../src/pipeline/slots.js';

/** `answers` holds the answers that queued takers have got so far, in order. */
function startQueue(slots: Slots<string>) {
  const answers: string[] = [];
  return {
    answers,
    take(key: string, who: { name: string }): 'at once' | 'queued' {
      const slot = slots.take(key, who);
      if (slot === true) return 'at once';
      void slot.then((hasSlot) => answers.push(`${who.name} ${hasSlot}`));
      return 'queued';
    },
  };
}

const [ann, ben, dan] = ['ann', 'ben', 'dan'].map((name) => ({ name })) as [Who, Who, Who];
type Who = { name: string };

describe('when a slot is given back', () => {
  it('given none is taken, giving one back adds no slot', () => {
    const slots = new Slots<string>(() => 1);
    const { take } = startQueue(slots);

    slots.give('a');

    expect([ann, ben].map((who) => take('a', who))).toEqual(['at once', 'queued']);
  });

  it('given an order, the newest goes first, and among equals the first that came', async () => {
    const slots = new Slots<string>(() => 1, {
      isBefore: (a, b) => (a as { version: number }).version > (b as { version: number }).version,
    });
    const { take, answers } = startQueue(slots);
    take('a', ann);
    for (const [name, version] of [
      ['old', 1],
      ['new', 3],
      ['middle', 2],
      ['also new', 3],
    ] as const)
      take('a', { name, version } as Who);

    for (let i = 0; i < 4; i += 1) slots.give('a');
    await settled();

    expect(answers).toEqual(['new true', 'also new true', 'middle true', 'old true']);
  });
});

describe('when there are two queues', () => {
  const inSecond = (who: object) => (who as Who).name.startsWith('row');
  const rows = ['row 1', 'row 2', 'row 3'].map((name) => ({ name }));

  it('given two queues, serves them in turn, then the one that is left', async () => {
    const slots = new Slots<string>(() => 1, { isSecond: inSecond });
    const { take, answers } = startQueue(slots);
    for (const who of [dan, ...rows, ann, ben]) take('a', who);

    for (let i = 0; i < 5; i += 1) slots.give('a');
    await settled();

    expect(answers).toEqual(['ann true', 'row 1 true', 'ben true', 'row 2 true', 'row 3 true']);
  });

  it('given one leaves its queue, the others of both queues move up', async () => {
    const slots = new Slots<string>(() => 1, { isSecond: inSecond });
    const { take, answers } = startQueue(slots);
    for (const who of [dan, ...rows, ann]) take('a', who);

    slots.leave('a', rows[0] as Who);
    for (let i = 0; i < 2; i += 1) slots.give('a');
    await settled();

    expect(answers).toEqual(['row 1 false', 'ann true', 'row 2 true']);
  });
});

describe('when many take slots, give them back and leave in any order', () => {
  const kind = fc.constantFrom('take', 'take', 'give', 'leave');
  const steps = fc.array(
    fc.record({ kind, key: fc.constantFrom('a' as const, 'b' as const), rank: fc.nat(3), pick: fc.nat() }),
    { maxLength: 60 },
  );

  it.each([{ isRanked: false }, { isRanked: true }])(
    'given a simple model of them, then both give the same answers (ranked: $isRanked)',
    async ({ isRanked }) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (all, places) => {
          const rankOf = (who: object) => (who as { rank: number }).rank;
          const slots = new Slots<string>(
            (key) => (key === 'a' ? places : 1),
            isRanked ? { isBefore: (a, b) => rankOf(a) > rankOf(b) } : {},
          );
          const answers: string[] = [];
          const model = createModel({ a: places, b: 1 }, isRanked);

          const takers: Ranked[] = [];

          for (const [number, { kind, key, rank, pick }] of all.entries()) {
            if (kind === 'take') {
              const who = { number, rank };
              takers.push(who);
              const slot = slots.take(key, who);
              if (slot === true) answers.push(`${number} true`);
              else void slot.then((hasSlot) => answers.push(`${number} ${hasSlot}`));
              model.take(key, who);
            } else if (kind === 'give' && model.taken(key) > 0) {
              slots.give(key);
              model.give(key);
            } else if (kind === 'leave') {
              // The taker waits for this key, has a slot, waits for the other key, or waits no more.
              const who = takers[pick % takers.length] ?? { number, rank };
              slots.leave(key, who);
              model.leave(key, who);
            }
            await settled();
          }

          expect(answers).toEqual(model.answers);
        }),
        { numRuns: 500 },
      );
    },
  );
});

type Ranked = { number: number; rank: number };

function createModel(places: Record<'a' | 'b', number>, isRanked: boolean) {
  const taken = { a: 0, b: 0 };
  const queues: Record<'a' | 'b', Ranked[]> = { a: [], b: [] };
  const answers: string[] = [];
  return {
    answers,
    taken: (key: 'a' | 'b') => taken[key],
    take(key: 'a' | 'b', who: Ranked) {
      if (taken[key] >= places[key]) return void queues[key].push(who);
      taken[key] += 1;
      answers.push(`${who.number} true`);
    },
    give(key: 'a' | 'b') {
      const first = isRanked ? queues[key].toSorted((a, b) => b.rank - a.rank)[0] : queues[key][0];
      if (!first) taken[key] -= 1;
      else {
        queues[key] = queues[key].filter((who) => who !== first);
        answers.push(`${first.number} true`);
      }
    },
    leave(key: 'a' | 'b', leaving: Ranked) {
      if (!queues[key].includes(leaving)) return;
      queues[key] = queues[key].filter((who) => who !== leaving);
      answers.push(`${leaving.number} false`);
    },
  };
}

/** Resolves after the callbacks of promises that are resolved now. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await Promise.resolve();
}
