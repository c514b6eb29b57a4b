/** Returns the percentile by nearest rank, which is always one of the values. Example: `percentile(values, 0.99)`. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  // Round first: in floating point, 0.07 * 100 is a little more than 7.
  const rank = Math.ceil(Number((share * sorted.length).toPrecision(12)));
  return sorted[Math.max(1, rank) - 1] as number;
}

/** Returns the middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  const middle = sorted.length % 2 === 1 ? [sorted[upper]] : [sorted[upper - 1], sorted[upper]];
  return middle.reduce((sum: number, value = Number.NaN) => sum + value, 0) / middle.length;
}
