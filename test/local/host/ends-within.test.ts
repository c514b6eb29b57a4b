import { describe, expect, it } from '@jest/globals';
import { endsWithin } from '../../../src/local/host/ends-within.js';
import { createTestClock } from '../../storage/test-clock.js';

describe('when work is given some time', () => {
  it('given work that ends before, then true, and no timer is left', async () => {
    const clock = createTestClock();

    expect(await endsWithin(Promise.resolve(), 30_000, clock)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('given work that does not end, then false when the time is over', async () => {
    const clock = createTestClock();
    const result = endsWithin(new Promise(() => {}), 30_000, clock);

    clock.advance(29_999);
    expect(clock.timers).toBe(1);
    clock.advance(1);

    expect(await result).toBe(false);
  });

  it('given work that fails, then so does this', async () => {
    await expect(endsWithin(Promise.reject(new Error('failed')), 30_000, createTestClock())).rejects.toThrow('failed');
  });
});
