import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Describes the machine and its load, for a comparison of figures. */
export function describeMachine() {
  return {
    cpus: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}
