/**
 * Calls `work` for each of `items` in order, at most `max` calls at a time. Waits for all, then throws the first error.
 */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  max: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const workers = Array.from({ length: max }, async () => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  });
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
