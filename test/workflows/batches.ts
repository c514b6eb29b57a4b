import fc from 'fast-check';

/** The numbers below `count` in any order, each once or several times, in batches that are delivered together. */
export function batchesOf(count: number): fc.Arbitrary<number[][]> {
  const all = Array.from({ length: count }, (_, at) => at);
  const duplicates = fc.array(fc.constantFrom(...all), { maxLength: count });
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 });
  return fc.tuple(duplicates, sizes).chain(([again, sizes]) =>
    fc.shuffledSubarray([...all, ...again], { minLength: count + again.length }).map((order) => {
      const left = [...order];
      const batches: number[][] = [];
      for (let at = 0; left.length > 0; at += 1) batches.push(left.splice(0, sizes[at % sizes.length]));
      return batches;
    }),
  );
}
