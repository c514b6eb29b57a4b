import { createSharedAnswer } from '../src/shared-answer.js';
import { createFakeClock } from '../src/testing/index.js';

function start(count: () => Promise<number>) {
  const clock = createFakeClock();
  return { clock, ask: createSharedAnswer(count, { clock, ms: 60_000 }) };
}

describe('when a count is asked for', () => {
  it('given many ask at once, then it is counted once', async () => {
    let counts = 0;
    const { ask } = start(async () => ++counts);

    expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  });

  it.each([
    { afterMs: 59_999, expected: 1 },
    { afterMs: 60_000, expected: 2 },
  ])('given the last was $afterMs ms ago, then it is number $expected', async ({ afterMs, expected }) => {
    let counts = 0;
    const { ask, clock } = start(async () => ++counts);
    await ask();

    clock.advance(afterMs);

    expect(await ask()).toBe(expected);
  });

  it('given the last failed, then it is counted again', async () => {
    let counts = 0;
    const { ask } = start(async () => {
      counts += 1;
      if (counts === 1) throw new Error('failed');
      return counts;
    });

    await expect(ask()).rejects.toThrow('failed');

    expect(await ask()).toBe(2);
  });

  it('given one failed long after another was begun, then that other is kept', async () => {
    const ends: ((end: 'fail' | 'answer') => void)[] = [];
    const { ask, clock } = start(
      () =>
        new Promise((resolve, reject) => {
          ends.push((end) => (end === 'answer' ? resolve(ends.length) : reject(new Error('failed'))));
        }),
    );
    const slow = ask();
    clock.advance(60_000);
    const second = ask();

    ends[1]?.('answer');
    ends[0]?.('fail');
    await expect(slow).rejects.toThrow('failed');

    expect(await second).toBe(2);
    expect(await ask()).toBe(2);
    expect(ends).toHaveLength(2);
  });
});
