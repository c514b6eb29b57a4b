/** How many events a run should have made `elapsedMs` after its beginning: an even flow, or what gathered in bursts. */
export function dueBy(elapsedMs: number, { rate, burstMs }: { rate: number; burstMs: number }): number {
  const untilMs = burstMs > 0 ? Math.floor(elapsedMs / burstMs) * burstMs : elapsedMs;
  return Math.floor((untilMs * rate) / 1000);
}
