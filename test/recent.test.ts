import fc from 'fast-check';
import { createRecent } from '../src/recent.js';

function filled(size: number, count: number) {
  const memory = createRecent<string, number>(size);
  for (let i = 0; i < count; i += 1) memory.set(`job-${i}`, i);
  return memory;
}

function rememberedOf(memory: ReturnType<typeof filled>, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => memory.get(`job-${i}`) === i);
}

describe('when something is heard of jobs', () => {
  it('given nothing yet, then nothing is known', () => {
    expect(filled(10, 0).get('job-0')).toBeUndefined();
  });

  it('given fewer than half of the size, then all are known, and no other', () => {
    expect(rememberedOf(filled(10, 4), 20)).toEqual([0, 1, 2, 3]);
  });

  it('given many more than the size, then the oldest are forgotten', () => {
    expect(rememberedOf(filled(10, 22), 22)).toEqual([15, 16, 17, 18, 19, 20, 21]);
  });

  it('given two things of one job, also when the first is among the older, then the later is known', () => {
    for (const between of [0, 6]) {
      const memory = filled(10, 1);
      for (let i = 0; i < between; i += 1) memory.set(`other-${i}`, i);

      memory.set('job-0', 7);

      expect(memory.get('job-0')).toBe(7);
    }
  });

  it('given one job again and again, then it forgets no other', () => {
    const memory = filled(10, 2);

    for (let i = 0; i < 100; i += 1) memory.set('job-1', 1);

    expect(rememberedOf(memory, 2)).toEqual([0, 1]);
  });

  it('given any size and any number of jobs, then it knows at least the last half of the size, and never more than the size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 0, max: 200 }), (size, count) => {
        const remembered = rememberedOf(filled(size, count), count);
        const lastHalf = Array.from({ length: count }, (_, i) => i).slice(-Math.floor(size / 2));

        expect(remembered.length).toBeLessThanOrEqual(size);
        expect(remembered).toEqual(expect.arrayContaining(lastHalf));
      }),
    );
  });
});
