import { scaledClock } from '../../../src/simulator/event-grid/scaled-clock.js';
import { createFakeClock } from '../../../src/testing/index.js';

describe('when a clock runs faster', () => {
  it('given 60 times, then an hour passes in a minute', () => {
    const real = createFakeClock();
    const clock = scaledClock(real, 60);
    const ran: Date[] = [];
    clock.after(3_600_000, () => ran.push(real.now()));

    real.advance(59_999);
    expect(ran).toEqual([]);
    real.advance(1);

    expect(ran).toEqual([new Date('2026-01-01T12:01:00Z')]);
    expect(clock.now()).toEqual(new Date('2026-01-01T13:00:00Z'));
    expect(clock.monotonic()).toBe(3_600_000);
  });

  it('given a new scale, then timers keep their time on the scaled clock', () => {
    const real = createFakeClock();
    const clock = scaledClock(real, 1);
    const ran: number[] = [];
    clock.after(100_000, () => ran.push(clock.monotonic()));
    real.advance(40_000);

    clock.setScale(60);
    real.advance(500);
    clock.setScale(0.5);
    real.advance(59_999);
    expect(ran).toEqual([]);
    real.advance(1);

    expect(ran).toEqual([70_000 + 30_000]);
    expect(clock.now()).toEqual(new Date('2026-01-01T12:01:40Z'));
  });

  it('given a timer is cancelled, then it does not run, whatever becomes of the scale', () => {
    const real = createFakeClock();
    const clock = scaledClock(real, 2);
    const ran: string[] = [];
    const cancel = clock.after(100, () => ran.push('cancelled'));
    clock.after(100, () => ran.push('kept'));

    cancel();
    clock.setScale(10);
    real.advance(1000);

    expect(ran).toEqual(['kept']);
  });

  it('given a timer has run, then it does not run again when the scale is changed', () => {
    const real = createFakeClock();
    const clock = scaledClock(real, 2);
    let runs = 0;
    clock.after(100, () => {
      runs += 1;
    });
    real.advance(50);

    clock.setScale(10);
    real.advance(1000);

    expect(runs).toBe(1);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'given %d, then the scale is refused, and the clock goes on as before',
    (scale) => {
      const real = createFakeClock();
      const clock = scaledClock(real, 3);

      expect(() => clock.setScale(scale)).toThrow(RangeError);
      expect(() => scaledClock(real, scale)).toThrow(RangeError);
      real.advance(10);

      expect(clock.monotonic()).toBe(30);
    },
  );
});
