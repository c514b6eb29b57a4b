import { chanceOf, seededRandom, uuidOf } from '../../src/simulator/seeded.js';

describe('when randomness comes from a seed', () => {
  it('given the same seed, then the numbers and tokens are the same', () => {
    const [one, other] = [seededRandom(7), seededRandom(7)];

    expect([one.number(), one.token(), one.number()]).toEqual([other.number(), other.token(), other.number()]);
  });

  it('given similar seeds, then their numbers differ', () => {
    const firsts = Array.from({ length: 100 }, (_, seed) => seededRandom(seed).number());

    expect(new Set(firsts.map((number) => number.toFixed(3))).size).toBeGreaterThan(85);
  });

  it('given words, then only they decide the number, and numbers are evenly spread', () => {
    const chances = Array.from({ length: 10_000 }, (_, n) => chanceOf(7, 'duplicate', n));

    expect(chanceOf(7, 'duplicate', 42)).toBe(chances[42]);
    expect(chances.filter((chance) => chance < 0.05).length).toBeGreaterThan(400);
    expect(chances.filter((chance) => chance < 0.05).length).toBeLessThan(600);
  });

  it('given a UUID, then it has version 4', () => {
    expect(uuidOf(seededRandom(1))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
