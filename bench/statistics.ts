/** The value that a share of the others do not exceed: `percentile(values, 0.99)`. The nearest rank, so always one of them. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  // Rounded first: 0.07 * 100 is a little more than 7.
  const rank = Math.ceil(Number((share * sorted.length).toPrecision(12)));
  return sorted[Math.max(1, rank) - 1] as number;
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  const middle = sorted.length % 2 === 1 ? [sorted[upper]] : [sorted[upper - 1], sorted[upper]];
  return middle.reduce((sum: number, value = Number.NaN) => sum + value, 0) / middle.length;
}
