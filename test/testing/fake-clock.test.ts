import { sleep } from '../../src/clock.js';
import { createFakeClock } from '../../src/testing/index.js';

describe('when a fake clock is moved', () => {
  it('given timers, then those that are due run at their own time, in order', () => {
    const clock = createFakeClock();
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, clock.monotonic()]);
    clock.after(20, note('second'));
    clock.after(10, note('first'));
    clock.after(31, note('late'));

    clock.advance(30);

    expect(ran).toEqual([
      ['first', 10],
      ['second', 20],
    ]);
    expect(clock.now()).toEqual(new Date('2026-01-01T12:00:00.030Z'));
  });

  it('given a timer that sets another, then that one runs too if it is due', () => {
    const clock = createFakeClock('2026-03-01T00:00:00Z');
    const ran: number[] = [];
    clock.after(10, () => clock.after(10, () => ran.push(clock.monotonic())));

    clock.advance(20);

    expect(ran).toEqual([20]);
  });

  it('given timers for the same time, then they run in the order in which they were set', () => {
    const clock = createFakeClock();
    const ran: string[] = [];
    clock.after(10, () => ran.push('a'));
    clock.after(10, () => ran.push('b'));

    clock.advance(10);

    expect(ran).toEqual(['a', 'b']);
  });

  it('given a timer that was cancelled, then it does not run', () => {
    const clock = createFakeClock();
    const ran: string[] = [];
    const cancel = clock.after(10, () => ran.push('cancelled'));

    cancel();
    clock.advance(10);

    expect(ran).toEqual([]);
  });

  it('given a sleep whose time passes, then the sleep ends', async () => {
    const clock = createFakeClock();
    const slept = sleep(clock, 1000);

    clock.advance(1000);

    await expect(slept).resolves.toBeUndefined();
  });
});
